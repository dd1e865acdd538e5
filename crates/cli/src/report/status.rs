//! The content of the tracking tables as text and as JSON.

use crate::human::{age, count, counted};
use crate::report::columns::{ColumnAlign, TextColumns};
use handoff_model::{ProofBy, TableName};
use handoff_pipeline::StatusSnapshot;
use handoff_tracking::{LastRun, LoadState, ProofOutcome, TableHealth, TrackedTable};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// The state of the tables. Later versions add fields to the JSON and never rename one.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    /// The time of the look, UTC.
    pub at: Timestamp,
    /// True if every table arrived and none is outstanding.
    pub ok: bool,
    /// The run that is in progress, as a phrase.
    pub in_progress: Option<String>,
    /// The run that began last.
    pub last_run: Option<LastRun>,
    /// Number of tables whose data is older than was asked for.
    pub stale: u64,
    /// Disagreements between the tracking tables and the databases, one sentence each, with the
    /// next run's remedy.
    pub disagreements: Vec<String>,
    /// Further remarks, such as tables that came from elsewhere than the settings lead to.
    pub notes: Vec<String>,
    /// The tables, by name.
    pub tables: Vec<TableStanding>,
}

/// The state of one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableStanding {
    /// The table.
    pub table: TableName,
    /// The two tracking tables in one word.
    pub standing: TableHealth,
    /// The time at which reading the source began for the target's data, UTC: no younger change is
    /// in the target.
    pub data_as_of: Option<Timestamp>,
    /// The age of that data in seconds.
    pub age_seconds: Option<u64>,
    /// True if it is older than was asked for, or was never there.
    pub stale: bool,
    /// The arrival of the copy in the replica, UTC.
    pub copied_at: Option<Timestamp>,
    /// The arrival of the data in the target, UTC.
    pub loaded_at: Option<Timestamp>,
    /// Rows of the table in the target, when it was last counted, else rows of the last load.
    pub rows: Option<u64>,
    /// Rows that the target holds and the source had no more when both were counted last.
    pub kept_rows: Option<u64>,
    /// The outcome of the last proof.
    pub proof: Option<String>,
    /// By what: `counts`, `sums` or `rows`.
    pub proof_by: Option<ProofBy>,
    /// The time of the proof, UTC.
    pub proved_at: Option<Timestamp>,
    /// The error of the last attempt, if it failed.
    pub error: Option<String>,
}

impl StatusReport {
    /// Draws the report from what is known, at a time. Data older than `stale` is called so.
    pub fn new(known: &StatusSnapshot, at: Timestamp, stale: Option<Duration>) -> StatusReport {
        let states = known.states.iter();
        let tables: Vec<TableStanding> =
            states.map(|(table, tracked)| TableStanding::of(table, tracked, at, stale)).collect();
        StatusReport {
            at,
            ok: tables.iter().all(|table| table.is_well()),
            in_progress: known.in_progress.clone(),
            last_run: known.last_run.clone(),
            stale: tables.iter().filter(|table| table.stale).count() as u64,
            disagreements: known.disagreements.iter().map(ToString::to_string).collect(),
            notes: known.notes.clone(),
            tables,
        }
    }

    /// Prints the tables that do not stand well, then the others, the oldest first.
    pub fn text(&self) -> String {
        let notes: String = self.notes.iter().map(|note| format!("{note}\n")).collect();
        let sections =
            [self.listing(), self.errors(), self.kept(), self.mending(), notes, self.runs()];
        let filled = sections.into_iter().filter(|text| !text.is_empty());
        filled.chain([format!("{}\n", self.totals())]).collect::<Vec<_>>().join("\n")
    }

    fn listing(&self) -> String {
        if self.tables.is_empty() {
            return String::new();
        }
        let mut columns = TextColumns::new(&[
            ("table", ColumnAlign::Left),
            ("status", ColumnAlign::Left),
            ("data", ColumnAlign::Right),
            ("loaded", ColumnAlign::Right),
            ("rows", ColumnAlign::Right),
            ("proof", ColumnAlign::Left),
            ("proved", ColumnAlign::Right),
        ]);
        self.sorted().into_iter().for_each(|table| columns.row(self.cells(table)));
        columns.print()
    }

    fn sorted(&self) -> Vec<&TableStanding> {
        let mut tables = self.tables.iter().collect::<Vec<_>>();
        tables.sort_by_key(|table| (table.standing, !table.stale, table.data_as_of));
        tables
    }

    /// Says how many rows stay that are gone from the source.
    fn kept(&self) -> String {
        let lines = self.sorted().into_iter().filter_map(|table| {
            let rows = counted(table.kept_rows?, "row");
            Some(format!("{}: the target holds {rows} more than the source\n", table.table))
        });
        lines.collect()
    }

    fn errors(&self) -> String {
        let lines = self.sorted().into_iter().filter_map(|table| {
            let error = table.error.as_ref()?;
            Some(format!("{}: {error}\n", table.table))
        });
        lines.collect()
    }

    fn mending(&self) -> String {
        let sentences = self.disagreements.iter().map(|sentence| format!("  {sentence}\n"));
        let sentences: String = sentences.collect();
        match sentences.is_empty() {
            true => sentences,
            false => {
                format!("tracking and databases disagree; the next run corrects this:\n{sentences}")
            }
        }
    }

    fn runs(&self) -> String {
        if let Some(holder) = &self.in_progress {
            return format!("in progress: {holder}\n");
        }
        let Some(run) = &self.last_run else { return String::new() };
        let status = run.status.name().replace('_', " ");
        let mut counts = vec![format!("{} ok", run.tables_ok)];
        let others = [(run.tables_failed, "failed"), (run.tables_not_started, "not started")];
        let some = others.into_iter().filter(|(number, _)| *number > 0);
        counts.extend(some.map(|(number, what)| format!("{number} {what}")));
        format!("last run {}: {status}; {}\n", self.age(run.started_at), counts.join(", "))
    }

    fn cells(&self, table: &TableStanding) -> Vec<String> {
        vec![
            table.table.to_string(),
            if table.stale {
                format!("{}, stale", table.standing.label())
            } else {
                table.standing.label().to_owned()
            },
            self.age(table.data_as_of),
            self.age(table.loaded_at),
            table.rows.map(count).unwrap_or_default(),
            table.proved(),
            self.age(table.proved_at),
        ]
    }

    fn age(&self, then: Option<Timestamp>) -> String {
        let Some(then) = then else { return String::new() };
        let since = Duration::try_from(self.at.duration_since(then)).unwrap_or_default();
        format!("{} ago", age(since))
    }

    /// Counts the tables that stand so.
    fn number(&self, standing: TableHealth) -> usize {
        self.tables.iter().filter(|table| table.standing == standing).count()
    }

    fn totals(&self) -> String {
        if self.tables.is_empty() {
            return "nothing was moved yet".to_owned();
        }
        let kinds = [
            TableHealth::Differs,
            TableHealth::Failed,
            TableHealth::Unfinished,
            TableHealth::Outstanding,
            TableHealth::Never,
            TableHealth::Ok,
            TableHealth::Gone,
        ];
        let numbers = kinds
            .into_iter()
            .map(|kind| (self.number(kind), kind.label()))
            .filter(|(number, _)| *number > 0)
            .map(|(number, label)| format!("{number} {label}"));
        let first = self.tables.iter().filter_map(|table| table.data_as_of).min();
        let oldest =
            first.map_or_else(String::new, |then| format!("; oldest {}", self.age(Some(then))));
        let stale = match self.stale {
            0 => String::new(),
            stale => format!("; {stale} stale"),
        };
        let tables = counted(self.tables.len() as u64, "table");
        format!("{tables}: {}{stale}{oldest}", numbers.collect::<Vec<_>>().join(", "))
    }
}

impl TableStanding {
    /// Returns true if nothing is to be done about the table.
    fn is_well(&self) -> bool {
        self.standing.is_well()
    }

    /// Says what the last proof found, and by what, such as `equal by sums`.
    fn proved(&self) -> String {
        let found = self.proof.as_deref().unwrap_or_default().replace('_', " ");
        match self.proof_by {
            Some(by) if self.proof.as_deref() == Some(ProofOutcome::Equal.name()) => {
                format!("{found} by {by}")
            }
            _ => found,
        }
    }

    fn of(
        table: &TableName,
        tracked: &TrackedTable,
        at: Timestamp,
        stale: Option<Duration>,
    ) -> TableStanding {
        let (copy, load) = (tracked.copy.as_ref(), tracked.load.as_ref());
        let error = copy.and_then(|copy| copy.error.clone());
        let data_as_of = tracked.data_as_of();
        let age =
            data_as_of.map(|then| Duration::try_from(at.duration_since(then)).unwrap_or_default());
        let standing = TableHealth::of(tracked);
        // Of a table that is gone no younger data will come.
        let limit = stale.filter(|_| standing != TableHealth::Gone);
        TableStanding {
            table: table.clone(),
            standing,
            data_as_of,
            age_seconds: age.map(|age| age.as_secs()),
            stale: limit.is_some_and(|limit| age.is_none_or(|age| age > limit)),
            copied_at: copy.and_then(|copy| copy.last_success_at),
            loaded_at: load.and_then(|load| load.last_success_at),
            rows: load.and_then(|load| load.target_rows.or(load.rows)),
            kept_rows: load.and_then(LoadState::kept_rows),
            proof: load.and_then(|load| load.proof.clone()),
            proof_by: load.and_then(|load| load.proof_by),
            proved_at: load.and_then(|load| load.proved_at),
            error: error.or_else(|| load.and_then(|load| load.error.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{CopyId, RunId};
    use handoff_tracking::testing::{copied, loaded};
    use handoff_tracking::{AttemptStatus, CopyState, RecoveryFinding};

    const COPY: &str = "00000000000000a1";

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(seconds).unwrap())
    }

    fn copy(status: AttemptStatus, id: &str) -> CopyState {
        CopyState { status, last_success_at: at(100), ..copied(CopyId::parse(id)) }
    }

    fn load(status: AttemptStatus, id: &str) -> LoadState {
        LoadState {
            status,
            rows: Some(1_001_000),
            data_as_of: at(90),
            last_success_at: at(160),
            ..loaded(CopyId::parse(id))
        }
    }

    fn tracked(copy: CopyState, load: LoadState) -> TrackedTable {
        TrackedTable { copy: Some(copy), load: Some(load) }
    }

    #[test]
    fn tables_that_do_not_stand_well_come_first() {
        use AttemptStatus::{Failed, Running, Success};
        let mut claim = tracked(copy(Success, COPY), load(Failed, COPY));
        claim.load.as_mut().unwrap().error = Some("failed while loading: disk full".to_owned());
        let mut log = tracked(copy(Success, COPY), load(Success, COPY));
        log.load.as_mut().unwrap().proof = Some("same_count".to_owned());
        log.load.as_mut().unwrap().proved_at = at(220);
        let newer = tracked(copy(Success, "00000000000000a2"), load(Success, COPY));
        let states = [
            ("claim", claim),
            ("log", log),
            ("newer", newer),
            ("never", TrackedTable::default()),
            ("under_way", tracked(copy(Running, COPY), load(Success, COPY))),
        ];
        let states = states.map(|(name, state)| (TableName::new(name).unwrap(), state)).into();
        let last_run = LastRun {
            run_id: RunId::new(),
            status: AttemptStatus::NotStarted,
            started_at: at(60),
            finished_at: at(160),
            tables_ok: 3,
            tables_failed: 0,
            tables_not_started: 2,
        };
        let orphan = RecoveryFinding::OrphanShadow { copy_id: CopyId::parse(COPY).unwrap() };
        let known = StatusSnapshot {
            states,
            disagreements: vec![orphan],
            last_run: Some(last_run),
            in_progress: None,
            notes: Vec::new(),
        };
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        let fresh = StatusReport::new(&known, at(7360).unwrap(), hours(3));
        assert_eq!(fresh.stale, 1, "what was never carried");
        let report = StatusReport::new(&known, at(7360).unwrap(), hours(2));
        assert!(!report.ok);
        assert_eq!(report.stale, 5);
        assert_eq!(report.tables[0].age_seconds, Some(7270));
        assert_eq!(
            report.text().lines().collect::<Vec<_>>(),
            [
                "table      status                  data   loaded       rows  proof            proved",
                "claim      failed, stale        2 h ago  2 h ago  1,001,000",
                "under_way  unfinished, stale    2 h ago  2 h ago  1,001,000",
                "newer      to be loaded, stale  2 h ago  2 h ago  1,001,000",
                "never      never moved, stale",
                "log        ok, stale            2 h ago  2 h ago  1,001,000  same count  119 min ago",
                "",
                "claim: failed while loading: disk full",
                "",
                "tracking and databases disagree; the next run corrects this:",
                "  the copy 00000000000000a1 left a table in the replica: it is dropped",
                "",
                "last run 2 h ago: not started; 3 ok, 2 not started",
                "",
                "5 tables: 1 failed, 1 unfinished, 1 to be loaded, 1 never moved, 1 ok; 5 stale; oldest 2 h ago",
            ]
        );
    }
}
