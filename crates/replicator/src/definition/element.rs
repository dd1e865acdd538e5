//! One line between the outer parentheses.

use super::{Token, TokenKind, find, has, tokens};

/// A column, an index or a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// As the server printed it.
    pub(crate) text: String,
    pub(crate) kind: ElementKind,
}

/// What an element is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ElementKind {
    Column {
        name: String,
        /// AUTO_INCREMENT.
        numbered: bool,
        /// ROW START or ROW END of a system versioned table.
        period: bool,
    },
    PrimaryKey,
    /// A KEY or UNIQUE KEY that can be added later.
    Index {
        /// The first column, if it isn't an expression.
        first: Option<String>,
        unique: bool,
    },
    /// FULLTEXT, SPATIAL and other indexes that a server may refuse to add together.
    SpecialIndex,
    ForeignKey {
        name: Option<String>,
    },
    Check,
    /// PERIOD FOR SYSTEM_TIME.
    SystemTime,
    /// Anything else, kept as it is.
    Other,
}

impl Element {
    pub(super) fn parse(text: &str) -> Result<Element, &'static str> {
        let tokens = tokens(text);
        let first = tokens.first().ok_or("a part of it is empty")?;
        let kind = match first.name() {
            Some(name) => ElementKind::Column {
                name,
                numbered: has(&tokens, &["AUTO_INCREMENT"]),
                period: period(&tokens).is_some(),
            },
            None => not_a_column(&tokens),
        };
        Ok(Element { text: text.to_owned(), kind })
    }
}

fn not_a_column(tokens: &[Token<'_>]) -> ElementKind {
    let (name, tokens) = match tokens {
        [word, name, rest @ ..] if word.is("CONSTRAINT") && name.kind == TokenKind::Name => {
            (name.name(), rest)
        }
        [word, rest @ ..] if word.is("CONSTRAINT") => (None, rest),
        all => (None, all),
    };
    let starts = |words: &[&str]| find(tokens, words) == Some(0);
    if starts(&["PRIMARY", "KEY"]) {
        ElementKind::PrimaryKey
    } else if starts(&["FOREIGN", "KEY"]) {
        ElementKind::ForeignKey { name }
    } else if starts(&["CHECK"]) {
        ElementKind::Check
    } else if starts(&["PERIOD", "FOR", "SYSTEM_TIME"]) {
        ElementKind::SystemTime
    } else if has(tokens, &["WITHOUT", "OVERLAPS"]) {
        ElementKind::SpecialIndex
    } else if starts(&["KEY"]) || starts(&["UNIQUE", "KEY"]) {
        ElementKind::Index { first: first_column(tokens), unique: starts(&["UNIQUE"]) }
    } else if tokens.get(1).is_some_and(|token| token.is("KEY")) {
        ElementKind::SpecialIndex
    } else {
        ElementKind::Other
    }
}

fn first_column(tokens: &[Token<'_>]) -> Option<String> {
    let open = tokens.iter().position(|token| token.is("("))?;
    tokens.get(open + 1)?.name()
}

/// Returns where a column of the period says so: five or six tokens from here.
pub(crate) fn period(tokens: &[Token<'_>]) -> Option<usize> {
    ["START", "END"].iter().find_map(|end| find(tokens, &["GENERATED", "ALWAYS", "AS", "ROW", end]))
}
