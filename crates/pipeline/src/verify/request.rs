//! What a caller asks of a verification.

use handoff_connect::Side;
use handoff_model::TableName;
use handoff_verify::{ShowKeys, VerifyOptions};

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Every row.
    #[default]
    Rows,
    /// Row counts, and what is recorded of the last load; no row is read.
    Quick,
}

/// What a caller asks of a verification. The default compares every row of every table, from the
/// source to the target.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// The tables to compare; all that the settings include if empty.
    pub tables: Vec<TableName>,
    /// How much is compared.
    pub depth: Depth,
    /// The first database of those to compare: the source, or the replica, and then the source is
    /// not touched.
    pub from: Side,
    /// The last of them: the target, or the replica.
    pub to: Side,
    /// Which keys of rows that differ go into the report.
    pub keys: ShowKeys,
    /// How tables are compared; [`None`] as the settings say.
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
