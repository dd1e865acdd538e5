//! The objects around the columns of a table, as its server describes them.

mod constraints;
mod referring;

pub use constraints::{SourceCheck, SourceForeignKey};
pub use referring::ReferringObjects;

use std::collections::BTreeMap;

/// The value that a column takes where none is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnDefault {
    /// A constant, as the server prints it.
    Literal(String),
    /// An expression, as the server prints it.
    Expression(String),
}

/// The objects of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnObjects {
    /// Its DEFAULT, unless that is NULL.
    pub default: Option<ColumnDefault>,
    /// Its comment; empty without one.
    pub comment: String,
    /// True for AUTO_INCREMENT.
    pub auto_increment: bool,
}

/// The method by which an index finds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexMethod {
    /// By the order of values, or by their hash.
    #[default]
    Values,
    /// By words.
    FullText,
    /// By place.
    Spatial,
    /// By any other property, such as nearness of vectors.
    Other,
}

/// Further facts of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexObjects {
    /// The method by which it finds rows.
    pub method: IndexMethod,
    /// True if the server's planner leaves it aside (INVISIBLE, IGNORED).
    pub hidden: bool,
    /// The expression of each part that is none of a column, by the place of the part.
    pub expressions: BTreeMap<usize, String>,
}

/// The objects around the columns of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableObjects {
    /// Its comment; empty without one.
    pub comment: String,
    /// The objects of each column, in the order of the columns.
    pub columns: Vec<ColumnObjects>,
    /// Further facts of its indexes, by name.
    pub indexes: BTreeMap<String, IndexObjects>,
    /// Its CHECKs, but for those that make JSON of a text. Those of MySQL come with
    /// [`ReferringObjects::read`].
    pub checks: Vec<SourceCheck>,
}
