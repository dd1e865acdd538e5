//! Hop 2 of a table.

use crate::copying::Copied;
use crate::figures::load_report;
use crate::probe::Probe;
use crate::table_run::TableRunner;
use crate::work::Work;
use crate::{Hops, Proof, TableContext, TableError, TableReport, Verdict};
use handoff_loader::{LoadJob, LoadMode, LoadOutcome, LoadStrategy, Replay};
use handoff_model::{CopyId, Phase, ProofBy, Reason, RowFilter, TableSum};
use handoff_rows::{KeyList, Locking};
use handoff_schema::TargetTable;
use handoff_tracking::{LoadState, SealWork, WatermarkAt};
use std::path::Path;

/// What a name in the target that turned out to be taken belongs to.
enum SecondLook {
    /// A table of ours: a first load arrived, and the answer to its commit was lost. The record of it came with it.
    Ours(Box<TargetTable>),
    /// Nothing any more: the type of another new table's arrays has moved out of the way.
    Free,
    /// Somebody else's table, or none.
    Taken,
}

impl TableRunner {
    pub(crate) fn load(
        &self,
        work: &Work<'_>,
        (filter, mode): (&RowFilter, LoadMode),
        copied: &Copied,
    ) -> Result<LoadOutcome, TableError> {
        let context = work.context;
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter,
            mode,
            copy_id: Some(copied.id),
            locking: self.locking(work),
            target: context.target.as_deref(),
        };
        let selected = context.selected.of(mode);
        let strategy = self.strategies.get(selected.strategy, selected.keep_spool);
        let seal = self.seal_work(work, Some(copied.id), copied.marks.as_deref());
        self.load_by(&*strategy, job, seal, work)
    }

    /// Brings the rows of `keys` into line.
    pub(crate) fn load_keys(
        &self,
        work: &Work<'_>,
        keys: &KeyList,
        (copy_id, marks): (CopyId, Option<&[WatermarkAt]>),
    ) -> Result<LoadOutcome, TableError> {
        let context = work.context;
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Incremental,
            copy_id: Some(copy_id),
            locking: self.locking(work),
            target: context.target.as_deref(),
        };
        let mut seal = self.tracker.seal(self.seal_work(work, Some(copy_id), marks));
        if self.servers.replica.is_none() {
            seal = seal.since(work.began);
        }
        self.loader.load_keys(&job, keys, &seal).map_err(TableError::Load)
    }

    /// Loads everything from a file that an earlier load kept. It is of no copy that is known, nor is
    /// its age, so nothing is recorded that a later run could take for up to date.
    pub(crate) fn replay(
        &self,
        context: &TableContext,
        file: &Path,
        report: &mut TableReport,
    ) -> Result<(), TableError> {
        let work = Work::planned(context).in_full(Reason::Asked);
        report.plan = Some(work.report());
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: None,
            locking: Locking::Free,
            target: context.target.as_deref(),
        };
        let strategy = Replay { file: file.to_owned() };
        let seal =
            SealWork { copied_at: None, copied_from: None, ..self.seal_work(&work, None, None) };
        let load = || self.load_by(&strategy, job, seal, &work);
        let outcome = self.phase(context, Phase::Load, load)?;
        report.notes.extend(outcome.notes.iter().cloned());
        report.load = Some(load_report(&outcome));
        if self.prove != ProofBy::Rows {
            let target_rows = Some(outcome.rows_loaded);
            report.proof = Some(Proof { target_rows, ..Proof::nothing() });
            return Ok(());
        }
        // The replica is what the target is to equal, not the file.
        let read = self.read_again(&work)?;
        self.compare_sums(&work, report, read)
    }

    /// Loads, and once more where the target turns out to have the table.
    fn load_by(
        &self,
        strategy: &dyn LoadStrategy,
        job: LoadJob<'_>,
        seal: SealWork<'_>,
        work: &Work<'_>,
    ) -> Result<LoadOutcome, TableError> {
        let seal = self.tracker.seal(seal);
        match self.loader.load(&job, strategy, &seal) {
            Err(error) if error.is_target_appeared() => {
                let there = match self.look_again(work)? {
                    SecondLook::Ours(there) => Some(there),
                    SecondLook::Free => None,
                    SecondLook::Taken => return Err(TableError::Load(error)),
                };
                let job = LoadJob { target: there.as_deref(), ..job };
                self.loader.load(&job, strategy, &seal).map_err(TableError::Load)
            }
            done => done.map_err(TableError::Load),
        }
    }

    /// Looks once more at a name that turned out to be taken.
    fn look_again(&self, work: &Work<'_>) -> Result<SecondLook, TableError> {
        let name = &work.context.mapping.pg_table;
        let mut catalogue = self.prover.read_target().map_err(TableError::Prove)?;
        let Some(there) = catalogue.tables.remove(name) else {
            let is_free = !catalogue.names.contains_key(name);
            return Ok(if is_free { SecondLook::Free } else { SecondLook::Taken });
        };
        let states = self.tracker.states().map_err(TableError::Tracking)?;
        let load = states.get(&work.context.name).and_then(|tracked| tracked.load.as_ref());
        let is_ours = load.is_some_and(LoadState::is_ours);
        Ok(if is_ours { SecondLook::Ours(Box::new(there)) } else { SecondLook::Taken })
    }

    /// Compares what was read with what is in the target, row by row.
    pub(crate) fn compare_load(
        &self,
        work: &Work<'_>,
        report: &mut TableReport,
        outcome: Option<&LoadOutcome>,
    ) -> Result<(), TableError> {
        if self.prove != ProofBy::Rows {
            return Ok(());
        }
        if work.keeps_deleted() {
            return self.compare_but_kept(work, report);
        }
        // Only a load of everything has read everything.
        let everything = outcome.filter(|_| work.loads_everything());
        let read = everything.map_or_else(|| self.read_again(work), |outcome| Ok(outcome.sum))?;
        self.compare_sums(work, report, read)
    }

    /// Sums the rows of the database that hop 2 reads.
    fn read_again(&self, work: &Work<'_>) -> Result<TableSum, TableError> {
        let (context, locking) = (work.context, self.locking(work));
        self.again(context, || self.prover.read_sum(&self.loader, context, locking))
    }

    fn compare_sums(
        &self,
        work: &Work<'_>,
        report: &mut TableReport,
        read: TableSum,
    ) -> Result<(), TableError> {
        let before = report.proof.take();
        let compare = || self.prover.compare_load(self.hops, work.context, read, &before);
        let proof = self.again(work.context, compare)?;
        let difference = (proof.verdict == Verdict::Differs).then(|| proof.difference());
        report.proof = Some(proof);
        difference.map_or(Ok(()), |difference| Err(TableError::Differs(difference)))
    }

    /// Counts the rows of the target after an incremental load, and compares them with those of the
    /// database it was loaded from.
    pub(crate) fn count_load(
        &self,
        work: &Work<'_>,
        probe: &Probe,
        report: &mut TableReport,
    ) -> Result<(), TableError> {
        let context = work.context;
        let target = self.again(context, || self.prover.count_target(context))?;
        let mut proof = report.proof.take().unwrap_or_else(Proof::nothing);
        proof.counted = true;
        proof.target_rows = Some(target);
        let equal = match proof.replica_rows {
            Some(replica) => replica == target,
            None => {
                let source = self.again(context, || self.prover.count(context))?;
                proof.source_rows = Some(source);
                self.is_explained(work, probe, source, target)?
            }
        };
        if !equal {
            proof.verdict = Verdict::Differs;
        }
        let difference = proof.difference();
        report.proof = Some(proof);
        if equal { Ok(()) } else { Err(TableError::Miscounted(difference)) }
    }

    fn locking(&self, work: &Work<'_>) -> Locking {
        if self.replicator.is_some() || self.hops == Hops::Load {
            Locking::Free
        } else if work.context.schema.engine.is_transactional() {
            Locking::Snapshot
        } else {
            Locking::Ranges
        }
    }
}
