//! A run, in order.

use crate::builder::Pipeline;
use crate::changes_made::ChangesMade;
use crate::ending::RunEnding;
use crate::error::Result;
use crate::flight::fly;
use crate::gate::Gate;
use crate::options::RunOptions;
use crate::planning::Planned;
use crate::report::{RunReport, TableReport, TableStatus};
use crate::run_base::RunBase;
use crate::start::StartedRun;
use crate::table::{DeleteLimits, GuardedCommand, RetryCounts, RunScope, RunTools, Stages};
use handoff_loader::{Loader, LoaderOptions, SpoolSettings, StrategySet};
use handoff_model::{RowThrottle, RunEvent, RunId, chain};
use handoff_objects::{FailedObject, ObjectReport};
use handoff_plan::{Hops, NameWeight, OmissionReport, Plan, TablePlan};
use handoff_replicator::Replicator;
use handoff_session::gone_note;
use handoff_settings::TimeOfDay;
use handoff_tracking::{RunLock, TrackedTable, Tracker};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

impl Pipeline {
    /// Moves the tables that `options` ask for, and reports on each.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) only if nothing could start: a server that cannot be reached, a table
    /// that is not there, another run in progress. No table was moved then.
    pub fn run(&self, options: &RunOptions) -> Result<RunReport> {
        let command = match (&options.from_spool, options.full) {
            (Some(file), _) => GuardedCommand::LoadFile(file.clone()),
            (None, true) => GuardedCommand::MoveInFull(options.hops),
            (None, false) => GuardedCommand::Move(options.hops),
        };
        let limits = DeleteLimits {
            asked: options.max_delete_percent,
            configured: self.settings.run.max_delete_percent,
            command,
        };
        let task = Task { limits, until: self.settings.run.until };
        self.run_by(options, &task, |run, plan| run.move_table(plan))
    }

    /// Does `each` to every table, with everything around it that a run does.
    pub(crate) fn run_by(
        &self,
        options: &RunOptions,
        task: &Task,
        each: impl Fn(&RunScope<'_>, &TablePlan) -> TableReport + Sync,
    ) -> Result<RunReport> {
        self.in_time(|| self.run_to_its_end(options, task, each))
    }

    fn run_to_its_end(
        &self,
        options: &RunOptions,
        task: &Task,
        each: impl Fn(&RunScope<'_>, &TablePlan) -> TableReport + Sync,
    ) -> Result<RunReport> {
        let run = RunId::new();
        let started = RunStart { run, at: Timestamp::now(), clock: Instant::now() };
        let gate = Gate::open(self.cancel.clone(), Arc::clone(&self.clock), task.until);
        let StartedRun { base, replicator, tracker, lock, planned } = self.start(run, options)?;
        let Planned { plan, mut notes, gone, leftovers, key_names, .. } = planned;
        notes.iter().for_each(|text| self.notice(text.clone()));
        notes.extend(base.names(NameWeight::Warning));
        notes.extend(base.omissions.reserved());
        notes.extend(base.scope.without_rows());
        let mut tools = self.tools(&base, tracker, replicator, lock, options);
        tools.loader = tools.loader.key_names(key_names);
        notes.extend(drop_leftovers(&tools, &leftovers));
        // A repair touches nothing but the rows that differ.
        let settles = options.hops == Hops::Both
            && options.tables.is_empty()
            && task.limits.command != GuardedCommand::Repair;
        notes.extend(match settles {
            true => tools.settle_gone(&gone, &self.settings.target),
            false => gone.iter().map(gone_note).collect(),
        });
        notes.extend(self.stand_aside(&base, &plan)?);
        let scope = self.scope(&tools, &gate, task.limits.clone(), options);
        let tables = self.move_tables(&scope, &plan, run, each)?;
        let ending = RunEnding {
            tracker: &tools.tracker,
            cancel: &self.cancel,
            hops: options.hops,
            looked_at: base.scope.looked_at,
            keep_days: self.settings.run.keep_runs,
        };
        ending.record(&tables);
        let objects = self.make_objects(&base, &tables);
        notes.extend(objects.failed.iter().map(FailedObject::sentence));
        // A copy that was made again is not taken up any more.
        notes.extend(drop_leftovers(&tools, &leftovers));
        let report = self.report(&started, tables, notes);
        Ok(RunReport { omissions: base.omissions, objects, ..report })
    }

    fn move_tables(
        &self,
        scope: &RunScope<'_>,
        plan: &Plan,
        run: RunId,
        each: impl Fn(&RunScope<'_>, &TablePlan) -> TableReport + Sync,
    ) -> Result<Vec<TableReport>> {
        self.observer.event(&RunEvent::RunStarted {
            run,
            tables: plan.tables.len() + plan.refused.len(),
            rows: plan.tables.iter().map(|context| context.schema.rows).sum(),
        });
        let mut reports: Vec<TableReport> =
            plan.refused.iter().map(|refused| scope.refuse(refused)).collect();
        let moved = fly(
            &plan.tables,
            self.settings.run.jobs,
            scope.gate,
            |context| each(scope, context),
            |context, panic| scope.failed(context, panic),
        )?;
        reports.extend(moved);
        reports.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(reports)
    }

    fn tools(
        &self,
        base: &RunBase<'_>,
        tracker: Tracker,
        replicator: Option<Replicator>,
        lock: RunLock,
        options: &RunOptions,
    ) -> RunTools {
        let servers = &base.session.servers;
        let (from, to) = (servers.load_from(), &servers.target);
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
        let throttle = self.settings.max_rows_per_second.map(RowThrottle::new);
        let reads_source = servers.replica.is_none();
        RunTools {
            replicator: replicator
                .filter(|_| options.hops != Hops::Load)
                .map(|replicator| replicator.throttle(throttle.clone())),
            loader: Loader::new(from.clone(), to.clone(), loader_options)
                .throttle(throttle.clone().filter(|_| reads_source)),
            strategies: self.strategies(),
            servers: servers.clone(),
            schema,
            tracker,
            lock,
            sums: self.settings.run.sums,
            values: self.settings.values,
            throttle,
            cancel: self.cancel.clone(),
            observer: Arc::clone(&self.observer),
            lock_timeout: self.settings.target.lock_timeout,
            changes_made: ChangesMade::default(),
            objects: self.maker_options(),
        }
    }

    fn scope<'a>(
        &self,
        tools: &'a RunTools,
        gate: &'a Gate,
        limits: DeleteLimits,
        options: &RunOptions,
    ) -> RunScope<'a> {
        let stages = Stages {
            hops: options.hops,
            has_replica: tools.servers.replica.is_some(),
            proof: options.prove.by(self.settings.run.proof),
        };
        RunScope {
            stages,
            chunk_rows: self.settings.selection.chunk_rows,
            limits,
            spool: options.from_spool.clone(),
            questions: tools,
            movers: tools,
            records: tools,
            gate,
            lock_lost: AtomicBool::new(false),
            retries: self.retries(),
            retried: RetryCounts::default(),
            cancel: self.cancel.clone(),
            observer: Arc::clone(&self.observer),
        }
    }

    fn strategies(&self) -> StrategySet {
        let folder = self.settings.run.spool_dir.clone();
        StrategySet::new(
            self.memory_of_a_table(),
            self.settings.selection.chunk_rows,
            SpoolSettings { folder, keep: false },
        )
    }

    /// The bytes that one row may have: a quarter of the limit, however many tables move at once.
    fn largest_row(&self) -> usize {
        self.settings.run.memory_limit_mb as usize * 1024 * 1024 / 4
    }

    fn report(
        &self,
        started: &RunStart,
        tables: Vec<TableReport>,
        notes: Vec<String>,
    ) -> RunReport {
        let good = tables.iter().filter(|table| table.status == TableStatus::Ok).count();
        let failed = tables.len() - good;
        self.observer.event(&RunEvent::RunFinished {
            ok: good,
            failed,
            duration: started.clock.elapsed(),
        });
        RunReport {
            run_id: started.run,
            started_at: started.at,
            finished_at: Timestamp::now(),
            ok: failed == 0,
            cancelled: self.is_interrupted(),
            schema: self.settings.target.schema.clone(),
            tables,
            omissions: OmissionReport::default(),
            objects: ObjectReport::default(),
            notes,
        }
    }
}

/// The identity of a run and the time at which it began.
struct RunStart {
    run: RunId,
    at: Timestamp,
    clock: Instant,
}

/// The bounds of a run.
pub(crate) struct Task {
    /// The limits on the rows that may be deleted.
    pub(crate) limits: DeleteLimits,
    /// The time from which no further table is started.
    pub(crate) until: Option<TimeOfDay>,
}

/// Drops the tables that dead runs left in the target, but for those of broken loads that may be taken up,
/// since the copy that they read is still there. Returns the error that kept it from doing so.
fn drop_leftovers(tools: &RunTools, names: &[String]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let states = match tools.tracker.states() {
        Ok(states) => states,
        Err(error) => return Some(chain(&error)),
    };
    let loadable: Vec<_> = states.values().filter_map(TrackedTable::loadable_copy).collect();
    tools.loader.drop_leftovers(names, &loadable).err().map(|error| chain(&error))
}
