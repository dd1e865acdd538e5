//! `extraction = "auto"`: whether a run moves every row of a table or compares the rows, by its records.

use handoff_model::{Reason, TableName};
use handoff_tracking::{LoadState, TableHistory};
use jiff::{SignedDuration, Timestamp};

/// One row in so many may change for a comparison to pay.
const MANY_OF: u64 = 10;

/// So many rows may change for a comparison to pay.
const MANY: u64 = 100_000;

/// The nights over which the rechecks of all tables are spread: tables that first arrived together are not all
/// rechecked in one run.
const SPREAD: u64 = 3;

/// The recorded facts by which a run chooses how to move a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct AutoFacts<'a> {
    /// The table's moves so far.
    pub history: Option<&'a TableHistory>,
    /// The time after which every row of the target is compared, whatever the source tells.
    pub recheck: SignedDuration,
}

impl AutoFacts<'_> {
    /// Returns true if every row of the target is to be compared with the source in this run, so that changes by
    /// others in the target are found, and a wrong change token does not last.
    pub(crate) fn is_recheck_due(&self, table: &TableName, now: Timestamp) -> bool {
        let Some(last) = self.history.and_then(|history| history.compared_at) else { return true };
        let early = self.recheck / 10 * i32::try_from(turn(table)).unwrap_or(0);
        now.duration_since(last) >= self.recheck - early
    }

    /// Returns true if so many rows changed in the last run that comparing them first takes longer than moving
    /// all of them.
    pub(crate) fn changes_much(&self, load: Option<&LoadState>, rows: u64) -> bool {
        let last = self.history.and_then(|history| history.last_reason);
        // Every row of a first load is new.
        let is_comparable = !matches!(last, None | Some(Reason::FirstRun | Reason::NewSource));
        let counts = load.map(|load| [load.rows_inserted, load.rows_updated, load.rows_deleted]);
        let changed: u64 = counts.into_iter().flatten().flatten().sum();
        is_comparable && changed > most_compared(rows)
    }
}

/// Returns the most rows that may differ for a comparison to pay: see `many_rows_differ` in `docs/proof.md`.
fn most_compared(rows: u64) -> u64 {
    (rows / MANY_OF).min(MANY)
}

/// Returns the night among [`SPREAD`] on which a table is rechecked: stable, and even over the names.
fn turn(table: &TableName) -> u64 {
    let bytes = table.as_str().bytes();
    // FNV-1a.
    let hash = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    (hash >> 32) % SPREAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{now, tracked};

    const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

    fn name(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    #[test]
    fn a_table_that_nobody_compared_is_rechecked() {
        assert!(AutoFacts { history: None, recheck: WEEK }.is_recheck_due(&name("t"), now()));
        let never = TableHistory::default();
        let facts = AutoFacts { history: Some(&never), recheck: WEEK };
        assert!(facts.is_recheck_due(&name("t"), now()));
    }

    #[test]
    fn rechecks_come_in_time_and_not_all_at_once() {
        let due_after = |table: &str, hours: i64| {
            let last = now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
            let history = TableHistory { compared_at: Some(last), ..TableHistory::default() };
            AutoFacts { history: Some(&history), recheck: WEEK }.is_recheck_due(&name(table), now())
        };
        let names: Vec<String> = (0..90).map(|n| format!("table_{n}")).collect();
        let due = |hours| names.iter().filter(|table| due_after(table, hours)).count();
        assert_eq!(due(5 * 24), 0);
        assert!((20..40).contains(&due(6 * 24 - 8)), "{}", due(6 * 24 - 8));
        assert_eq!(due(7 * 24), 90);
    }

    #[test]
    fn rows_are_compared_unless_many_changed_last_time() {
        let state = tracked().load.unwrap();
        let much = |reason, changed| {
            let history = TableHistory { last_reason: reason, ..TableHistory::default() };
            let load = LoadState { rows_updated: Some(changed), ..state.clone() };
            AutoFacts { history: Some(&history), recheck: WEEK }.changes_much(Some(&load), 100)
        };
        assert!(!much(Some(Reason::Compared), 10));
        assert!(much(Some(Reason::Compared), 11));
        assert!(much(Some(Reason::ManyDiffer), 100));
        // A first load says nothing of a second one.
        assert!(!much(Some(Reason::FirstRun), 100));
        assert!(!much(None, 100));
        assert_eq!(most_compared(5_000_000), 100_000);
    }
}
