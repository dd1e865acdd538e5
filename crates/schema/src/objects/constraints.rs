//! The CHECKs and foreign keys of a table.

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
