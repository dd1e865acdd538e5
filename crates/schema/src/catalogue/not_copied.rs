//! Things of a database whose rows are not carried.

/// Something in the database whose rows are not carried, such as a view, a sequence, or a table that
/// shows the rows of another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCopied {
    /// Its name.
    pub name: String,
    /// Its kind: `VIEW` or `SEQUENCE`, as the server spells it, or a table of an engine, and the
    /// reason.
    pub kind: String,
}

impl NotCopied {
    /// Returns true for a table whose engine is the reason.
    pub fn is_table(&self) -> bool {
        self.kind.starts_with("table")
    }
}
