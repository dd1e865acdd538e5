//! The outcome of writing rows.

use handoff_model::TableSum;

/// The outcome of writing rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WriteOutcome {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) strategy: &'static str,
    /// True if the rows were compared because the replica had warned.
    pub(crate) checked: bool,
    /// The sum of the canonical rows, if it was asked for and could be taken.
    pub(crate) sum: Option<TableSum>,
    /// The sum of the lines that were sent; [`None`] where a server moved the rows itself.
    pub(crate) lines: Option<TableSum>,
}

impl WriteOutcome {
    /// Returns the outcome of reading no row.
    pub(crate) fn nothing() -> WriteOutcome {
        let (strategy, sum, lines) = ("", Some(TableSum::default()), Some(TableSum::default()));
        WriteOutcome { rows: 0, bytes: 0, strategy, checked: false, sum, lines }
    }

    /// Adds the rows that were looked up by their keys afterwards.
    pub(crate) fn and(self, later: WriteOutcome) -> WriteOutcome {
        WriteOutcome {
            rows: self.rows + later.rows,
            bytes: self.bytes + later.bytes,
            strategy: self.strategy,
            checked: self.checked || later.checked,
            sum: self.sum.zip(later.sum).map(|(one, other)| one + other),
            lines: self.lines.zip(later.lines).map(|(one, other)| one + other),
        }
    }
}

/// The rows that were sent, and the server's counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SentRows {
    /// Rows sent, and the sum of their lines.
    pub(super) sum: TableSum,
    /// The sum of their canonical form.
    pub(super) canonical: Option<TableSum>,
    pub(super) bytes: u64,
    /// Rows that the server says it took.
    pub(super) arrived: u64,
    pub(super) warnings: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rows: u64, checked: bool) -> WriteOutcome {
        let sum = Some(TableSum { rows, hash: u128::from(rows) });
        WriteOutcome { rows, bytes: 10 * rows, strategy: "a", checked, sum, lines: sum }
    }

    #[test]
    fn rows_that_are_looked_up_are_added_to_those_of_the_filter() {
        let both = outcome(2, false).and(outcome(3, true));
        assert_eq!((both.rows, both.bytes, both.checked), (5, 50, true));
        assert_eq!(both.sum, Some(TableSum { rows: 5, hash: 5 }));
        let unsummed = outcome(2, false).and(WriteOutcome { sum: None, ..outcome(3, false) });
        assert_eq!((unsummed.sum, unsummed.checked), (None, false));
        assert_eq!(unsummed.lines, Some(TableSum { rows: 5, hash: 5 }));
    }
}
