//! The servers and movers of a run, in their roles.

use super::compared_tables::{ComparedTables, StructureMismatch};
use super::difference::TableDifference;
use super::evidence::Checksums;
use super::probe::{Probe, SourceProbe};
use super::roles::{ComparedPart, RunRecords, TableQuestions};
use super::steps::Between;
use crate::changes_made::ChangesMade;
use crate::error::TableError;
use handoff_connect::{
    Fault, MyClient, MyPool, PublishHook, PublishedRows, SessionProfile, Side, quote_my,
};
use handoff_loader::{DiscardLoad, LoadJob, LoadMode, Loader, StrategySet};
use handoff_model::{
    CancelToken, Observer, RowFilter, RowThrottle, RunEvent, SumBy, TableName, TablePhase,
    TableSum, Watermark, WatermarkWindow,
};
use handoff_objects::MakerOptions;
use handoff_plan::{PlanError, TablePlan, TargetRefusal, WatermarkColumn};
use handoff_replicator::Replicator;
use handoff_rows::Locking;
use handoff_schema::ddl;
use handoff_session::Servers;
use handoff_settings::ValuePolicies;
use handoff_tracking::{AttemptStatus, RunLock, Tracker};
use handoff_verify::{ComparedTable, Verifier, VerifyJob, VerifyOptions};
use postgres::Transaction;
use std::sync::Arc;
use std::time::Duration;

/// The most rows that are moved one by one; where more differ, the table is moved in full.
pub(crate) const MOST_LISTED: usize = 100_000;

/// Cells of a sketch for each row of the table: enough to name a tenth of them.
const CELL_FOR_ROWS: u64 = 4;

/// The servers and movers of a run.
pub(crate) struct RunTools {
    pub(crate) servers: Servers,
    /// The schema of the target.
    pub(crate) schema: String,
    pub(crate) replicator: Option<Replicator>,
    pub(crate) loader: Loader,
    pub(crate) strategies: StrategySet,
    pub(crate) tracker: Tracker,
    pub(crate) lock: RunLock,
    /// The way in which the rows of source and replica are summed when they are compared.
    pub(crate) sums: SumBy,
    /// The policies for values that PostgreSQL cannot hold.
    pub(crate) values: ValuePolicies,
    /// The bound on the rows that are read from the source in a second.
    pub(crate) throttle: Option<RowThrottle>,
    pub(crate) cancel: CancelToken,
    pub(crate) observer: Arc<dyn Observer>,
    /// The longest that a change of a table's structure waits for a lock.
    pub(crate) lock_timeout: Duration,
    /// The changes of tables' structures that were made.
    pub(crate) changes_made: ChangesMade,
    /// The way in which objects around the columns are made and dropped.
    pub(crate) objects: MakerOptions,
}

impl RunTools {
    /// Returns the probe of the database that the run reads first.
    fn source_probe(&self) -> SourceProbe<'_> {
        SourceProbe { pool: self.servers.origin(), cancel: &self.cancel }
    }

    /// Returns the effect of reading the database that hop 2 reads on its writers.
    pub(super) fn locking(&self, plan: &TablePlan) -> Locking {
        if self.servers.replica.is_some() {
            Locking::Free
        } else if plan.schema.engine.is_transactional() {
            Locking::Snapshot
        } else {
            Locking::Ranges
        }
    }

    /// Returns the databases in which a table is, once it is known to be of one structure in all of them.
    fn compared_tables<'a>(
        &'a self,
        plan: &'a TablePlan,
        between: Between,
    ) -> Result<Vec<ComparedTable<'a>>, TableError> {
        let servers = &self.servers;
        let source = servers.source.as_ref().filter(|_| between.first == Side::Source);
        let target = (&servers.target, &*self.schema, plan.target.as_deref());
        let tables = ComparedTables {
            origin: &plan.schema,
            source: source.map(|pool| (pool, self.throttle.as_ref())),
            replica: servers.replica.as_ref().map(|pool| (pool, plan.replica.as_deref())),
            target: (between.last == Side::Target).then_some(target),
        };
        let table = plan.name.clone();
        tables.checked(&plan.mapping).map_err(|mismatch| match mismatch {
            StructureMismatch::Unfit(misfit) => {
                PlanError::Target(TargetRefusal::Unfit(misfit)).into()
            }
            StructureMismatch::Structure(what) => {
                TableError::Structure { table, side: Side::Replica, what }
            }
            StructureMismatch::Absent(side) => {
                TableError::Structure { table, side, what: "there is no such table".to_owned() }
            }
        })
    }

    /// Returns true if the target has a row of the table.
    fn target_has_rows(&self, plan: &TablePlan) -> Result<bool, TableError> {
        let target = &self.servers.target;
        let mut conn = target.get().map_err(TableError::Prove)?;
        let _guard = target.cancel_guard(&conn, &self.cancel);
        let rows = ddl::only(&self.schema, &plan.mapping.pg_table);
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {rows})");
        let found =
            conn.query_typed(&sql, &[]).map_err(|error| TableError::Prove(conn.fault(&error)))?;
        Ok(found.first().and_then(|row| row.try_get(0).ok()).unwrap_or(true))
    }
}

impl TableQuestions for RunTools {
    fn probe(&self, plan: &TablePlan, filter: &RowFilter) -> Result<Probe, TableError> {
        self.source_probe().probe(plan, filter)
    }

    fn slice_end(
        &self,
        plan: &TablePlan,
        column: &WatermarkColumn,
        window: &WatermarkWindow,
        rows: u64,
    ) -> Result<Option<Watermark>, TableError> {
        self.source_probe().boundary(&plan.schema, column, window, rows)
    }

    fn count(&self, side: Side, plan: &TablePlan, filter: &RowFilter) -> Result<u64, TableError> {
        let replica = self.servers.replica.as_ref().filter(|_| side == Side::Replica);
        let pool = replica.unwrap_or_else(|| self.servers.origin());
        SourceProbe { pool, cancel: &self.cancel }.count(&plan.schema, filter)
    }

    fn count_read(&self, plan: &TablePlan) -> Result<u64, TableError> {
        let pool = self.servers.load_from();
        let mut conn = pool.get(SessionProfile::Read).map_err(TableError::Prove)?;
        let _guard = pool.cancel_guard(&conn, &self.cancel);
        let sql = format!("SELECT COUNT(*) FROM {}", quote_my(plan.name.as_str()));
        let count = conn
            .query_first::<u64, _>(sql)
            .map_err(|error| TableError::Prove(conn.fault(&error)))?;
        Ok(count.unwrap_or_default())
    }

    fn sum_read(&self, plan: &TablePlan) -> Result<TableSum, TableError> {
        let job = LoadJob {
            table: &plan.schema,
            mapping: &plan.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: None,
            locking: self.locking(plan),
            target: plan.target.as_deref(),
        };
        let read =
            self.loader.load(&job, &DiscardLoad, &NothingToSeal).map_err(TableError::Load)?;
        Ok(read.sum)
    }

    /// The source is asked first, since it is the one that others write to.
    fn is_empty(&self, plan: &TablePlan) -> Result<bool, TableError> {
        let pools: [&Option<MyPool>; 2] = [&self.servers.source, &self.servers.replica];
        for pool in pools.into_iter().flatten() {
            if (SourceProbe { pool, cancel: &self.cancel }).has_rows(&plan.schema)? {
                return Ok(false);
            }
        }
        Ok(!self.target_has_rows(plan)?)
    }

    fn checksums(&self, plan: &TablePlan) -> Result<Checksums, TableError> {
        let Some(replicator) = &self.replicator else {
            return Err(TableError::NotCopied(plan.name.clone()));
        };
        let sums = replicator.row_sums(&plan.schema).map_err(TableError::ProveCopy)?;
        Ok(Checksums { source: sums.source, replica: sums.replica })
    }

    fn compare(
        &self,
        plan: &TablePlan,
        between: Between,
        part: ComparedPart,
    ) -> Result<TableDifference, TableError> {
        let tables = self.compared_tables(plan, between)?;
        let rows = plan.schema.rows;
        let (table, phase) = (plan.name.clone(), TablePhase::Verify);
        let all = rows.saturating_mul(tables.len() as u64);
        self.observer.event(&RunEvent::PhaseStarted { table, phase, rows: Some(all) });
        let cells = usize::try_from(rows / CELL_FOR_ROWS).unwrap_or(usize::MAX);
        let options = VerifyOptions {
            most_cells: cells.clamp(1 << 12, 1 << 18),
            most_listed: MOST_LISTED,
            sums: if part == ComparedPart::Keys { SumBy::Read } else { self.sums },
            ..VerifyOptions::default()
        };
        let keys = (part == ComparedPart::Keys).then(|| plan.mapping.of_key());
        let mapping = keys.as_ref().unwrap_or_else(|| &plan.mapping);
        let verifier = Verifier::new(options, self.cancel.clone(), Arc::clone(&self.observer));
        let job = VerifyJob { mapping, values: &self.values, tables: &tables, rows };
        verifier.compare(&job).map(TableDifference).map_err(TableError::Compare)
    }

    fn unreachable(&self, side: Side) -> Option<Fault> {
        self.servers.gone(side)
    }
}

impl RunRecords for RunTools {
    fn demand_lock(&self) -> Result<(), Fault> {
        self.lock.demand()
    }

    fn check_lock(&self) -> Result<(), Fault> {
        self.lock.check()
    }

    fn failed(
        &self,
        table: &TableName,
        phase: TablePhase,
        status: AttemptStatus,
        text: &str,
    ) -> Result<(), handoff_tracking::TrackingError> {
        self.tracker.failed(table, phase, status, text)
    }
}

/// A read that publishes nothing has nothing to record.
struct NothingToSeal;

impl PublishHook for NothingToSeal {
    fn on_replica(&self, _: &mut MyClient, _: &PublishedRows) -> Result<(), Fault> {
        Ok(())
    }

    fn on_target(&self, _: &mut Transaction<'_>, _: &PublishedRows) -> Result<(), Fault> {
        Ok(())
    }
}
