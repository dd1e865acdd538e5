//! Hop 2 of a table.

use crate::copying::{Copied, window_rows};
use crate::diff::Between;
use crate::figures::add;
use crate::probe::Probe;
use crate::publish::{Counting, LoadChecks, Progress, ReadRows, Relay};
use crate::sweep::Sweep;
use crate::table::{Evidence, SideRows};
use crate::table_run::TableRunner;
use crate::work::Work;
use crate::{Hops, TableContext, TableError};
use handoff_connect::{Seal, Side};
use handoff_loader::{LoadJob, LoadMode, LoadOutcome, LoadStrategy, Replay};
use handoff_model::{Phase, ProofBy, Reason, RowFilter, TableSum};
use handoff_rows::{KeyList, Locking};
use handoff_schema::TargetTable;
use handoff_tracking::{LoadState, SealWork};
use postgres::Transaction;
use std::path::Path;

/// What hop 2 loads in one publication, beside the window.
#[derive(Clone, Copy)]
pub(crate) struct LoadPart<'a> {
    /// The rows to bring into line beside those of the window.
    keys: Option<&'a KeyList>,
    counting: Counting<'a>,
    copied: &'a Copied,
}

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
    /// Makes hop 2: loads what hop 1 copied, together with what is gone from the source, and
    /// publishes it once.
    pub(crate) fn load_hop(
        &self,
        work: &Work<'_>,
        probe: Option<&Probe>,
        copied: &Copied,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        let swept = match work.sweeps() && !work.loads_everything() {
            true => self.sweep_for_load(work, probe, progress)?,
            false => None,
        };
        let probe = probe.filter(|_| self.counts(work));
        let counting = match probe {
            Some(probe) => Counting::Since(probe),
            None if work.is_compared() => Counting::Ours,
            None if self.hops == Hops::Load && work.is_incremental() => Counting::Ours,
            None => Counting::Nothing,
        };
        let keys = swept.as_ref().map(|swept| &swept.keys);
        let part = LoadPart { keys, counting, copied };
        let (context, evidence) = (work.context, &mut progress.evidence);
        let outcome = self.phase(context, Phase::Load, || self.load(work, part, evidence))?;
        progress.notes.extend(swept.as_ref().and_then(Sweep::note));
        progress.note(&outcome.notes);
        add(&mut progress.load, outcome);
        if self.prove == ProofBy::Rows && work.keeps_deleted() {
            return self.compare_but_kept(work, progress);
        }
        self.note_kept(work, progress);
        Ok(())
    }

    /// Compares the keys of the target with those of the database that it is loaded from.
    fn sweep_for_load(
        &self,
        work: &Work<'_>,
        probe: Option<&Probe>,
        progress: &mut Progress,
    ) -> Result<Option<Sweep>, TableError> {
        let (first, window) = match &self.servers.replica {
            // The window of the load may be wider than the one that was counted.
            Some(_) => (Side::Replica, None),
            None => (Side::Source, window_rows(probe)),
        };
        self.sweep(work, Between { first, last: Side::Target }, window, progress)
    }

    fn load(
        &self,
        work: &Work<'_>,
        part: LoadPart<'_>,
        evidence: &mut Evidence,
    ) -> Result<LoadOutcome, TableError> {
        let (context, copied) = (work.context, part.copied);
        let mode = work.mode();
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter: work.rows_to_load(),
            mode,
            copy_id: Some(copied.id),
            locking: self.locking(work),
            target: context.target.as_deref(),
        };
        let selected = context.selected.of(mode);
        let strategy = self.strategies.get(selected.strategy, selected.keep_spool);
        let mut seal =
            self.tracker.seal(self.seal_work(work, Some(copied.id), copied.marks.as_deref()));
        if self.servers.replica.is_none() && part.keys.is_some() {
            seal = seal.since(work.began);
        }
        let is_full = mode == LoadMode::Full;
        let checks = LoadChecks {
            runner: self,
            work,
            is_full,
            counting: part.counting,
            read: if is_full { ReadRows::Loaded } else { ReadRows::Again },
            copied: copied.moved,
            before: evidence.clone(),
            seal,
            relay: Relay::default(),
        };
        let done = match part.keys {
            Some(keys) => {
                let done = self.loader.load_with_keys(&job, &*strategy, keys, &checks);
                done.map_err(TableError::Load)
            }
            None => self.load_by(&*strategy, job, &checks, work),
        };
        checks.relay.settle(done, evidence)
    }

    /// Brings the rows of `keys` into line.
    pub(crate) fn load_keys(
        &self,
        work: &Work<'_>,
        keys: &KeyList,
        copied: &Copied,
        evidence: &mut Evidence,
    ) -> Result<LoadOutcome, TableError> {
        let context = work.context;
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Incremental,
            copy_id: Some(copied.id),
            locking: self.locking(work),
            target: context.target.as_deref(),
        };
        let sealed = self.seal_work(work, Some(copied.id), copied.marks.as_deref());
        let mut seal = self.tracker.seal(sealed);
        let has_replica = self.servers.replica.is_some();
        if !has_replica {
            seal = seal.since(work.began);
        }
        let checks = LoadChecks {
            runner: self,
            work,
            is_full: false,
            counting: if has_replica { Counting::Ours } else { Counting::Nothing },
            read: ReadRows::Again,
            copied: copied.moved,
            before: evidence.clone(),
            seal,
            relay: Relay::default(),
        };
        let done = self.loader.load_keys(&job, keys, &checks).map_err(TableError::Load);
        checks.relay.settle(done, evidence)
    }

    /// Loads everything from a file that an earlier load kept. It is of no copy that is known, nor is
    /// its age, so nothing is recorded that a later run could take for up to date.
    pub(crate) fn replay(
        &self,
        context: &TableContext,
        file: &Path,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        let work = Work::planned(context).in_full(Reason::Asked);
        progress.plan = Some(work.report());
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
        let evidence = &mut progress.evidence;
        let outcome = self.phase(context, Phase::Load, || {
            let sealed = SealWork {
                copied_at: None,
                copied_from: None,
                ..self.seal_work(&work, None, None)
            };
            let checks = LoadChecks {
                runner: self,
                work: &work,
                is_full: true,
                counting: Counting::Nothing,
                // The replica is what the target is to equal, not the file.
                read: ReadRows::Again,
                copied: None,
                before: Evidence::default(),
                seal: self.tracker.seal(sealed),
                relay: Relay::default(),
            };
            let done = self.load_by(&strategy, job, &checks, &work);
            checks.relay.settle(done, evidence)
        })?;
        if self.prove != ProofBy::Rows {
            // Nothing is known of the file but what arrived.
            let target_rows = Some(outcome.rows_loaded);
            progress.evidence = Evidence::begun();
            progress.evidence.rows.target = target_rows;
        }
        progress.note(&outcome.notes);
        progress.load = Some(outcome);
        Ok(())
    }

    /// Loads, and once more where the target turns out to have the table.
    fn load_by(
        &self,
        strategy: &dyn LoadStrategy,
        job: LoadJob<'_>,
        seal: &dyn Seal,
        work: &Work<'_>,
    ) -> Result<LoadOutcome, TableError> {
        match self.loader.load(&job, strategy, seal) {
            Err(error) if error.is_target_appeared() => {
                let there = match self.look_again(work)? {
                    SecondLook::Ours(there) => Some(there),
                    SecondLook::Free => None,
                    SecondLook::Taken => return Err(TableError::Load(error)),
                };
                let job = LoadJob { target: there.as_deref(), ..job };
                self.loader.load(&job, strategy, seal).map_err(TableError::Load)
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

    /// Sums the rows of the database that hop 2 reads.
    pub(crate) fn read_again(&self, work: &Work<'_>) -> Result<TableSum, TableError> {
        self.prover.read_sum(&self.loader, work.context, self.locking(work))
    }

    /// Counts the rows of replica and target, to which nobody else writes.
    pub(crate) fn count_ours(
        &self,
        work: &Work<'_>,
        tx: &mut Transaction<'_>,
    ) -> Result<SideRows, TableError> {
        let replica = Some(self.prover.count(work.context)?);
        let target = Some(self.prover.count_in(tx, work.context)?);
        Ok(SideRows { source: None, replica, target })
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
