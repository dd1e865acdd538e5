//! One line between the outer parentheses.

use super::column::{ColumnClause, group, starts};
use crate::definition::token::{DdlToken, TokenKind, find, tokens};

/// A column, an index or a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DefinitionElement {
    /// As the server printed it.
    pub(crate) text: String,
    pub(crate) kind: ElementKind,
}

/// The kind of an element, with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ElementKind {
    Column(ColumnClause),
    Index(IndexClause),
    ForeignKey {
        name: String,
    },
    Check {
        name: String,
    },
    /// A PERIOD, of SYSTEM_TIME or of an application.
    Period {
        name: String,
    },
    /// Anything else.
    Other,
}

/// The parts of an index that only the definition tells; the catalogue tells its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexClause {
    /// `PRIMARY` for the primary key.
    pub(crate) name: String,
    pub(crate) word: IndexWord,
    /// The text of COMMENT, quoted.
    pub(crate) comment: Option<String>,
}

/// The word with which an index begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexWord {
    Primary,
    Unique,
    Plain,
    FullText,
    Spatial,
    /// One that is not known.
    Other,
}

impl DefinitionElement {
    pub(super) fn parse(text: &str) -> Result<DefinitionElement, &'static str> {
        let all = tokens(text);
        let first = all.first().ok_or("a part of it is empty")?;
        let kind = match first.name() {
            Some(name) => ElementKind::Column(ColumnClause::parse(name, text, &all[1..])),
            None => not_a_column(&all),
        };
        Ok(DefinitionElement { text: text.to_owned(), kind })
    }
}

fn not_a_column(tokens: &[DdlToken<'_>]) -> ElementKind {
    let (named, rest) = match tokens {
        [word, name, rest @ ..] if word.is("CONSTRAINT") && name.kind == TokenKind::Name => {
            (name.name(), rest)
        }
        [word, rest @ ..] if word.is("CONSTRAINT") => (None, rest),
        all => (None, all),
    };
    let name = named.unwrap_or_default();
    if starts(rest, &["FOREIGN", "KEY"]) {
        ElementKind::ForeignKey { name }
    } else if starts(rest, &["CHECK"]) {
        ElementKind::Check { name }
    } else if starts(rest, &["PERIOD", "FOR"]) {
        let period = rest.get(2).and_then(DdlToken::name);
        ElementKind::Period { name: period.unwrap_or_else(|| "SYSTEM_TIME".to_owned()) }
    } else {
        index(rest).map_or(ElementKind::Other, ElementKind::Index)
    }
}

fn index(tokens: &[DdlToken<'_>]) -> Option<IndexClause> {
    let key = tokens.iter().take(2).position(|token| token.is("KEY"))?;
    let word = match tokens[..key].first() {
        None => IndexWord::Plain,
        Some(first) if first.is("PRIMARY") => IndexWord::Primary,
        Some(first) if first.is("UNIQUE") => IndexWord::Unique,
        Some(first) if first.is("FULLTEXT") => IndexWord::FullText,
        Some(first) if first.is("SPATIAL") => IndexWord::Spatial,
        Some(_) => IndexWord::Other,
    };
    let name = match tokens.get(key + 1).and_then(DdlToken::name) {
        None if word == IndexWord::Primary => "PRIMARY".to_owned(),
        name => name?,
    };
    let open = tokens.iter().position(|token| token.is("("))?;
    let behind = &tokens[open + group(&tokens[open..])..];
    let comment = find(behind, &["COMMENT"])
        .and_then(|at| behind.get(at + 1))
        .filter(|text| text.kind == TokenKind::Text);
    Some(IndexClause { name, word, comment: comment.map(|text| text.text.to_owned()) })
}
