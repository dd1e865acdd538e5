//! The options behind the columns of a definition, as names and values.

use super::column::group;
use crate::definition::token::{DdlToken, TokenKind, tokens};

/// An option of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableOption {
    /// In upper case: `ENGINE`, `DEFAULT CHARSET`, `DATA DIRECTORY`.
    pub(crate) name: String,
    /// As printed.
    pub(crate) value: String,
}

/// The options of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TableOptions {
    pub(crate) options: Vec<TableOption>,
    /// The server keeps the old rows (MariaDB).
    pub(crate) versioned: bool,
    /// Divided into partitions, but for those of the history alone.
    pub(crate) partitioned: bool,
}

impl TableOptions {
    /// Parses the text behind the closing parenthesis of a definition.
    pub(crate) fn parse(text: &str) -> TableOptions {
        let all = tokens(text);
        let mut parsed = TableOptions::default();
        let mut words: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(token) = all.get(at) {
            if words.is_empty() && token.is("PARTITION") {
                let history = all.get(at + 2).is_some_and(|token| token.is("SYSTEM_TIME"));
                parsed.partitioned = !history;
                break;
            }
            at += 1;
            if token.is("=") {
                let taken = value(&all[at..]);
                parsed.push(&mut words, text, &all[at..at + taken]);
                at += taken;
            } else if words.is_empty() && token.is("TABLESPACE") {
                words.push("TABLESPACE".to_owned());
                let name = &all[at..all.len().min(at + 1)];
                at += name.len();
                parsed.push(&mut words, text, name);
            } else {
                words.push(word(token));
                parsed.versioned |= words == ["WITH", "SYSTEM", "VERSIONING"];
                if parsed.versioned && words.len() == 3 {
                    words.clear();
                }
            }
        }
        parsed
    }

    fn push(&mut self, words: &mut Vec<String>, text: &str, value: &[DdlToken<'_>]) {
        let range = value.first().zip(value.last());
        let value = range.map_or("", |(first, last)| &text[first.range.start..last.range.end]);
        let name = std::mem::take(words).join(" ");
        self.options.push(TableOption { name, value: value.to_owned() });
    }

    /// Returns the character set and the collation of the table.
    pub(crate) fn charset(&self) -> [Option<&str>; 2] {
        ["DEFAULT CHARSET", "COLLATE"].map(|name| self.get(name))
    }

    /// Returns the value of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|option| option.name == name);
        found.map(|option| option.value.as_str())
    }
}

fn value(tokens: &[DdlToken<'_>]) -> usize {
    group(tokens).max(1).min(tokens.len())
}

fn word(token: &DdlToken<'_>) -> String {
    match token.kind {
        TokenKind::Name => token.name().unwrap_or_default(),
        _ => token.text.to_ascii_uppercase(),
    }
}
