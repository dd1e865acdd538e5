//! What every run begins with, from the first connection to the plan.
//!
//! Each step may be made again from its beginning: what is there is left as it is, what is interrupted is mended,
//! and a lock that an earlier attempt left with a lost connection is known as our own. So a fault that may pass by
//! itself costs a new attempt at all of them, as it does a table.

use crate::base::{Base, read_catalogue};
use crate::pipeline::Pipeline;
use crate::planning::Planned;
use crate::recover::Recovery;
use crate::{Error, Result, RunOptions, chain};
use handoff_connect::{
    Fault, PgPool, RetryNotice, RetryPolicy, TransientError, grant_select, retry,
};
use handoff_model::{RunEvent, RunId};
use handoff_replicator::Replicator;
use handoff_settings::TargetSettings;
use handoff_tracking::{LockRefused, LockTerms, RunLock, Tracker};
use jiff::Timestamp;
use std::error::Error as _;
use std::time::Duration;

/// How long an interrupted run's sessions in the source may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(30);

/// A run that has its servers, its lock and its plan, and has moved nothing yet.
pub(crate) struct StartedRun {
    pub(crate) base: Base,
    pub(crate) replicator: Option<Replicator>,
    pub(crate) tracker: Tracker,
    pub(crate) lock: RunLock,
    pub(crate) planned: Planned,
}

impl Pipeline {
    /// Makes everything ready that a run needs, again after a transient fault.
    pub(crate) fn start(&self, run: RunId, options: &RunOptions) -> Result<StartedRun> {
        self.patiently(|| self.try_start(run, options))
    }

    /// Does what a command begins with, again after a transient fault, and tells the observer.
    pub(crate) fn patiently<T>(&self, mut begin: impl FnMut() -> Result<T>) -> Result<T> {
        let tell = |again: RetryNotice<'_, Error>| {
            let (seconds, why) = (again.wait.as_secs_f64(), chain(again.error));
            self.notice(format!("the start failed and is tried again in {seconds:.1} s: {why}"));
        };
        retry(&self.retries(), &self.cancel, tell, &mut begin)
    }

    /// How often and how patiently what failed is tried again.
    pub(crate) fn retries(&self) -> RetryPolicy {
        RetryPolicy { attempts: self.settings.run.max_retries + 1, ..RetryPolicy::default() }
    }

    fn try_start(&self, run: RunId, options: &RunOptions) -> Result<StartedRun> {
        let mut base = self.look(&self.opening(run, options.hops)?, options)?;
        let replicator = self.replicator(&base.servers)?;
        let tracker = self.open_tracker(&base, run)?;
        let lock = self.lock(&tracker, options)?;
        if options.wait.waits() {
            // The run that was waited for may have changed what there is.
            base.looked_at = Timestamp::now();
            base.catalogue = read_catalogue(base.servers.origin())?;
            base.wanted = self.wanted(&base.catalogue, options)?;
        }
        self.cancel.check()?;
        self.let_readers_see_tracking(&base.servers.target)
            .map_err(Error::server("let the roles of grant_select_to read the tracking tables"))?;
        self.end_orphans(&base, &tracker)?;
        let planned = self.make_plan(&base, &tracker, options, Recovery::Make)?;
        base.ownership.record(&planned.judged, &tracker)?;
        if options.adopt {
            planned.plan.adopt(&tracker)?;
        }
        self.cancel.check()?;
        Ok(StartedRun { base, replicator, tracker, lock, planned })
    }

    fn lock(&self, tracker: &Tracker, options: &RunOptions) -> Result<RunLock> {
        let terms = LockTerms {
            wait: options.wait.with(&self.cancel),
            silence: self.settings.run.lock_silence,
            tell: &|refused| self.notice(format!("waiting: {refused}")),
        };
        tracker.lock_by(&terms).map_err(Error::locked)
    }

    fn open_tracker(&self, base: &Base, run: RunId) -> Result<Tracker> {
        let target = &self.settings.target;
        let servers = &base.servers;
        servers
            .target
            .ensure_schema(&target.schema, &target.grant_select_to)
            .map_err(Error::server("make the schema of the target"))?;
        let replica = servers.replica.clone();
        Ok(Tracker::open(run, replica, servers.target.clone(), &target.schema)?)
    }

    /// The roles that read our tables may read how fresh they are, too.
    fn let_readers_see_tracking(&self, target: &PgPool) -> handoff_connect::Result<()> {
        let TargetSettings { schema, grant_select_to, .. } = &self.settings.target;
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
                let ended = source.end_orphans(dead, ORPHAN_PATIENCE);
                ended.map_err(Error::server("end the sessions of an interrupted run"))?;
            }
        }
        for sentence in tracker.end_orphans()? {
            self.notice(sentence);
        }
        Ok(())
    }

    pub(crate) fn notice(&self, text: String) {
        self.observer.event(&RunEvent::Notice { table: None, text });
    }
}

impl TransientError for Error {
    /// Returns true if a server's fault that may pass by itself is behind it.
    fn is_transient(&self) -> bool {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(fault) = error.downcast_ref::<Fault>() {
                return fault.is_transient();
            }
            cause = error.source();
        }
        false
    }
}

impl Error {
    /// Says why the lock of a run cannot be had.
    pub(crate) fn locked(refused: LockRefused) -> Error {
        match refused {
            LockRefused::Cancelled(cancelled) => Error::Cancelled(cancelled),
            refused if refused.is_strangers() => Error::LockTaken(refused),
            refused @ LockRefused::Held { .. } => Error::Locked(refused),
            refused => Error::Lock(refused),
        }
    }
}
