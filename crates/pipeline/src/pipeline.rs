//! The front door.

use crate::flight::fly;
use crate::plan::{Surroundings, plan};
use crate::prove::Prover;
use crate::recover::recover;
use crate::servers::Servers;
use crate::table_run::TableRunner;
use crate::{
    Error, Hops, Plan, Refused, Result, RunOptions, RunReport, TableReport, TableStatus, chain,
};
use handoff_connect::{MyPool, PgPool, Profile, RetryPolicy, grant_select};
use handoff_loader::{Loader, LoaderOptions};
use handoff_model::{Cancel, Event, NopObserver, Observer, RunId, TableName};
use handoff_replicator::Replicator;
use handoff_schema::{Catalogue, TargetCatalogue};
use handoff_settings::{Settings, TableFilter, Target};
use handoff_tracking::{Tracker, Wait};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an interrupted run's sessions in the source may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(30);

/// The whole way of the data, from the settings to the report.
pub struct Pipeline {
    settings: Settings,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
}

impl Pipeline {
    /// Makes a pipeline that nobody watches.
    pub fn new(settings: Settings) -> Pipeline {
        Pipeline { settings, observer: Arc::new(NopObserver), cancel: Cancel::new() }
    }

    /// Tells `observer` what happens.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Pipeline {
        self.observer = observer;
        self
    }

    /// Lets the owner of `cancel` stop the run. Tables that are on their way are rolled back and
    /// reported as cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Pipeline {
        self.cancel = cancel;
        self
    }

    /// Moves the tables that `options` ask for, and reports on each.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] only if nothing could start: a server that cannot be reached, a table
    /// that is not there, another run in progress. Nothing was changed then.
    pub fn run(&self, options: &RunOptions) -> Result<RunReport> {
        let run = RunId::new();
        let started = (Timestamp::now(), Instant::now());
        let base = self.look(run, options)?;
        let tracker = self.open_tracker(&base, run)?;
        let wait = if options.wait { Wait::Until(self.cancel.clone()) } else { Wait::No };
        let _lock = tracker.lock(wait).map_err(Error::Locked)?;
        self.end_orphans(&base, &tracker)?;
        let replicator = self.replicator(&base.servers)?;
        let (plan, mut notes) = self.make_plan(&base, &tracker, replicator.as_ref(), options)?;
        notes.extend(base.not_carried());
        let tables = self.move_tables(&base, tracker, replicator, options, &plan, run)?;
        Ok(self.report(run, started, tables, notes))
    }

    /// Connects and looks at the source; makes nothing.
    fn look(&self, run: RunId, options: &RunOptions) -> Result<Base> {
        let servers = Servers::open(&self.settings, run, options.hops)?;
        let origin = servers.origin();
        let catalogue = read_catalogue(origin)?;
        let wanted = self.wanted(&catalogue, options)?;
        Ok(Base { servers, catalogue, wanted })
    }

    /// Returns the names of the tables to move: those named, or those the settings include.
    fn wanted(&self, catalogue: &Catalogue, options: &RunOptions) -> Result<BTreeSet<TableName>> {
        if options.adopt && options.tables.is_empty() {
            return Err(Error::AdoptWhat);
        }
        let filter = TableFilter::new(&self.settings.run).map_err(Error::Globs)?;
        if options.tables.is_empty() {
            let all = catalogue.tables.keys();
            return Ok(all.filter(|name| filter.takes(name)).cloned().collect());
        }
        let named: BTreeSet<TableName> = options.tables.iter().cloned().collect();
        let there = |name: &&TableName| catalogue.tables.contains_key(*name);
        let missing: Vec<_> = named.iter().filter(|name| !there(name)).cloned().collect();
        if let Some(first) = missing.first() {
            let near = catalogue
                .tables
                .keys()
                .find(|name| name.as_str().to_lowercase() == first.as_str().to_lowercase());
            let where_ = if options.hops == Hops::Load { "replica" } else { "source" };
            return Err(Error::UnknownTables { where_, near: near.cloned(), tables: missing });
        }
        let excluded: Vec<_> = named.iter().filter(|name| !filter.takes(name)).cloned().collect();
        if excluded.is_empty() { Ok(named) } else { Err(Error::Excluded { tables: excluded }) }
    }

    fn open_tracker(&self, base: &Base, run: RunId) -> Result<Tracker> {
        let target = &self.settings.target;
        let servers = &base.servers;
        servers
            .target
            .ensure_schema(&target.schema, &target.grant_select_to)
            .map_err(Error::Connect)?;
        let replica = servers.replica.clone();
        let tracker = Tracker::open(run, replica, servers.target.clone(), &target.schema)?;
        self.let_readers_see_tracking(&servers.target).map_err(Error::Connect)?;
        Ok(tracker)
    }

    /// The roles that read our tables may read how fresh they are, too.
    fn let_readers_see_tracking(&self, target: &PgPool) -> handoff_connect::Result<()> {
        let Target { schema, grant_select_to, .. } = &self.settings.target;
        if grant_select_to.is_empty() {
            return Ok(());
        }
        let grants = ["etl_load_status", "etl_runs"]
            .map(|table| grant_select(schema, table, grant_select_to).unwrap_or_default());
        let mut conn = target.get()?;
        conn.batch_execute(&grants.join("; ")).map_err(|error| conn.fault(&error))
    }

    /// Ends what interrupted runs left running, on every side, before a table is touched.
    fn end_orphans(&self, base: &Base, tracker: &Tracker) -> Result<()> {
        if let Some(source) = &base.servers.source {
            for dead in tracker.dead_runs()? {
                source.end_orphans(dead, ORPHAN_PATIENCE).map_err(Error::Connect)?;
            }
        }
        for sentence in tracker.end_orphans()? {
            self.notice(sentence);
        }
        Ok(())
    }

    fn replicator(&self, servers: &Servers) -> Result<Option<Replicator>> {
        let (Some(source), Some(replica)) = (&servers.source, &servers.replica) else {
            return Ok(None);
        };
        let (cancel, observer) = (self.cancel.clone(), Arc::clone(&self.observer));
        Replicator::new(source.clone(), replica.clone(), cancel, observer)
            .map(Some)
            .map_err(Error::Pair)
    }

    fn make_plan(
        &self,
        base: &Base,
        tracker: &Tracker,
        replicator: Option<&Replicator>,
        options: &RunOptions,
    ) -> Result<(Plan, Vec<String>)> {
        let replica = base.servers.replica.as_ref().map(read_catalogue).transpose()?;
        let target = self.read_target(&base.servers.target)?;
        let recovered = recover(tracker, replicator, replica.as_ref(), &target)?;
        for text in &recovered.notes {
            self.notice(text.clone());
        }
        let plan = plan(&Surroundings {
            settings: &self.settings,
            options,
            wanted: &base.wanted,
            origin: &base.catalogue,
            replica: replica.as_ref(),
            target: &target,
            states: &recovered.states,
            findings: &recovered.findings,
        });
        Ok((plan, recovered.notes))
    }

    fn read_target(&self, pool: &PgPool) -> Result<TargetCatalogue> {
        let mut conn = pool.get().map_err(Error::Connect)?;
        TargetCatalogue::read(&mut conn, &self.settings.target.schema)
            .map_err(Error::TargetCatalogue)
    }

    fn move_tables(
        &self,
        base: &Base,
        tracker: Tracker,
        replicator: Option<Replicator>,
        options: &RunOptions,
        plan: &Plan,
        run: RunId,
    ) -> Result<Vec<TableReport>> {
        self.observer.event(&Event::RunStarted {
            run,
            tables: plan.tables.len() + plan.refused.len(),
            rows: plan.tables.iter().map(|context| context.schema.rows).sum(),
        });
        let runner = self.runner(base, tracker, replicator, options);
        let mut reports: Vec<TableReport> =
            plan.refused.iter().map(|refused| self.refuse(refused)).collect();
        if options.adopt {
            plan.adopt(&runner.tracker)?;
        }
        let moved =
            fly(&plan.tables, self.settings.run.jobs, &self.cancel, |context| runner.run(context))?;
        reports.extend(moved);
        reports.sort_by(|a, b| a.table.cmp(&b.table));
        runner.finish(&reports, self.settings.run.keep_runs);
        Ok(reports)
    }

    fn runner(
        &self,
        base: &Base,
        tracker: Tracker,
        replicator: Option<Replicator>,
        options: &RunOptions,
    ) -> TableRunner {
        let (from, to) = (base.servers.load_from(), &base.servers.target);
        let schema = self.settings.target.schema.clone();
        let loader_options = LoaderOptions {
            schema: schema.clone(),
            grant_select_to: self.settings.target.grant_select_to.clone(),
            values: self.settings.values,
            cancel: self.cancel.clone(),
            observer: Arc::clone(&self.observer),
            memory_bytes: self.memory_of_a_table(),
        };
        TableRunner {
            hops: options.hops,
            prove: options.prove,
            replicator: replicator.filter(|_| options.hops != Hops::Load),
            loader: Loader::new(from.clone(), to.clone(), loader_options),
            prover: Prover { load_from: from.clone(), target: to.clone(), schema },
            tracker,
            retries: RetryPolicy {
                attempts: self.settings.run.max_retries + 1,
                ..RetryPolicy::default()
            },
            cancel: self.cancel.clone(),
            observer: Arc::clone(&self.observer),
        }
    }

    /// The share of `memory_limit_mb` that one table in flight may use.
    fn memory_of_a_table(&self) -> usize {
        let mib = self.settings.run.memory_limit_mb as usize;
        mib * 1024 * 1024 / self.settings.run.jobs.get()
    }

    fn refuse(&self, refused: &Refused) -> TableReport {
        let mut report = TableReport::not_started(refused.table.clone(), None);
        report.status = TableStatus::Failed;
        report.error = Some(chain(&refused.error));
        self.observer.event(&Event::TableFinished {
            table: refused.table.clone(),
            status: report.status.label(),
            error: report.error.clone(),
        });
        report
    }

    fn report(
        &self,
        run_id: RunId,
        (started_at, clock): (Timestamp, Instant),
        tables: Vec<TableReport>,
        notes: Vec<String>,
    ) -> RunReport {
        let good = tables.iter().filter(|table| table.status == TableStatus::Ok).count();
        let failed = tables.len() - good;
        self.observer.event(&Event::RunFinished { ok: good, failed, duration: clock.elapsed() });
        RunReport {
            run_id,
            started_at,
            finished_at: Timestamp::now(),
            ok: failed == 0,
            cancelled: self.cancel.is_cancelled(),
            tables,
            notes,
        }
    }

    fn notice(&self, text: String) {
        self.observer.event(&Event::Notice { table: None, text });
    }
}

/// What a run starts from.
struct Base {
    servers: Servers,
    /// What is in the database that the run reads first.
    catalogue: Catalogue,
    wanted: BTreeSet<TableName>,
}

impl Base {
    fn not_carried(&self) -> impl Iterator<Item = String> {
        let others = self.catalogue.not_carried.iter();
        others.map(|other| format!("`{}` is a {}, which is not carried", other.name, other.kind))
    }
}

fn read_catalogue(pool: &MyPool) -> Result<Catalogue> {
    let mut conn = pool.get(Profile::Read).map_err(Error::Connect)?;
    Catalogue::read(&mut conn, pool.database()).map_err(Error::Catalogue)
}
