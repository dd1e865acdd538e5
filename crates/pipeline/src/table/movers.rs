//! The movers of a run: an order becomes a job, and a check part of its seal.

use super::roles::{
    CopiedPart, CopyOrder, LoadOrder, LoadedPart, PlacedRows, PublicationCheck, TableMovers,
};
use super::tools::RunTools;
use crate::error::TableError;
use crate::report::StructureReport;
use handoff_connect::{Fault, MyClient, PublishHook, PublishedRows, Side, quote_my};
use handoff_loader::{LoadJob, LoadOutcome, LoadStrategy, SpoolReplay};
use handoff_model::{LoadMode, RowFilter, TableName, TableSum};
use handoff_plan::TablePlan;
use handoff_replicator::{CopyJob, CopyOutcome, PublishMode, Replicator};
use handoff_rows::target_sum_in;
use handoff_schema::{TableSchema, TargetCatalogue, TargetTable, ddl};
use handoff_structure::StructurePlan;
use handoff_tracking::{LoadState, PublishedMove, TrackingHook};
use jiff::Timestamp;
use postgres::Transaction;
use std::sync::{Mutex, PoisonError};

/// The owner of a name in the target that turned out to be taken.
enum SecondLook {
    /// A table of ours: a first load arrived, and the answer to its commit was lost. The record of it came with it.
    Ours(Box<TargetTable>),
    /// Nothing any more: the type of another new table's arrays has moved out of the way.
    Free,
    /// Somebody else's table, or none.
    Taken,
}

impl TableMovers for RunTools {
    fn copy(
        &self,
        order: &CopyOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<CopyOutcome, TableError> {
        let plan = order.plan;
        let Some(replicator) = &self.replicator else {
            return Err(TableError::NotCopied(plan.name.clone()));
        };
        let filter = match order.part {
            CopiedPart::Rows(filter) | CopiedPart::RowsAndKeys(filter, _) => filter,
            CopiedPart::Keys(_) => &RowFilter::All,
        };
        let job = CopyJob {
            table: &plan.schema,
            copy_id: order.id,
            replica_table: replica_table(replicator, order)?,
            filter,
            canonical: order.sums.then_some((&*plan.mapping, &self.values)),
        };
        let prepared = match order.part {
            CopiedPart::Rows(_) => replicator.open(job),
            CopiedPart::RowsAndKeys(_, keys) => replicator.open_with_keys(job, keys),
            CopiedPart::Keys(keys) => replicator.open_keys(job, keys),
        };
        let opened = prepared.map_err(TableError::Copy)?;
        self.record_intent(order, opened.mode())?;
        let seal = CheckedSeal::new(self, plan, self.seal(order.record, order.since), check);
        let done = opened.finish(&seal).map_err(TableError::Copy);
        seal.settle(done)
    }

    fn load(
        &self,
        order: &LoadOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<LoadOutcome, TableError> {
        match self.load_once(order, check) {
            Err(error) if self.makes_way(order.plan, &error) => self.load_once(order, check),
            done => done,
        }
    }

    fn change(&self, plan: &TablePlan, changes: &StructurePlan) -> Result<TargetTable, TableError> {
        self.make_changes(plan, changes)
    }

    fn take_changes(&self, table: &TableName) -> Vec<StructureReport> {
        self.changes_made.take(table)
    }
}

/// Returns the replica's table as it is now. An earlier try may have got as far as the swap: if the structure
/// changed with it, the old one makes the next a swap again, which is right either way.
fn replica_table<'a>(
    replicator: &Replicator,
    order: &CopyOrder<'a>,
) -> Result<Option<&'a TableSchema>, TableError> {
    let plan = order.plan;
    if order.is_first || matches!(order.part, CopiedPart::Keys(_)) {
        return Ok(plan.replica.as_deref());
    }
    let is_there = replicator.has(&plan.name).map_err(TableError::Copy)?;
    Ok(is_there.then(|| plan.replica.as_deref().unwrap_or(&plan.schema)))
}

impl RunTools {
    fn load_once(
        &self,
        order: &LoadOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<LoadOutcome, TableError> {
        let plan = order.plan;
        let filter = match order.part {
            LoadedPart::Rows(filter) | LoadedPart::RowsAndKeys(filter, _) => filter,
            LoadedPart::Keys(_) | LoadedPart::File(_) => &RowFilter::All,
        };
        let job = LoadJob {
            table: &plan.schema,
            mapping: &plan.mapping,
            filter,
            mode: order.mode,
            copy_id: order.copy_id,
            locking: self.locking(plan),
            target: plan.target.as_deref(),
        };
        let seal = CheckedSeal::new(self, plan, self.seal(order.record, order.since), check);
        let seal = CheckedSeal { is_full: order.mode == LoadMode::Full, ..seal };
        let selected = plan.load_strategy.of(order.mode);
        let strategy = self.strategies.get(selected.strategy, selected.keep_spool);
        let done = match order.part {
            LoadedPart::Rows(_) => self.load_or_look_again(job, &*strategy, &seal, plan),
            LoadedPart::RowsAndKeys(_, keys) => {
                let done = self.loader.load_with_keys(&job, &*strategy, keys, &seal);
                done.map_err(TableError::Load)
            }
            LoadedPart::Keys(keys) => {
                self.loader.load_keys(&job, keys, &seal).map_err(TableError::Load)
            }
            LoadedPart::File(file) => {
                let replay = SpoolReplay { file: file.to_owned() };
                self.load_or_look_again(job, &replay, &seal, plan)
            }
        };
        seal.settle(done)
    }

    fn seal<'a>(&'a self, record: PublishedMove<'a>, since: Option<Timestamp>) -> TrackingHook<'a> {
        let seal = self.tracker.seal(record);
        match since {
            Some(began) => seal.since(began),
            None => seal,
        }
    }

    /// Records that a copy is about to be made, where its publication and its record are no one transaction.
    fn record_intent(&self, order: &CopyOrder<'_>, way: PublishMode) -> Result<(), TableError> {
        let (table, id) = (&order.plan.name, order.id);
        let (marks, print) = (order.record.watermark, &order.plan.fingerprint);
        let recorded = match way {
            PublishMode::Swap => self.tracker.copy_started(table, id, marks, print),
            PublishMode::Merge if !order.plan.schema.engine.is_transactional() => {
                self.tracker.merge_started(table, id, marks, print)
            }
            PublishMode::Merge | PublishMode::InTransaction => Ok(()),
        };
        recorded.map_err(TableError::Tracking)
    }

    /// Loads, and once more where the target turns out to have the table.
    fn load_or_look_again(
        &self,
        job: LoadJob<'_>,
        strategy: &dyn LoadStrategy,
        seal: &dyn PublishHook,
        plan: &TablePlan,
    ) -> Result<LoadOutcome, TableError> {
        match self.loader.load(&job, strategy, seal) {
            Err(error) if error.is_target_appeared() => {
                let there = match self.look_again(plan)? {
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
    fn look_again(&self, plan: &TablePlan) -> Result<SecondLook, TableError> {
        let name = &plan.mapping.pg_table;
        let mut conn = self.servers.target.get().map_err(TableError::Prove)?;
        let read = TargetCatalogue::read(&mut conn, &self.schema);
        drop(conn);
        let mut catalogue = read.map_err(TableError::Prove)?;
        let Some(there) = catalogue.tables.remove(name) else {
            let is_free = !catalogue.names.contains_key(name);
            return Ok(if is_free { SecondLook::Free } else { SecondLook::Taken });
        };
        let states = self.tracker.states().map_err(TableError::Tracking)?;
        let load = states.get(&plan.name).and_then(|tracked| tracked.load.as_ref());
        let is_ours = load.is_some_and(LoadState::is_ours);
        Ok(if is_ours { SecondLook::Ours(Box::new(there)) } else { SecondLook::Taken })
    }
}

/// The seal of a publication, which checks before it records.
struct CheckedSeal<'a> {
    tools: &'a RunTools,
    plan: &'a TablePlan,
    seal: TrackingHook<'a>,
    check: &'a dyn PublicationCheck,
    /// True if every row is loaded, so that the structure is complete with them.
    is_full: bool,
    /// The refusal of the check: a mover knows faults only.
    refused: Mutex<Option<TableError>>,
}

impl<'a> CheckedSeal<'a> {
    fn new(
        tools: &'a RunTools,
        plan: &'a TablePlan,
        seal: TrackingHook<'a>,
        check: &'a dyn PublicationCheck,
    ) -> CheckedSeal<'a> {
        CheckedSeal { tools, plan, seal, check, is_full: false, refused: Mutex::new(None) }
    }

    /// Keeps the refusal of a check, and returns the fault that has the mover roll back.
    fn keep(&self, side: Side, checked: Result<(), TableError>) -> Result<(), Fault> {
        let Err(error) = checked else { return Ok(()) };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        Err(Fault::new(side, "the checks before the publication failed"))
    }

    /// Puts the refusal in the place of the mover's error.
    fn settle<T>(self, done: Result<T, TableError>) -> Result<T, TableError> {
        let refused = self.refused.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.map_err(|error| refused.unwrap_or(error))
    }
}

impl PublishHook for CheckedSeal<'_> {
    fn before_swap(&self) -> Result<(), Fault> {
        self.seal.before_swap()
    }

    fn check_replica(&self, conn: &mut MyClient, published: &PublishedRows) -> Result<(), Fault> {
        let mut rows = RowsInReplica { conn, plan: self.plan };
        self.keep(Side::Replica, self.check.check(published, &mut rows))
    }

    fn check_target(
        &self,
        tx: &mut Transaction<'_>,
        published: &PublishedRows,
    ) -> Result<(), Fault> {
        let mut rows = RowsInTarget { tx, plan: self.plan, schema: &self.tools.schema };
        self.keep(Side::Target, self.check.check(published, &mut rows))
    }

    fn on_replica(&self, conn: &mut MyClient, published: &PublishedRows) -> Result<(), Fault> {
        self.seal.on_replica(conn, published)
    }

    fn on_target(&self, tx: &mut Transaction<'_>, published: &PublishedRows) -> Result<(), Fault> {
        if self.is_full {
            self.keep(Side::Target, self.tools.finish_changes(self.plan, tx))?;
        }
        self.seal.on_target(tx, published)
    }
}

/// The rows of the replica's table, inside the transaction if there is one.
struct RowsInReplica<'a> {
    conn: &'a mut MyClient,
    plan: &'a TablePlan,
}

impl PlacedRows for RowsInReplica<'_> {
    fn count(&mut self) -> Result<u64, TableError> {
        let ask = format!("SELECT COUNT(*) FROM {}", quote_my(self.plan.name.as_str()));
        match self.conn.query_first::<u64, _>(ask) {
            Ok(rows) => Ok(rows.unwrap_or_default()),
            Err(error) => Err(TableError::Prove(Fault::my(Side::Replica, &error))),
        }
    }

    fn sum(&mut self) -> Result<TableSum, TableError> {
        let fault = Fault::new(Side::Replica, "the rows of a replica are summed by comparing");
        Err(TableError::Prove(fault))
    }
}

/// The rows of the target's table, as the transaction sees them.
struct RowsInTarget<'a, 'c> {
    tx: &'a mut Transaction<'c>,
    plan: &'a TablePlan,
    schema: &'a str,
}

impl PlacedRows for RowsInTarget<'_, '_> {
    fn count(&mut self) -> Result<u64, TableError> {
        let rows = ddl::only(self.schema, &self.plan.mapping.pg_table);
        let sql = format!("SELECT count(*) FROM {rows}");
        let counted = self.tx.query_one(&sql, &[]).and_then(|row| row.try_get::<_, i64>(0));
        match counted {
            Ok(rows) => Ok(rows.unsigned_abs()),
            Err(error) => Err(TableError::Prove(Fault::pg(Side::Target, &error))),
        }
    }

    fn sum(&mut self) -> Result<TableSum, TableError> {
        let mapping = &self.plan.mapping;
        target_sum_in(self.tx, self.schema, &mapping.pg_table, mapping).map_err(TableError::Prove)
    }
}
