//! The servers of a run.

use crate::{Error, Hops, Result};
use handoff_connect::{MyPool, PgPool, PoolOptions, Side};
use handoff_model::RunId;
use handoff_settings::Settings;

/// The pools of a run. A pool that the run does not need is not opened.
pub(crate) struct Servers {
    pub(crate) source: Option<MyPool>,
    pub(crate) replica: Option<MyPool>,
    pub(crate) target: PgPool,
}

impl Servers {
    /// Connects to what `hops` needs. Makes nothing anywhere.
    pub(crate) fn open(settings: &Settings, run: RunId, hops: Hops) -> Result<Servers> {
        // A table in flight holds at most one connection a side; the catalogue, the lock and the
        // proof need another now and then.
        let size = u32::try_from(settings.run.jobs.get()).unwrap_or(u32::MAX).saturating_add(2);
        let options = PoolOptions { size, run };
        let source = (hops != Hops::Load)
            .then(|| MyPool::open(&settings.source, Side::Source, &options))
            .transpose()
            .map_err(Error::Connect)?;
        let target = PgPool::open(&settings.target.server, &options).map_err(Error::Connect)?;
        let replica = settings
            .replica
            .as_ref()
            .map(|replica| MyPool::open_or_create(replica, Side::Replica, &options))
            .transpose()
            .map_err(Error::Connect)?;
        if replica.is_none() && hops != Hops::Both {
            return Err(Error::NoReplica);
        }
        Ok(Servers { source, replica, target })
    }

    /// The database that the run reads first.
    pub(crate) fn origin(&self) -> &MyPool {
        let origin = self.source.as_ref().or(self.replica.as_ref());
        origin.expect("a run that does not read the source reads the replica")
    }

    /// The pool that hop 2 reads.
    pub(crate) fn load_from(&self) -> &MyPool {
        let from = self.replica.as_ref().or(self.source.as_ref());
        from.expect("a run without a replica has both hops and so a source")
    }
}
