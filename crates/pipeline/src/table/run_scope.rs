//! The things that all tables of a run have in common.

use super::delete_limit::{DeleteLimit, DeleteLimits};
use super::roles::{RunRecords, TableMovers, TableQuestions};
use super::steps::Stages;
use crate::error::TableError;
use crate::gate::Gate;
use crate::report::{TableReport, TableStatus};
use handoff_connect::{Fault, RetryNotice, RetryPolicy, TransientError, retry};
use handoff_model::{CancelToken, Observer, Reason, RunEvent, TableName, chain};
use handoff_plan::{RefusedTable, TablePlan};
use handoff_tracking::AttemptStatus;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The things that all tables of a run have in common.
pub(crate) struct RunScope<'a> {
    pub(crate) stages: Stages,
    /// Rows of a slice.
    pub(crate) chunk_rows: u64,
    /// The limits on the rows that may be deleted.
    pub(crate) limits: DeleteLimits,
    /// The file to load from in the place of the replica.
    pub(crate) spool: Option<PathBuf>,
    pub(crate) questions: &'a dyn TableQuestions,
    pub(crate) movers: &'a dyn TableMovers,
    pub(crate) records: &'a dyn RunRecords,
    pub(crate) gate: &'a Gate,
    /// Set once the lock was lost: nothing is begun any more.
    pub(crate) lock_lost: AtomicBool,
    pub(crate) retries: RetryPolicy,
    /// The retries that were made.
    pub(crate) retried: RetryCounts,
    pub(crate) cancel: CancelToken,
    pub(crate) observer: Arc<dyn Observer>,
}

impl RunScope<'_> {
    /// Returns the limit on the rows that a move of a table may delete. A move of another source's rows may
    /// delete all that are there.
    pub(crate) fn delete_limit(&self, plan: &TablePlan) -> DeleteLimit {
        match plan.decision.reason {
            Reason::NewSource => DeleteLimit { percent: 100, ..self.limits.of_table(None) },
            _ => self.limits.of_table(plan.max_delete_percent),
        }
    }

    /// Makes a step, again after a transient fault. A fault may have cost the lock of the run.
    pub(crate) fn patiently<T>(
        &self,
        plan: &TablePlan,
        mut step: impl FnMut() -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        let tell = |again: RetryNotice<'_, TableError>| {
            // Whether it can be had again is looked at before the next attempt.
            let _ = self.note_lock(self.records.check_lock());
            self.retried.note(&plan.name);
            self.observer.event(&RunEvent::Retrying {
                table: plan.name.clone(),
                reason: chain(again.error),
                delay: again.wait,
            });
        };
        retry(&self.retries, &self.cancel, tell, || {
            self.note_lock(self.records.demand_lock())?;
            step()
        })
    }

    /// Notes whether the lock of the run is lost for good.
    fn note_lock(&self, asked: Result<(), Fault>) -> Result<(), TableError> {
        match asked {
            _ if self.lock_lost.load(Ordering::SeqCst) => Err(TableError::LockLost),
            Ok(()) => Ok(()),
            Err(fault) if fault.is_transient() => Err(TableError::Relock(fault)),
            Err(_) => {
                self.lock_lost.store(true, Ordering::SeqCst);
                Err(TableError::LockLost)
            }
        }
    }

    /// Reports a planned table that failed outside its way.
    pub(crate) fn failed(&self, plan: &TablePlan, error: &TableError) -> TableReport {
        let mut report = TableReport::begun(plan.name.clone(), Some(plan.report()));
        self.note_failure(&mut report, error);
        self.done(report)
    }

    /// Reports a table that could not be planned.
    pub(crate) fn refuse(&self, refused: &RefusedTable) -> TableReport {
        let mut report = TableReport::begun(refused.table.clone(), None);
        self.note_failure(&mut report, &refused.error.clone().into());
        self.done(report)
    }

    /// Tells the observer of a table that has ended.
    pub(crate) fn done(&self, ended: TableReport) -> TableReport {
        let report = TableReport { retries: self.retried.of(&ended.table), ..ended };
        self.observer.event(&RunEvent::TableFinished {
            table: report.table.clone(),
            status: report.status.label(),
            error: report.error.clone(),
        });
        report
    }

    /// Makes a report that of a table which failed, or was stopped, and records it.
    pub(crate) fn note_failure(&self, report: &mut TableReport, error: &TableError) {
        // Whoever ends a statement of ours by hand does not stop the run.
        let cancelled = self.cancel.is_cancelled()
            && !matches!(error, TableError::Differs(_) | TableError::Miscounted(_));
        report.status = if cancelled { TableStatus::Cancelled } else { TableStatus::Failed };
        let stopped = self.cancel.reason().filter(|_| cancelled);
        let text = stopped.map_or_else(|| chain(error), str::to_owned);
        let status = if cancelled { AttemptStatus::Cancelled } else { AttemptStatus::Failed };
        let recorded = self.records.failed(&report.table, error.phase(), status, &text);
        if let Err(fault) = recorded {
            log::warn!("`{}`: the failure could not be recorded: {}", report.table, chain(&fault));
        }
        report.error = Some(text);
        self.end_run_if_in_vain(error);
    }

    /// Lets no further table start if it would meet the same fault: the lock is lost, or a server
    /// cannot be reached any more. A connection that was cut for one table alone ends nothing.
    fn end_run_if_in_vain(&self, error: &TableError) {
        if matches!(error, TableError::LockLost) {
            self.gate.close(error.to_string());
        }
        let lost = error.fault().filter(|fault| fault.is_disconnect());
        if let Some(fault) = lost.and_then(|fault| self.questions.unreachable(fault.side())) {
            self.gate.close(format!("a server is gone: {fault}"));
        }
    }
}

/// The number of retries of each table that had one.
#[derive(Default)]
pub(crate) struct RetryCounts(Mutex<BTreeMap<TableName, u32>>);

impl RetryCounts {
    fn note(&self, table: &TableName) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(table.clone()).or_default() += 1;
    }

    fn of(&self, table: &TableName) -> u32 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(table).copied().unwrap_or(0)
    }
}

impl TransientError for TableError {
    fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }
}
