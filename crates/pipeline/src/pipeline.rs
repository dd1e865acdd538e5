//! The front door.

use crate::clock::SourceClock;
use crate::denied::Hidden;
use crate::diff::Guard;
use crate::flight::fly;
use crate::gate::{Clock, Gate};
use crate::mark::Witness;
use crate::only_failed::is_left_over;
use crate::plan::{Surroundings, plan};
use crate::prove::Prover;
use crate::recover::{Recovered, Recovery, recover};
use crate::servers::{Opening, Servers};
use crate::table_run::TableRunner;
use crate::{
    Error, Hops, Plan, Result, RunOptions, RunReport, TableContext, TableReport, TableStatus, chain,
};
use handoff_connect::{MyPool, PgPool, Profile, RetryPolicy, grant_select};
use handoff_loader::{Loader, LoaderOptions, SpoolSettings, Strategies};
use handoff_model::{Cancel, Event, NopObserver, Observer, RunId, TableName, Throttle};
use handoff_replicator::Replicator;
use handoff_schema::{Catalogue, Mapping, SchemaCache, TargetCatalogue, pg_table_name};
use handoff_settings::{Settings, TableFilter, Target, TimeOfDay};
use handoff_tracking::{Finding, LockRefused, RunLock, Tracked, Tracker, Wait};
use jiff::{Timestamp, Zoned};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How long an interrupted run's sessions in the source may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(30);

/// The whole way of the data, from the settings to the report.
pub struct Pipeline {
    pub(crate) settings: Settings,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) cancel: Cancel,
    clock: Clock,
}

impl Pipeline {
    /// Makes a pipeline that nobody watches.
    pub fn new(settings: Settings) -> Pipeline {
        let (observer, cancel) = (Arc::new(NopObserver), Cancel::new());
        Pipeline { settings, observer, cancel, clock: Arc::new(Zoned::now) }
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

    /// Asks `clock` for the time, which is compared with `until`; without it the system is asked.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Zoned + Send + Sync + 'static) -> Pipeline {
        self.clock = Arc::new(clock);
        self
    }

    /// Moves the tables that `options` ask for, and reports on each.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] only if nothing could start: a server that cannot be reached, a table
    /// that is not there, another run in progress. Nothing was changed then.
    pub fn run(&self, options: &RunOptions) -> Result<RunReport> {
        let guard = Guard { percent: self.settings.run.max_delete_percent, asked: false };
        let task = Task { guard, until: self.settings.run.until };
        self.run_by(options, &task, TableRunner::run)
    }

    /// Does `each` to every table, with everything around it that a run does.
    pub(crate) fn run_by(
        &self,
        options: &RunOptions,
        task: &Task,
        each: impl Fn(&TableRunner, &TableContext) -> TableReport + Sync,
    ) -> Result<RunReport> {
        let run = RunId::new();
        let started = (Timestamp::now(), Instant::now());
        let gate = Gate::open(self.cancel.clone(), Arc::clone(&self.clock), task.until);
        let mut base = self.look(&Opening::new(&self.settings, run, options.hops)?, options)?;
        let replicator = self.replicator(&base.servers)?;
        let tracker = self.open_tracker(&base, run)?;
        let lock = self.lock(&tracker, options)?;
        if options.wait {
            // The run that was waited for may have changed what there is.
            base.looked_at = Timestamp::now();
            base.catalogue = read_catalogue(base.servers.origin())?;
            base.wanted = self.wanted(&base.catalogue, options)?;
        }
        self.cancel.check()?;
        self.let_readers_see_tracking(&base.servers.target).map_err(Error::Connect)?;
        self.end_orphans(&base, &tracker)?;
        let recover = Recovery::Make;
        let Planned { plan, mut notes, leftovers, .. } =
            self.make_plan(&base, &tracker, options, recover)?;
        notes.iter().for_each(|text| self.notice(text.clone()));
        notes.extend(base.not_carried());
        self.cancel.check()?;
        let runner = self.runner(&base, tracker, replicator, (lock, gate, task.guard), options);
        notes.extend(drop_leftovers(&runner, &leftovers));
        let tables = self.move_tables(&runner, options, &plan, base.looked_at, each)?;
        // A copy that was made again is not taken up any more.
        notes.extend(drop_leftovers(&runner, &leftovers));
        Ok(self.report(run, started, tables, notes))
    }

    /// Connects and looks at what there is to move. The replica database, which is made where it
    /// is missing, comes last: everything that could be refused before it has been.
    pub(crate) fn look(&self, opening: &Opening<'_>, options: &RunOptions) -> Result<Base> {
        if options.adopt && options.tables.is_empty() {
            return Err(Error::AdoptWhat);
        }
        if options.from_spool.is_some() && (options.tables.len(), options.hops) != (1, Hops::Load) {
            return Err(Error::SpoolOfWhat);
        }
        let source = opening.source()?;
        let target = opening.target()?;
        let looked_at = Timestamp::now();
        let (source, replica, catalogue, wanted) = match source {
            Some(source) => {
                let catalogue = read_catalogue(&source)?;
                let wanted = self.wanted(&catalogue, options)?;
                (Some(source), opening.replica()?, catalogue, wanted)
            }
            None => {
                let replica = opening.replica()?.ok_or(Error::NoReplica)?;
                let catalogue = read_catalogue(&replica)?;
                let wanted = self.wanted(&catalogue, options)?;
                (None, Some(replica), catalogue, wanted)
            }
        };
        Ok(Base { servers: Servers { source, replica, target }, looked_at, catalogue, wanted })
    }

    fn lock(&self, tracker: &Tracker, options: &RunOptions) -> Result<RunLock> {
        let wait = if options.wait { Wait::Until(self.cancel.clone()) } else { Wait::No };
        tracker.lock(wait).map_err(|refused| match refused {
            LockRefused::Cancelled(cancelled) => Error::Cancelled(cancelled),
            refused => Error::Locked(refused),
        })
    }

    /// Returns the names of the tables to move: those named, or those the settings include.
    pub(crate) fn wanted(
        &self,
        catalogue: &Catalogue,
        options: &RunOptions,
    ) -> Result<BTreeSet<TableName>> {
        let filter = TableFilter::new(&self.settings.run).map_err(Error::Globs)?;
        if options.tables.is_empty() {
            let all = catalogue.tables.keys();
            let taken: BTreeSet<_> = all.filter(|name| filter.takes(name)).cloned().collect();
            let found = catalogue.tables.len();
            return if taken.is_empty() { Err(Error::NoTables { found }) } else { Ok(taken) };
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
        Ok(Tracker::open(run, replica, servers.target.clone(), &target.schema)?)
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
            .map(|replicator| Some(replicator.memory(self.memory_of_a_table())))
            .map_err(Error::Pair)
    }

    /// Makes the plan, once everything interrupted was dealt with.
    pub(crate) fn make_plan(
        &self,
        base: &Base,
        tracker: &Tracker,
        options: &RunOptions,
        recovery: Recovery,
    ) -> Result<Planned> {
        let replica = base.servers.replica.as_ref().map(read_catalogue).transpose()?;
        let replica =
            replica.or_else(|| self.settings.replica.as_ref().map(|_| Catalogue::empty()));
        let target = self.read_target(&base.servers.target)?;
        let mut recovered =
            recover(tracker, base.servers.replica.as_ref(), replica.as_ref(), &target, recovery)?;
        let expected = self.expected(base, options, &recovered.states, &target)?;
        let hidden = base.hidden(&expected)?;
        recovered.notes.extend(hidden.gone.iter().map(gone));
        let mut wanted: BTreeSet<TableName> =
            base.wanted.iter().chain(hidden.denied.keys()).cloned().collect();
        if options.only_failed {
            let not_started = tracker.last_not_started()?;
            wanted.retain(|table| {
                let tracked = recovered.states.get(table);
                not_started.contains(table)
                    || tracked.is_none_or(|tracked| is_left_over(options.hops, tracked))
            });
        }
        let now = Timestamp::now();
        let (clock, witness) = ask(base.servers.origin(), options.hops, now)?;
        let plan = plan(&Surroundings {
            settings: &self.settings,
            options,
            wanted: &wanted,
            denied: &hidden.denied,
            origin: &self.mapped(base),
            database: base.servers.origin().database(),
            replica: replica.as_ref(),
            target: &target,
            states: &recovered.states,
            findings: &recovered.findings,
            clock,
            witness,
            now,
        });
        let Recovered { findings, notes, .. } = recovered;
        Ok(Planned { plan, findings, notes, leftovers: target.leftovers })
    }

    /// Maps every table once, for both hops and all threads.
    fn mapped(&self, base: &Base) -> SchemaCache {
        let cache = SchemaCache::new();
        cache.load(base.servers.origin().database(), base.catalogue.clone(), |schema| {
            Mapping::new(schema, &self.settings.table(&schema.name), &self.settings.values)
        });
        cache
    }

    /// Returns the tables that the run would carry, did the source show them: they arrived once and
    /// are in the target still.
    fn expected(
        &self,
        base: &Base,
        options: &RunOptions,
        states: &BTreeMap<TableName, Tracked>,
        target: &TargetCatalogue,
    ) -> Result<BTreeSet<TableName>> {
        if !options.tables.is_empty() {
            return Ok(BTreeSet::new());
        }
        let filter = TableFilter::new(&self.settings.run).map_err(Error::Globs)?;
        let is_missed = |name: &TableName, tracked: &Tracked| {
            tracked.was_loaded()
                && !base.catalogue.tables.contains_key(name)
                && filter.takes(name)
                && target.tables.contains_key(&pg_table_name(name))
        };
        let missed = states.iter().filter(|(name, tracked)| is_missed(name, tracked));
        Ok(missed.map(|(name, _)| name.clone()).collect())
    }

    pub(crate) fn read_target(&self, pool: &PgPool) -> Result<TargetCatalogue> {
        let mut conn = pool.get().map_err(Error::Connect)?;
        TargetCatalogue::read(&mut conn, &self.settings.target.schema)
            .map_err(Error::TargetCatalogue)
    }

    fn move_tables(
        &self,
        runner: &TableRunner,
        options: &RunOptions,
        plan: &Plan,
        looked_at: Timestamp,
        each: impl Fn(&TableRunner, &TableContext) -> TableReport + Sync,
    ) -> Result<Vec<TableReport>> {
        self.observer.event(&Event::RunStarted {
            run: runner.tracker.run(),
            tables: plan.tables.len() + plan.refused.len(),
            rows: plan.tables.iter().map(|context| context.schema.rows).sum(),
        });
        let mut reports: Vec<TableReport> =
            plan.refused.iter().map(|refused| runner.refuse(refused)).collect();
        if options.adopt {
            plan.adopt(&runner.tracker)?;
        }
        let moved = fly(
            &plan.tables,
            self.settings.run.jobs,
            &runner.gate,
            |context| each(runner, context),
            |context, panic| runner.failed(context, panic),
        )?;
        reports.extend(moved);
        reports.sort_by(|a, b| a.table.cmp(&b.table));
        runner.finish(&reports, looked_at, self.settings.run.keep_runs);
        Ok(reports)
    }

    fn runner(
        &self,
        base: &Base,
        tracker: Tracker,
        replicator: Option<Replicator>,
        (lock, gate, guard): (RunLock, Gate, Guard),
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
            largest_row: self.largest_row(),
        };
        let throttle = self.settings.max_rows_per_second.map(Throttle::new);
        let reads_source = base.servers.replica.is_none();
        TableRunner {
            hops: options.hops,
            prove: options.prove.by(self.settings.run.proof),
            sums: self.settings.run.sums,
            replicator: replicator
                .filter(|_| options.hops != Hops::Load)
                .map(|replicator| replicator.throttle(throttle.clone())),
            strategies: self.strategies(),
            from_spool: options.from_spool.clone(),
            loader: Loader::new(from.clone(), to.clone(), loader_options)
                .throttle(throttle.clone().filter(|_| reads_source)),
            guard,
            values: self.settings.values,
            throttle,
            prover: Prover {
                load_from: from.clone(),
                target: to.clone(),
                schema,
                cancel: self.cancel.clone(),
            },
            tracker,
            lock,
            gate,
            chunk_rows: self.settings.selection.chunk_rows,
            servers: base.servers.clone(),
            lock_lost: AtomicBool::new(false),
            retries: RetryPolicy {
                attempts: self.settings.run.max_retries + 1,
                ..RetryPolicy::default()
            },
            cancel: self.cancel.clone(),
            observer: Arc::clone(&self.observer),
        }
    }

    fn strategies(&self) -> Strategies {
        let folder = self.settings.run.spool_dir.clone();
        Strategies::new(
            self.memory_of_a_table(),
            self.settings.selection.chunk_rows,
            SpoolSettings { folder, keep: false },
        )
    }

    /// The bytes that one row may have: a quarter of the limit, however many tables move at once.
    fn largest_row(&self) -> usize {
        self.settings.run.memory_limit_mb as usize * 1024 * 1024 / 4
    }

    /// The share of `memory_limit_mb` that one table in flight may use.
    fn memory_of_a_table(&self) -> usize {
        let mib = self.settings.run.memory_limit_mb as usize;
        mib * 1024 * 1024 / self.settings.run.jobs.get()
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

/// What a run is about.
pub(crate) struct Task {
    /// How many rows may be deleted.
    pub(crate) guard: Guard,
    /// When no further table is started.
    pub(crate) until: Option<TimeOfDay>,
}

/// A plan, and what was found while it was made.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<String>,
    /// Tables that dead runs left in the target schema.
    leftovers: Vec<String>,
}

/// What a run starts from.
pub(crate) struct Base {
    pub(crate) servers: Servers,
    /// When its catalogue was about to be read: what that tells is no older.
    looked_at: Timestamp,
    /// What is in the database that the run reads first.
    catalogue: Catalogue,
    wanted: BTreeSet<TableName>,
}

impl Base {
    /// Looks for what the source's account may not see.
    fn hidden(&self, expected: &BTreeSet<TableName>) -> Result<Hidden> {
        let Some(source) = &self.servers.source else { return Ok(Hidden::default()) };
        let mut conn = source.get(Profile::Read).map_err(Error::Connect)?;
        Hidden::look(&mut conn, &self.catalogue, &self.wanted, expected).map_err(Error::Connect)
    }

    pub(crate) fn not_carried(&self) -> impl Iterator<Item = String> {
        let others = self.catalogue.not_carried.iter();
        others.map(|other| format!("`{}` is a {}, which is not carried", other.name, other.kind))
    }
}

/// Drops what dead runs left in the target, but for loads that broke off and may be taken up, since
/// the copy that they read is still there. Returns what kept it from doing so.
fn drop_leftovers(runner: &TableRunner, names: &[String]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let states = match runner.tracker.states() {
        Ok(states) => states,
        Err(error) => return Some(chain(&error)),
    };
    let loadable: Vec<_> = states.values().filter_map(Tracked::loadable_copy).collect();
    runner.loader.drop_leftovers(names, &loadable).err().map(|error| chain(&error))
}

fn gone(table: &TableName) -> String {
    format!(
        "`{table}` is gone from the source: its last rows stay in the target; once that is as it \
         should be, drop it there or name it in `exclude`"
    )
}

/// Asks the server that is read first for its time, and what tells which of its tables changed.
fn ask(pool: &MyPool, hops: Hops, now: Timestamp) -> Result<(SourceClock, Witness)> {
    let mut conn = pool.get(Profile::Read).map_err(Error::Connect)?;
    let clock = SourceClock::read(&mut conn).map_err(Error::Connect)?;
    let witness = match hops {
        Hops::Load => Witness::nobody(&clock),
        Hops::Both | Hops::Copy => Witness::ask(&mut conn, &clock, now),
    };
    Ok((clock, witness))
}

pub(crate) fn read_catalogue(pool: &MyPool) -> Result<Catalogue> {
    let mut conn = pool.get(Profile::Read).map_err(Error::Connect)?;
    Catalogue::read(&mut conn, pool.database()).map_err(Error::Catalogue)
}
