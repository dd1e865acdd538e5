//! A table of the practice, its columns and its key.

use super::kind::Kind;

/// A table of the practice.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) engine: Engine,
    /// Rows at scale 1; 0 stays 0 at every scale.
    pub(super) full_rows: u64,
    pub(super) columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    MyIsam,
    InnoDb,
    Aria,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) indexed: bool,
}

/// The key of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Single(&'a str),
    Composite(&'a str, &'a str),
    None,
}

impl Table {
    /// Returns the rows at a scale. A few rows stay in the smallest tables at the smallest scale.
    pub(super) fn rows(&self, scale: f64) -> u64 {
        // Both conversions are of numbers far below 2^52.
        let scaled = (self.full_rows as f64 * scale).round() as u64;
        scaled.max(self.full_rows.min(12))
    }

    pub(super) fn key(&self) -> Key<'_> {
        match &self.columns[..] {
            [first, ..] if first.kind == Kind::Key => Key::Single(&first.name),
            [first, second, ..] if first.kind == Kind::Major => {
                Key::Composite(&first.name, &second.name)
            }
            _ => Key::None,
        }
    }

    /// Returns the column that follows the changes of a row by itself.
    pub(super) fn stamp(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.kind == Kind::Stamp)
    }
}

impl Engine {
    pub(super) fn parse(word: &str) -> Engine {
        match word {
            "MyISAM" => Engine::MyIsam,
            "InnoDB" => Engine::InnoDb,
            "Aria" => Engine::Aria,
            _ => panic!("core.txt: engine {word}"),
        }
    }
}
