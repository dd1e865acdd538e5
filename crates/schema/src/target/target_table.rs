//! A table of the target schema, described.

use crate::ddl::PgColumn;
use crate::target::obstacle::TargetObstacle;

/// The kind of relation that bears a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An ordinary table.
    Table,
    /// A partitioned table.
    Partitioned,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
}

/// A table of the target schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTable {
    /// Its name.
    pub name: String,
    /// The kind of relation.
    pub kind: TargetKind,
    /// Its columns in order.
    pub columns: Vec<PgColumn>,
    /// The columns of its primary key in order; empty without one.
    pub key: Vec<String>,
    /// The name of its primary key's constraint.
    pub key_name: Option<String>,
    /// The number of unique or exclusive indexes beside the primary key.
    pub other_unique_indexes: usize,
    /// The obstacles to loading rows into the table.
    pub obstacles: Vec<TargetObstacle>,
    /// A name that is free, for a table that is put aside.
    pub spare_name: String,
}
