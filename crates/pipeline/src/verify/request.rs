//! The request for a verification.

use handoff_connect::Side;
use handoff_model::TableName;
use handoff_verify::{ShowKeys, VerifyOptions};

/// The depth of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Every row.
    #[default]
    Rows,
    /// Row counts, and the record of the last load; no row is read.
    Quick,
}

/// The request for a verification. The default compares every row of every table, from the source to the target.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// The tables to compare; all that the settings include if empty.
    pub tables: Vec<TableName>,
    /// The depth of the comparison.
    pub depth: Depth,
    /// The first database of those to compare: the source, or the replica, and then the source is
    /// not touched.
    pub from: Side,
    /// The last of them: the target, or the replica.
    pub to: Side,
    /// The keys of differing rows that go into the report.
    pub keys: ShowKeys,
    /// The options of the comparison; [`None`] for those of the settings.
    pub options: Option<VerifyOptions>,
}

impl Default for VerifyRequest {
    fn default() -> VerifyRequest {
        VerifyRequest {
            tables: Vec::new(),
            depth: Depth::default(),
            from: Side::Source,
            to: Side::Target,
            keys: ShowKeys::default(),
            options: None,
        }
    }
}
