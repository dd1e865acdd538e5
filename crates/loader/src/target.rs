//! A table of the target as its catalogue has it.

use handoff_schema::ddl::PgColumn;

/// A table of the target as its catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTable {
    /// Its columns in order.
    pub columns: Vec<PgColumn>,
    /// The columns of its primary key, or else of the unique index that stands in for one.
    pub key: Vec<String>,
    /// Whether it has a unique index or exclusion constraint besides the key, so that rows may
    /// only change places by way of being deleted.
    pub other_unique: bool,
}
