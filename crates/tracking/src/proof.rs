//! The result of a comparison.

use crate::error::Result;
use crate::layout::{LOADS, RUNS};
use crate::moment;
use crate::tracker::Tracker;
use handoff_model::{ProofBy, TableName};
use jiff::Timestamp;

/// The outcome of comparing a table in source and target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProofOutcome {
    /// Every row of the source is in the target, unchanged, and nothing else is.
    Equal,
    /// The number of rows is the same; contents were not compared.
    SameCount,
    /// They differ.
    Differs,
}

impl ProofOutcome {
    /// Returns the name used in the tracking tables.
    pub fn name(self) -> &'static str {
        match self {
            ProofOutcome::Equal => "equal",
            ProofOutcome::SameCount => "same_count",
            ProofOutcome::Differs => "differs",
        }
    }
}

/// The result of comparing one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofRecord {
    /// The outcome.
    pub outcome: ProofOutcome,
    /// By what.
    pub by: ProofBy,
    /// All that is known of it, as JSON without row values.
    pub detail: Option<String>,
    /// The time of the comparison.
    pub at: Timestamp,
    /// Rows in the source.
    pub source_rows: Option<u64>,
    /// Rows in the replica.
    pub replica_rows: Option<u64>,
    /// Rows in the target.
    pub target_rows: Option<u64>,
}

impl Tracker {
    /// Records what the comparisons of this run found, all in one statement.
    ///
    /// A table that differs has failed as well; that is recorded by [`Tracker::failed`].
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`](crate::TrackingError) if the server fails.
    pub fn proved(&self, entries: &[(TableName, ProofRecord)]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = entries.iter().map(|(table, proof)| proof.as_json(table)).collect();
        let sql = format!(
            "WITH found AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS found (\
             table_name text, proof text, proof_by text, proof_detail jsonb, proved_at timestamptz, source_rows bigint, \
             replica_rows bigint, target_rows bigint)), \
             lines AS (UPDATE {runs} line SET proof = found.proof, proof_by = found.proof_by FROM found \
             WHERE line.run_id = $2::uuid AND line.table_name = found.table_name) \
             UPDATE {loads} load SET proof = found.proof, \
             proof_by = found.proof_by, proof_detail = found.proof_detail, proved_at = found.proved_at, \
             source_rows = found.source_rows, replica_rows = found.replica_rows, \
             target_rows = found.target_rows \
             FROM found WHERE load.table_name = found.table_name",
            runs = self.in_target(&RUNS),
            loads = self.in_target(&LOADS),
        );
        let json = serde_json::Value::Array(rows).to_string();
        let values = [Some(json), Some(self.run().to_string())];
        self.execute(LOADS.name, &sql, &values).map(drop)
    }
}

fn parsed(json: &str) -> Option<serde_json::Value> {
    serde_json::from_str(json).ok()
}

impl ProofRecord {
    fn as_json(&self, table: &TableName) -> serde_json::Value {
        serde_json::json!({
            "table_name": table.as_str(),
            "proof": self.outcome.name(),
            "proof_by": self.by.name(),
            "proof_detail": self.detail.as_deref().and_then(parsed),
            "proved_at": moment::print(self.at),
            "source_rows": self.source_rows,
            "replica_rows": self.replica_rows,
            "target_rows": self.target_rows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_written_with_its_counts_and_its_detail_as_json() {
        let proof = ProofRecord {
            outcome: ProofOutcome::SameCount,
            by: ProofBy::Counts,
            detail: Some(r#"{"retained":2}"#.to_owned()),
            at: "2026-01-31T23:00:00Z".parse().unwrap(),
            source_rows: Some(7),
            replica_rows: None,
            target_rows: Some(9),
        };
        let json = proof.as_json(&TableName::new("patient").unwrap());
        assert_eq!(json["proof"], "same_count");
        assert_eq!(json["proof_by"], "counts");
        assert_eq!(json["proof_detail"]["retained"], 2);
        assert_eq!(json["replica_rows"], serde_json::Value::Null);
        assert_eq!(json["proved_at"], "2026-01-31 23:00:00.000000");
    }
}
