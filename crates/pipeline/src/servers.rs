//! The servers of a run.

use crate::stopping::pool_options;
use crate::versions::{too_old_my, too_old_pg};
use crate::{Error, Hops, Pipeline, Result};
use handoff_connect::{Fault, MyPool, PgPool, PoolOptions, SessionProfile, Side};
use handoff_loader::StrategySet;
use handoff_model::{CancelToken, RunId};
use handoff_settings::Settings;

/// The pools of a run. A pool that the run does not need is not opened.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) source: Option<MyPool>,
    pub(crate) replica: Option<MyPool>,
    pub(crate) target: PgPool,
}

impl Servers {
    /// The database that the run reads first.
    pub(crate) fn origin(&self) -> &MyPool {
        let origin = self.source.as_ref().or(self.replica.as_ref());
        origin.expect("a run that does not read the source reads the replica")
    }

    /// Asks for a connection, and returns the fault of a server that cannot be reached.
    pub(crate) fn gone(&self, side: Side) -> Option<Fault> {
        let my = |pool: &Option<MyPool>| {
            pool.as_ref().map(|pool| pool.get(SessionProfile::Read).map(drop))
        };
        let asked = match side {
            Side::Source => my(&self.source)?,
            Side::Replica => my(&self.replica)?,
            Side::Target => self.target.get().map(drop),
        };
        asked.err().filter(Fault::is_disconnect)
    }

    /// The pool that hop 2 reads.
    pub(crate) fn load_from(&self) -> &MyPool {
        let from = self.replica.as_ref().or(self.source.as_ref());
        from.expect("a run without a replica has both hops and so a source")
    }
}

/// Opens the pools of a run, one by one.
pub(crate) struct Opening<'a> {
    settings: &'a Settings,
    hops: Hops,
    options: PoolOptions,
    /// Whether nothing may be made.
    only_looks: bool,
}

impl Pipeline {
    /// Opens the servers for `run`.
    pub(crate) fn opening(&self, run: RunId, hops: Hops) -> Result<Opening<'_>> {
        Opening::new(&self.settings, run, hops, &self.cancel)
    }
}

impl<'a> Opening<'a> {
    fn new(
        settings: &'a Settings,
        run: RunId,
        hops: Hops,
        cancel: &CancelToken,
    ) -> Result<Opening<'a>> {
        if settings.replica.is_none() && hops != Hops::Both {
            return Err(Error::NoReplica);
        }
        // A table in flight holds at most one connection a side, or waits for the workers that all
        // share; the catalogue, the proof and the record of a failure need another now and then.
        let size = StrategySet::default().connections(settings.run.jobs.get());
        let size = u32::try_from(size).unwrap_or(u32::MAX).saturating_add(2);
        let options = pool_options(&settings.run, size, run, cancel);
        Ok(Opening { settings, hops, options, only_looks: false })
    }

    /// Makes nothing that is missing.
    pub(crate) fn only_looking(self) -> Opening<'a> {
        Opening { only_looks: true, ..self }
    }

    /// The source, unless only hop 2 is made.
    pub(crate) fn source(&self) -> Result<Option<MyPool>> {
        if self.hops == Hops::Load {
            return Ok(None);
        }
        let opened = MyPool::open(&self.settings.source, Side::Source, &self.options);
        new_enough(opened.map_err(Error::Connect)?).map(Some)
    }

    pub(crate) fn target(&self) -> Result<PgPool> {
        let target = PgPool::open(&self.settings.target.server, &self.options);
        let target = target.map_err(Error::Connect)?;
        match too_old_pg(target.version_num()) {
            Some(problem) => Err(Error::TooOld { side: Side::Target, problem }),
            None => Ok(target),
        }
    }

    /// The replica, if it is there.
    pub(crate) fn replica_if_there(&self) -> Result<Option<MyPool>> {
        let Some(replica) = &self.settings.replica else { return Ok(None) };
        let opened = MyPool::open_if_there(replica, Side::Replica, &self.options);
        opened.map_err(Error::Connect)?.map(new_enough).transpose()
    }

    /// The replica, if there is to be one. Its database is made where it is missing, unless it is
    /// to be read; who only looks finds none.
    pub(crate) fn replica(&self) -> Result<Option<MyPool>> {
        let Some(replica) = &self.settings.replica else { return Ok(None) };
        let opened = match self.hops {
            _ if self.only_looks => MyPool::open_if_there(replica, Side::Replica, &self.options),
            Hops::Load => MyPool::open(replica, Side::Replica, &self.options).map(Some),
            Hops::Both | Hops::Copy => {
                MyPool::open_or_create(replica, Side::Replica, &self.options).map(Some)
            }
        };
        opened.map_err(Error::Connect)?.map(new_enough).transpose()
    }
}

fn new_enough(pool: MyPool) -> Result<MyPool> {
    match too_old_my(pool.version()) {
        Some(problem) => Err(Error::TooOld { side: pool.side(), problem }),
        None => Ok(pool),
    }
}
