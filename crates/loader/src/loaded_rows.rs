//! The rows that a strategy moved.

use handoff_model::{LossAudit, TableSum};
use handoff_rows::TupleBuffer;
use std::ops::AddAssign;

/// The rows that a strategy moved.
#[derive(Debug, Clone, Default)]
pub struct LoadedRows {
    /// Rows read.
    pub rows: u64,
    /// Bytes of their canonical form.
    pub bytes: u64,
    /// Their sum.
    pub sum: TableSum,
    /// Values that could not be carried unchanged.
    pub audit: LossAudit,
    /// Sentences for the reader of the report about the way the rows went.
    pub notes: Vec<String>,
}

impl LoadedRows {
    /// Returns the rows that went through `tuples` so far.
    pub fn of(tuples: &TupleBuffer) -> LoadedRows {
        let (sum, bytes, audit) = (tuples.sum(), tuples.total_bytes(), tuples.audit().clone());
        LoadedRows { rows: sum.rows, bytes, sum, audit, notes: Vec::new() }
    }
}

impl AddAssign for LoadedRows {
    fn add_assign(&mut self, other: LoadedRows) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.sum += other.sum;
        self.audit.merge(&other.audit);
        self.notes.extend(other.notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{ColumnName, LossPolicy};

    #[test]
    fn rows_of_two_reads_add_up() {
        let part = |rows, policy| {
            let mut audit = LossAudit::default();
            audit.add(&ColumnName::new("a").unwrap(), policy, rows);
            let sum = TableSum { rows, hash: u128::from(rows) };
            LoadedRows { rows, bytes: 10 * rows, sum, audit, notes: vec![rows.to_string()] }
        };
        let mut both = part(2, LossPolicy::NulBytes);
        both += part(3, LossPolicy::NulBytes);
        assert_eq!((both.rows, both.bytes), (5, 50));
        assert_eq!(both.sum, TableSum { rows: 5, hash: 5 });
        assert_eq!(both.audit.entries()[0].count, 5);
        assert_eq!(both.notes, ["2", "3"]);
    }
}
