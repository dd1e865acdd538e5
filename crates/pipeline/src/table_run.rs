//! One table's way through both hops.

use crate::gate::Gate;
use crate::prove::Prover;
use crate::servers::Servers;
use crate::{
    CopyReport, Hops, LoadReport, Proof, Prove, Refused, TableContext, TableError, TableReport,
    TableStatus, Verdict, chain,
};
use handoff_connect::{Retry, RetryPolicy, Transient, retry};
use handoff_loader::{LoadJob, LoadMode, LoadOutcome, Loader, Strategies};
use handoff_model::{Cancel, CopyId, Event, Observer, Performance, Phase, TableName};
use handoff_replicator::{CopyJob, CopyOutcome, Replicator, Way};
use handoff_rows::Locking;
use handoff_schema::TargetTable;
use handoff_tracking::{CopyState, LoadState, Outcome, RunLock, SealWork, Status, Tracker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What moves tables in one run.
pub(crate) struct TableRunner {
    pub(crate) hops: Hops,
    pub(crate) prove: Prove,
    pub(crate) replicator: Option<Replicator>,
    pub(crate) loader: Loader,
    pub(crate) strategies: Strategies,
    pub(crate) prover: Prover,
    pub(crate) tracker: Tracker,
    pub(crate) lock: RunLock,
    pub(crate) servers: Servers,
    pub(crate) gate: Gate,
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
        if let Err(error) = self.hops(context, &mut report) {
            self.note_failure(&mut report, &error);
        }
        report.notes.extend(context.mapping.notes.iter().cloned());
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

    fn done(&self, report: TableReport) -> TableReport {
        self.observer.event(&Event::TableFinished {
            table: report.table.clone(),
            status: report.status.label(),
            error: report.error.clone(),
        });
        report
    }

    fn hops(&self, context: &TableContext, report: &mut TableReport) -> Result<(), TableError> {
        let copy = self.replicator.as_ref().filter(|_| self.hops != Hops::Load);
        let loads_copy = match copy {
            Some(replicator) => Some(self.copy_and_compare(replicator, context, report)?),
            None => context.tracked.loadable_copy(),
        };
        if self.hops == Hops::Copy {
            return Ok(());
        }
        if self.hops == Hops::Load && loads_copy.is_none() {
            return Err(TableError::NotCopied(context.name.clone()));
        }
        let outcome = self.phase(context, Phase::Load, || self.load(context, loads_copy))?;
        report.load = Some(load_report(&outcome));
        report.lossy = outcome.audit.clone();
        report.notes.extend(outcome.notes.iter().cloned());
        self.compare_load(context, report, &outcome)
    }

    /// Copies, and compares source and replica where the run is to prove it. A source that is
    /// written to meanwhile is copied once more before the difference is called one.
    fn copy_and_compare(
        &self,
        replicator: &Replicator,
        context: &TableContext,
        report: &mut TableReport,
    ) -> Result<CopyId, TableError> {
        let mut attempt = CopyAttempt { id: context.copy_id, first: true };
        let mut proof = None;
        for _ in 0..2 {
            let outcome =
                self.phase(context, Phase::Copy, || self.copy(replicator, context, &mut attempt))?;
            report.copy = Some(copy_report(&outcome));
            report.notes.clone_from(&outcome.notes);
            if self.prove != Prove::Rows {
                return Ok(attempt.id);
            }
            let compared = self.again(context, || self.prover.compare_copy(replicator, context))?;
            let equal = compared.verdict != Verdict::Differs;
            proof = Some(compared.clone());
            report.proof = Some(compared);
            if equal {
                return Ok(attempt.id);
            }
        }
        let difference = proof.as_ref().map(Proof::difference).unwrap_or_default();
        Err(TableError::Differs(difference))
    }

    fn copy(
        &self,
        replicator: &Replicator,
        context: &TableContext,
        attempt: &mut CopyAttempt,
    ) -> Result<CopyOutcome, TableError> {
        let replica_table = if std::mem::take(&mut attempt.first) {
            context.replica.as_deref()
        } else {
            // An earlier attempt may have got as far as the swap. If the structure changed with
            // it, the old one makes this attempt a swap again, which is right either way.
            attempt.id = CopyId::new();
            let there = replicator.has(&context.name).map_err(TableError::Copy)?;
            let ours = || context.replica.as_deref().unwrap_or(&context.schema);
            there.then(ours)
        };
        let job = CopyJob {
            table: &context.schema,
            copy_id: attempt.id,
            replica_table,
            filter: &context.filter,
        };
        let opened = replicator.open(job).map_err(TableError::Copy)?;
        if opened.way() == Way::Swap {
            self.tracker
                .copy_started(&context.name, attempt.id, None, &context.fingerprint)
                .map_err(TableError::Tracking)?;
        }
        let seal = self.tracker.seal(self.seal_work(context, Some(attempt.id)));
        opened.finish(&seal).map_err(TableError::Copy)
    }

    fn load(
        &self,
        context: &TableContext,
        copy: Option<CopyId>,
    ) -> Result<LoadOutcome, TableError> {
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter: &context.filter,
            mode: LoadMode::Full,
            copy_id: copy,
            locking: self.locking(context),
            target: context.target.as_deref(),
        };
        let strategy = self.strategies.get(context.selected.strategy, context.selected.keep_spool);
        let seal = self.tracker.seal(self.seal_work(context, copy));
        match self.loader.load(&job, &*strategy, &seal) {
            Err(error) if error.is_target_appeared() => {
                let target = self.appeared(context)?.ok_or(TableError::Load(error))?;
                let job = LoadJob { target: Some(&target), ..job };
                self.loader.load(&job, &*strategy, &seal).map_err(TableError::Load)
            }
            done => done.map_err(TableError::Load),
        }
    }

    /// Returns the target table that was not there when the run looked, if it is ours: a first load
    /// arrived, and the answer to its commit was lost. The record of it came with it.
    fn appeared(&self, context: &TableContext) -> Result<Option<TargetTable>, TableError> {
        let states = self.tracker.states().map_err(TableError::Tracking)?;
        let load = states.get(&context.name).and_then(|tracked| tracked.load.as_ref());
        if !load.is_some_and(LoadState::is_ours) {
            return Ok(None);
        }
        let mut catalogue = self.prover.read_target().map_err(TableError::Prove)?;
        Ok(catalogue.tables.remove(&context.mapping.pg_table))
    }

    fn compare_load(
        &self,
        context: &TableContext,
        report: &mut TableReport,
        outcome: &LoadOutcome,
    ) -> Result<(), TableError> {
        if self.prove != Prove::Rows {
            return Ok(());
        }
        let before = report.proof.take();
        let proof =
            self.again(context, || self.prover.compare_load(self.hops, context, outcome, &before))?;
        let difference = (proof.verdict == Verdict::Differs).then(|| proof.difference());
        report.proof = Some(proof);
        difference.map_or(Ok(()), |difference| Err(TableError::Differs(difference)))
    }

    fn seal_work<'a>(&self, context: &'a TableContext, copy: Option<CopyId>) -> SealWork<'a> {
        SealWork {
            table: &context.name,
            copy_id: copy,
            copied_at: context.tracked.copy.as_ref().and_then(CopyState::data_as_of),
            watermark: None,
            fingerprint: &context.fingerprint,
            reason: context.decision.reason,
            extraction: context.decision.extraction,
        }
    }

    /// Records what was compared and ends the run in the tables of state. What arrived has
    /// arrived, so a fault here is only warned of.
    pub(crate) fn finish(&self, reports: &[TableReport], keep_days: u32) {
        let proofs: Vec<_> = reports.iter().filter_map(recorded_proof).collect();
        let done = self
            .tracker
            .proved(&proofs)
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

    fn locking(&self, context: &TableContext) -> Locking {
        if self.replicator.is_some() || self.hops == Hops::Load {
            Locking::Free
        } else if context.schema.engine.is_transactional() {
            Locking::Snapshot
        } else {
            Locking::Ranges
        }
    }

    /// Runs one step, again after a transient fault, and tells the observer.
    fn phase<T: Moved>(
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
    fn again<T>(
        &self,
        context: &TableContext,
        mut step: impl FnMut() -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        let tell = |again: Retry<'_, TableError>| {
            if self.lock.check().is_err() {
                self.lock_lost.store(true, Ordering::SeqCst);
            }
            self.observer.event(&Event::Retrying {
                table: context.name.clone(),
                reason: chain(again.error),
                delay: again.wait,
            });
        };
        retry(&self.retries, &self.cancel, tell, || {
            if self.lock_lost.load(Ordering::SeqCst) {
                return Err(TableError::LockLost);
            }
            step()
        })
    }

    fn note_failure(&self, report: &mut TableReport, error: &TableError) {
        let stopped = self.cancel.is_cancelled() && !matches!(error, TableError::Differs(_));
        let cancelled = error.is_cancelled() || stopped;
        report.status = if cancelled { TableStatus::Cancelled } else { TableStatus::Failed };
        let text = chain(error);
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

/// The identity of one attempt at hop 1.
struct CopyAttempt {
    id: CopyId,
    first: bool,
}

/// The figures of a step that the observer is told.
trait Moved {
    /// Rows, bytes and duration.
    fn figures(&self) -> (u64, u64, Duration);
}

impl Moved for CopyOutcome {
    fn figures(&self) -> (u64, u64, Duration) {
        (self.rows, self.bytes, self.duration)
    }
}

impl Moved for LoadOutcome {
    fn figures(&self) -> (u64, u64, Duration) {
        (self.rows_loaded, self.bytes, self.duration)
    }
}

impl Transient for TableError {
    fn is_transient(&self) -> bool {
        match self {
            TableError::Copy(error) | TableError::ProveCopy(error) => error.is_transient(),
            TableError::Load(error) => error.is_transient(),
            TableError::Prove(fault) => fault.is_transient(),
            TableError::Tracking(error) => error.is_transient(),
            _ => false,
        }
    }
}

fn not_started(reports: &[TableReport]) -> Vec<(&TableName, &str)> {
    let waiting = reports.iter().map(|report| (&report.table, &report.not_started_because));
    waiting.filter_map(|(table, reason)| Some((table, reason.as_deref()?))).collect()
}

fn recorded_proof(report: &TableReport) -> Option<(TableName, handoff_tracking::Proof)> {
    let proof = report.proof.as_ref()?;
    let outcome = match proof.verdict {
        Verdict::Equal => Outcome::Equal,
        Verdict::SameCount => Outcome::SameCount,
        Verdict::Differs => Outcome::Differs,
    };
    let proof = handoff_tracking::Proof {
        outcome,
        at: proof.at,
        source_rows: proof.source_rows,
        replica_rows: proof.replica_rows,
        target_rows: proof.target_rows,
        source_mark: None,
    };
    Some((report.table.clone(), proof))
}

fn copy_report(outcome: &CopyOutcome) -> CopyReport {
    let CopyOutcome { rows, bytes, duration, waits, .. } = outcome;
    CopyReport {
        rows_copied: outcome.rows,
        bytes: outcome.bytes,
        strategy_used: outcome.strategy,
        duration_ms: millis(outcome.duration),
        performance: Performance::new(*rows, *bytes, *duration, waits),
        watermark: None,
    }
}

fn load_report(outcome: &LoadOutcome) -> LoadReport {
    let LoadOutcome { rows_loaded, bytes, duration, waits, .. } = outcome;
    LoadReport {
        rows_loaded: outcome.rows_loaded,
        rows_inserted: outcome.rows_inserted,
        rows_updated: outcome.rows_updated,
        rows_deleted: outcome.rows_deleted,
        bytes: outcome.bytes,
        strategy_used: outcome.strategy,
        duration_ms: millis(outcome.duration),
        performance: Performance::new(*rows_loaded, *bytes, *duration, waits),
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
