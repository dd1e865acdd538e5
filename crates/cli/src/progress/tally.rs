//! The progress of a run.

use super::notices::was_stopped;
use crate::human::{count, counted, duration, per_second};
use handoff_model::{RunEvent, TableName, TablePhase};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Counts what the events of a run say. Proving moves no rows and is not counted as work.
#[derive(Debug)]
pub(super) struct RunTally {
    /// The number of times that each row is moved.
    hops: u8,
    started: Instant,
    tables: usize,
    rows: u64,
    done: usize,
    failed: usize,
    moved: u64,
    running: HashMap<TableName, TableStep>,
}

/// The progress of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableStep {
    pub(super) phase: TablePhase,
    pub(super) started: Instant,
    pub(super) moved: u64,
    pub(super) expected: Option<u64>,
}

impl RunTally {
    pub(super) fn new(hops: u8) -> RunTally {
        RunTally {
            hops,
            started: Instant::now(),
            tables: 0,
            rows: 0,
            done: 0,
            failed: 0,
            moved: 0,
            running: HashMap::new(),
        }
    }

    /// Takes in one event.
    pub(super) fn note(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted { tables, rows, .. } => {
                (self.tables, self.rows, self.started) = (*tables, *rows, Instant::now());
            }
            RunEvent::PhaseStarted { table, phase, rows } => {
                let started = Instant::now();
                let step = TableStep { phase: *phase, started, moved: 0, expected: *rows };
                self.running.insert(table.clone(), step);
            }
            RunEvent::Progress { table, phase, rows, .. }
            | RunEvent::PhaseFinished { table, phase, rows, .. } => {
                self.moved_to(table, *phase, *rows);
            }
            RunEvent::TableFinished { table, status, error } => {
                self.running.remove(table);
                self.done += 1;
                self.failed += usize::from(error.is_some() && !was_stopped(status));
            }
            _ => {}
        }
    }

    fn moved_to(&mut self, table: &TableName, phase: TablePhase, rows: u64) {
        let Some(step) = self.running.get_mut(table) else { return };
        let more = rows.saturating_sub(step.moved);
        step.moved = rows;
        if phase != TablePhase::Prove {
            self.moved += more;
        }
    }

    /// Rows moved so far, counted once a hop.
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// Rows to move, counted once a hop; an estimate, never below what was moved.
    pub(super) fn expected(&self) -> u64 {
        self.rows.saturating_mul(self.hops.into()).max(self.moved)
    }

    /// `12 of 446 tables, 1 failed`.
    pub(super) fn tables(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{} of {}{failed}", self.done, counted(self.tables as u64, "table"))
    }

    /// One line for a log.
    pub(super) fn line(&self) -> String {
        let elapsed = self.started.elapsed();
        let rate = count(per_second(self.moved, elapsed));
        let share = self.share();
        let left = self
            .left(elapsed)
            .map_or_else(String::new, |left| format!(", about {} left", duration(left)));
        let running = self.running_tables();
        format!("{}, {share} % of the rows, {rate} rows/s{left}{running}", self.tables())
    }

    fn share(&self) -> u64 {
        (self.moved.saturating_mul(100)).checked_div(self.expected()).unwrap_or(100).min(100)
    }

    /// Returns the time left, if enough is known to say.
    pub(super) fn left(&self, elapsed: Duration) -> Option<Duration> {
        let known = elapsed >= Duration::from_secs(3) && (1..self.expected()).contains(&self.moved);
        let rate = per_second(self.moved, elapsed).max(1);
        known.then(|| Duration::from_secs((self.expected() - self.moved).div_ceil(rate)))
    }

    fn running_tables(&self) -> String {
        let mut steps = self.running.iter().collect::<Vec<_>>();
        steps.sort_by(|a, b| a.0.cmp(b.0));
        if steps.is_empty() {
            return String::new();
        }
        let texts: Vec<String> =
            steps.into_iter().map(|(table, step)| format!("{table} {}", step.text())).collect();
        format!("; {}", texts.join(", "))
    }

    /// Returns where a running table stands.
    pub(super) fn step(&self, table: &TableName) -> Option<TableStep> {
        self.running.get(table).copied()
    }
}

impl TableStep {
    /// Returns the phase, and the share that is done.
    fn text(&self) -> String {
        let share = self
            .expected
            .filter(|expected| *expected > 0)
            .map(|expected| (self.moved.saturating_mul(100) / expected).min(100))
            .map_or_else(String::new, |share| format!(" {share} %"));
        format!("{}{share}", self.phase.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::RunId;

    #[test]
    fn rows_are_counted_once_a_hop_and_proving_is_no_work() {
        let table = TableName::new("procedurelog").unwrap();
        let mut tally = RunTally::new(2);
        tally.note(&RunEvent::RunStarted { run: RunId::new(), tables: 2, rows: 1000 });
        for (phase, rows) in
            [(TablePhase::Copy, 800), (TablePhase::Load, 300), (TablePhase::Prove, 300)]
        {
            tally.note(&RunEvent::PhaseStarted { table: table.clone(), phase, rows: Some(900) });
            for rows in [rows / 2, rows] {
                let table = table.clone();
                tally.note(&RunEvent::Progress { table, phase, rows, bytes: 0 });
            }
        }
        assert_eq!((tally.moved(), tally.expected()), (1100, 2000));
        assert_eq!(tally.left(Duration::from_secs(11)), Some(Duration::from_secs(9)));
        assert_eq!(tally.left(Duration::from_secs(1)), None);
        assert!(tally.line().ends_with("; procedurelog prove 33 %"), "{}", tally.line());
        let error = Some("out of room".to_owned());
        for status in ["failed", "cancelled"] {
            let (table, error) = (table.clone(), error.clone());
            tally.note(&RunEvent::TableFinished { table, status, error });
        }
        assert!(tally.line().starts_with("2 of 2 tables, 1 failed, 55 % of the rows, "));
    }
}
