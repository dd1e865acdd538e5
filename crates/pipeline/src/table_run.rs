//! One table's way through both hops.

use crate::copying::Copied;
use crate::diff::{DeleteLimits, Guard};
use crate::figures::{Moved, recorded_proof};
use crate::gate::Gate;
use crate::kept::kept_note;
use crate::probe::{Asker, Probe};
use crate::prove::Prover;
use crate::publish::{Progress, Recovery, after_error};
use crate::servers::Servers;
use crate::table::{Evidence, ProofRule, SideRows};
use crate::work::Work;
use crate::{Hops, PlanReport, Refused, TableContext, TableError, TableReport, TableStatus, chain};
use handoff_connect::{Fault, Retry, RetryPolicy, Transient, retry};
use handoff_loader::{Loader, Strategies};
use handoff_model::{Cancel, Event, Observer, Phase, ProofBy, Reason, SumBy, TableName, Throttle};
use handoff_replicator::Replicator;
use handoff_settings::Values;
use handoff_tracking::{RunLock, Status, Tracker};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What moves tables in one run.
pub(crate) struct TableRunner {
    pub(crate) hops: Hops,
    pub(crate) prove: ProofBy,
    /// Who sums the rows of source and replica when they are compared.
    pub(crate) sums: SumBy,
    pub(crate) replicator: Option<Replicator>,
    pub(crate) loader: Loader,
    pub(crate) strategies: Strategies,
    /// The file to load from in the place of the replica.
    pub(crate) from_spool: Option<PathBuf>,
    pub(crate) prover: Prover,
    /// How many rows may be deleted.
    pub(crate) limits: DeleteLimits,
    /// What to do with values that PostgreSQL cannot hold.
    pub(crate) values: Values,
    /// The bound on the rows that are read from the source in a second.
    pub(crate) throttle: Option<Throttle>,
    pub(crate) tracker: Tracker,
    pub(crate) lock: RunLock,
    pub(crate) servers: Servers,
    pub(crate) gate: Gate,
    /// Rows of a slice.
    pub(crate) chunk_rows: u64,
    /// Set once the lock was lost: nothing is begun any more.
    pub(crate) lock_lost: AtomicBool,
    pub(crate) retries: RetryPolicy,
    pub(crate) cancel: Cancel,
    pub(crate) observer: Arc<dyn Observer>,
}

impl TableRunner {
    /// Moves one table. Whatever happens is in the report.
    pub(crate) fn run(&self, context: &TableContext) -> TableReport {
        let mut report = TableReport::begun(context.name.clone(), Some(context.report()));
        let done = match &self.from_spool {
            Some(file) => {
                let mut progress = Progress::default();
                let done = self.replay(context, file, &mut progress);
                let rule = ProofRule { by: self.prove, retains: false };
                progress.tell(rule, &mut report);
                done
            }
            None => self.hops(context, &mut report),
        };
        if let Err(error) = done {
            self.note_failure(&mut report, &error);
        }
        report.notes.extend(context.mapping.notes.iter().cloned());
        report.notes.extend(context.window.iter().flat_map(|window| window.notes()));
        self.done(report)
    }

    /// Reports a planned table that failed outside its way.
    pub(crate) fn failed(&self, context: &TableContext, error: &TableError) -> TableReport {
        let mut report = TableReport::begun(context.name.clone(), Some(context.report()));
        self.note_failure(&mut report, error);
        self.done(report)
    }

    /// Reports a table that could not be planned.
    pub(crate) fn refuse(&self, refused: &Refused) -> TableReport {
        let mut report = TableReport::begun(refused.table.clone(), None);
        self.note_failure(&mut report, &refused.error);
        self.done(report)
    }

    pub(crate) fn done(&self, report: TableReport) -> TableReport {
        self.observer.event(&Event::TableFinished {
            table: report.table.clone(),
            status: report.status.label(),
            error: report.error.clone(),
        });
        report
    }

    /// Moves the table as planned, once more where rows went meanwhile, and in full where that turns
    /// out not to do. What an attempt that failed has found is told of the last one only.
    fn hops(&self, context: &TableContext, report: &mut TableReport) -> Result<(), TableError> {
        let mut work = Work::planned(context);
        loop {
            report.plan = Some(work.report());
            let mut progress = Progress::default();
            let done = self.attempt(&work, &mut progress);
            let recovery = done.as_ref().err().map(|error| after_error(error, &work));
            work = match (recovery, &done) {
                (Some(Recovery::Again), _) => work.again(),
                (Some(Recovery::InFull(reason)), Err(error)) => {
                    let text = format!("moved in full after all: {}", chain(error));
                    let table = Some(context.name.clone());
                    self.observer.event(&Event::Notice { table, text });
                    work.in_full(reason)
                }
                (recovery, _) => {
                    if recovery == Some(Recovery::FailAndKeep) {
                        progress.notes.push(kept_note(&context.name));
                    }
                    progress.tell(self.rule(&work), report);
                    return done;
                }
            };
        }
    }

    /// Makes one attempt: everything of it is published at once in each database.
    pub(crate) fn attempt(
        &self,
        work: &Work<'_>,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        if work.reason == Reason::Unchanged {
            return Ok(());
        }
        if work.is_compared() {
            return self.diff(work, progress);
        }
        if work.reason == Reason::Configured && self.is_still_empty(work, progress)? {
            return Ok(());
        }
        let probe = self.probe(work)?;
        if let Some(probe) = &probe
            && self.is_still(work, probe, progress)?
        {
            return Ok(());
        }
        let probe = probe.as_ref();
        let copied = self.copy_hop(work, probe, progress)?;
        if self.hops == Hops::Copy {
            self.prove_copy(copied.moved, progress);
            return Ok(());
        }
        self.load_hop(work, probe, &copied, progress)
    }

    /// Returns the limit on what a move of a table may delete. Who asked for the rows of another source has
    /// asked for those that are there to go.
    pub(crate) fn guard_of(&self, context: &TableContext) -> Guard {
        match context.decision.reason {
            Reason::NewSource => Guard { percent: 100, ..self.limits.guard(None) },
            _ => self.limits.guard(context.max_delete_percent),
        }
    }

    /// Returns the copy in the replica, where hop 2 alone is made.
    pub(crate) fn loadable(&self, context: &TableContext) -> Result<Copied, TableError> {
        let tracked = &context.tracked;
        let id = tracked.loadable_copy();
        let id = id.ok_or_else(|| TableError::NotCopied(context.name.clone()))?;
        let marks = tracked.copy.as_ref().and_then(|copy| copy.watermark.clone());
        Ok(Copied { id, marks, moved: None })
    }

    /// Asks the source, for a table with a window, how far it has come.
    fn probe(&self, work: &Work<'_>) -> Result<Option<Probe>, TableError> {
        let window = work.context.window.as_ref();
        let window = window.filter(|_| self.hops != Hops::Load && work.copies());
        let ask = |window| {
            let probe = || self.asker().probe(work.context, window, work.filter);
            self.again(work.context, probe)
        };
        window.map(|window| ask(window)).transpose()
    }

    /// Returns true, and says so in the report, if no row of the window is there to be moved and
    /// the source has as many rows as were counted everywhere when the table was last loaded.
    fn is_still(
        &self,
        work: &Work<'_>,
        probe: &Probe,
        progress: &mut Progress,
    ) -> Result<bool, TableError> {
        let tracked = &work.context.tracked;
        let (Some(copy), Some(load)) = (&tracked.copy, &tracked.load) else { return Ok(false) };
        let counted = [load.source_rows, load.replica_rows, load.target_rows];
        // Rows that are gone and stay are counted everywhere but in the source.
        let kept = work.keeps_deleted();
        let still = self.hops == Hops::Both
            && self.prove != ProofBy::Rows
            && work.is_incremental()
            && !work.sweeps()
            && probe.changed == Some(0)
            && !tracked.last_attempt_failed()
            && copy.copy_id == load.loaded_copy_id
            && load.source_rows == Some(probe.rows)
            && load.target_rows.is_some()
            && counted.into_iter().flatten().all(|rows| kept || rows == probe.rows)
            && !self.replica_has_changes(work)?;
        if still {
            let rows = SideRows {
                source: Some(probe.rows),
                replica: load.replica_rows,
                target: load.target_rows,
            };
            unchanged(work, progress, rows);
            self.note_kept(work, progress);
        }
        Ok(still)
    }

    /// Returns true if the replica has a row of the window, of which the source has none any more.
    fn replica_has_changes(&self, work: &Work<'_>) -> Result<bool, TableError> {
        let asked = self.prove == ProofBy::Sums && !work.keeps_deleted();
        let replica = self.servers.replica.as_ref().filter(|_| asked);
        let Some(pool) = replica else { return Ok(false) };
        let asker = Asker { pool, cancel: &self.cancel };
        let count = || asker.count(&work.context.schema, work.filter);
        Ok(self.again(work.context, count)? > 0)
    }

    /// Returns true, and says so in the report, if the table was empty when it was last moved and is
    /// empty in all databases now.
    fn is_still_empty(&self, work: &Work<'_>, progress: &mut Progress) -> Result<bool, TableError> {
        let context = work.context;
        let asks = self.hops == Hops::Both && self.prove != ProofBy::Rows && context.was_empty();
        if !asks || !self.again(context, || self.is_empty(context))? {
            return Ok(false);
        }
        let replica = self.servers.replica.as_ref().map(|_| 0);
        unchanged(work, progress, SideRows { source: Some(0), replica, target: Some(0) });
        Ok(true)
    }

    /// Returns true if no database has a row of the table. The source is asked first, since it is
    /// the one that others write to.
    fn is_empty(&self, context: &TableContext) -> Result<bool, TableError> {
        let Servers { source, replica, .. } = &self.servers;
        for pool in [source, replica].into_iter().flatten() {
            let asker = Asker { pool, cancel: &self.cancel };
            if asker.has_rows(&context.schema)? {
                return Ok(false);
            }
        }
        Ok(!self.prover.target_has_rows(context)?)
    }

    /// Returns who asks the database that the run reads first.
    pub(crate) fn asker(&self) -> Asker<'_> {
        Asker { pool: self.servers.origin(), cancel: &self.cancel }
    }

    /// Records what was compared and ends the run in the tables of state. What arrived has
    /// arrived, so a fault here is only warned of.
    pub(crate) fn finish(&self, reports: &[TableReport], looked_at: Timestamp, keep_days: u32) {
        let proofs: Vec<_> = reports.iter().filter_map(recorded_proof).collect();
        let same = reports
            .iter()
            .filter(|report| report.status == TableStatus::Ok && report.is_unchanged())
            .filter_map(|report| Some((&report.table, report.plan.as_ref()?.extraction)));
        let same: Vec<_> = same.filter(|_| self.hops == Hops::Both).collect();
        let done = self
            .tracker
            .proved(&proofs)
            .and_then(|()| self.tracker.unchanged(&same, looked_at))
            .and_then(|()| self.tracker.not_started(&not_started(reports)))
            .and_then(|()| self.tracker.finish(self.run_status(reports)))
            .and_then(|()| self.tracker.prune(keep_days));
        if let Err(error) = done {
            log::warn!("the end of the run could not be recorded: {}", chain(&error));
        }
    }

    fn run_status(&self, reports: &[TableReport]) -> Status {
        let any = |status| reports.iter().any(|report| report.status == status);
        if any(TableStatus::Failed) {
            Status::Failed
        } else if any(TableStatus::Cancelled) || self.cancel.is_cancelled() {
            Status::Cancelled
        } else if any(TableStatus::NotStarted) {
            Status::NotStarted
        } else {
            Status::Success
        }
    }

    /// Runs one step, again after a transient fault, and tells the observer.
    pub(crate) fn phase<T: Moved>(
        &self,
        context: &TableContext,
        phase: Phase,
        step: impl FnMut() -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        self.cancel.check()?;
        self.observer.event(&Event::PhaseStarted {
            table: context.name.clone(),
            phase,
            rows: Some(context.schema.rows),
        });
        let moved = self.again(context, step)?;
        let (rows, bytes, duration) = moved.figures();
        let table = context.name.clone();
        self.observer.event(&Event::PhaseFinished { table, phase, rows, bytes, duration });
        Ok(moved)
    }

    /// Runs a step, again after a transient fault. A fault may have cost the lock of the run.
    pub(crate) fn again<T>(
        &self,
        context: &TableContext,
        mut step: impl FnMut() -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        let tell = |again: Retry<'_, TableError>| {
            // Whether it can be had again is looked at before the next attempt.
            let _ = self.note_lock(self.lock.check());
            self.observer.event(&Event::Retrying {
                table: context.name.clone(),
                reason: chain(again.error),
                delay: again.wait,
            });
        };
        retry(&self.retries, &self.cancel, tell, || {
            self.note_lock(self.lock.demand())?;
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

    pub(crate) fn note_failure(&self, report: &mut TableReport, error: &TableError) {
        // Whoever ends a statement of ours by hand does not stop the run.
        let cancelled = self.cancel.is_cancelled()
            && !matches!(error, TableError::Differs(_) | TableError::Miscounted(_));
        report.status = if cancelled { TableStatus::Cancelled } else { TableStatus::Failed };
        let stopped = self.cancel.reason().filter(|_| cancelled);
        let text = stopped.map_or_else(|| chain(error), str::to_owned);
        let status = if cancelled { Status::Cancelled } else { Status::Failed };
        let recorded = self.tracker.failed(&report.table, error.phase(), status, &text);
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
        if let Some(fault) = lost.and_then(|fault| self.servers.gone(fault.side())) {
            self.gate.close(format!("a server is gone: {fault}"));
        }
    }
}

/// Says that a table was left alone, and how many rows source, replica and target have.
fn unchanged(work: &Work<'_>, progress: &mut Progress, rows: SideRows) {
    progress.plan = Some(PlanReport { reason: Reason::Unchanged, ..work.report() });
    progress.evidence = Evidence::of_counts(rows);
}

impl Transient for TableError {
    fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }
}

fn not_started(reports: &[TableReport]) -> Vec<(&TableName, &str)> {
    let waiting = reports.iter().map(|report| (&report.table, &report.not_started_because));
    waiting.filter_map(|(table, reason)| Some((table, reason.as_deref()?))).collect()
}
