//! The objects around the columns of a table, as its server describes them.

mod read;

use handoff_model::TableName;
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

/// A CHECK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCheck {
    /// Its name.
    pub name: String,
    /// Its condition, as the server prints it.
    pub clause: String,
    /// False if it is declared and not enforced.
    pub enforced: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceForeignKey {
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// The database of the table that it refers to.
    pub schema: String,
    /// The table that it refers to.
    pub table: String,
    /// The columns that it refers to, in order.
    pub referred: Vec<String>,
    /// The action when a row that is referred to is deleted, such as `CASCADE`.
    pub on_delete: String,
    /// The action when its key changes.
    pub on_update: String,
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

/// The objects that the catalogue of tables does not describe: foreign keys, and the CHECKs of MySQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferringObjects {
    /// The foreign keys, by table.
    pub foreign_keys: BTreeMap<TableName, Vec<SourceForeignKey>>,
    /// The CHECKs of MySQL, by table.
    pub checks: BTreeMap<TableName, Vec<SourceCheck>>,
}
