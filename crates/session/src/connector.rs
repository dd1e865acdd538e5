//! Opening the servers, one by one.

use crate::error::{SessionError, SessionResult};
use crate::versions::{too_old_my, too_old_pg};
use handoff_connect::{Fault, MyPool, PgPool, PoolOptions, SessionProfile, Side};
use handoff_model::{CancelToken, RunId};
use handoff_settings::{MySqlServer, RunSettings, Settings};

/// The pools of a command. A pool that it does not need is not opened.
#[derive(Clone)]
pub struct Servers {
    /// The source, unless only hop 2 is made.
    pub source: Option<MyPool>,
    /// The replica, if there is one.
    pub replica: Option<MyPool>,
    /// The target.
    pub target: PgPool,
}

impl Servers {
    /// Returns the database that a run reads first.
    pub fn origin(&self) -> &MyPool {
        let origin = self.source.as_ref().or(self.replica.as_ref());
        origin.expect("a run that does not read the source reads the replica")
    }

    /// Returns the database that hop 2 reads.
    pub fn load_from(&self) -> &MyPool {
        let from = self.replica.as_ref().or(self.source.as_ref());
        from.expect("a run without a replica has both hops and so a source")
    }

    /// Asks for a connection, and returns the fault of a server that cannot be reached.
    pub fn gone(&self, side: Side) -> Option<Fault> {
        let asked = match side {
            Side::Source => self.source.as_ref()?.get(SessionProfile::Read).map(drop),
            Side::Replica => self.replica.as_ref()?.get(SessionProfile::Read).map(drop),
            Side::Target => self.target.get().map(drop),
        };
        asked.err().filter(Fault::is_disconnect)
    }
}

/// The name and the bounds of a session.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The run that it belongs to.
    pub run: RunId,
    /// The most connections a side.
    pub connections: u32,
    /// The request to stop.
    pub cancel: CancelToken,
}

/// Returns how a pool of `size` connections is opened for a run with these settings.
pub fn pool_options(run: &RunSettings, options: &SessionOptions) -> PoolOptions {
    PoolOptions {
        size: options.connections,
        run: options.run,
        silence: run.silence_timeout,
        largest_answer: run.memory_limit_mb as usize * 1024 * 1024 / 2,
        cancel: options.cancel.clone(),
    }
}

/// Opens the source of a command that knows no other server.
///
/// # Errors
///
/// Returns a [`SessionError`] if it cannot be reached or is too old.
pub fn open_source(server: &MySqlServer, options: &PoolOptions) -> SessionResult<MyPool> {
    new_enough(MyPool::open(server, Side::Source, options).map_err(SessionError::Connect)?)
}

/// Opens the servers of the settings.
pub(crate) struct Connector<'s> {
    settings: &'s Settings,
    options: PoolOptions,
}

impl<'s> Connector<'s> {
    pub(crate) fn new(settings: &'s Settings, options: &SessionOptions) -> Connector<'s> {
        Connector { settings, options: pool_options(&settings.run, options) }
    }

    pub(crate) fn source(&self) -> SessionResult<MyPool> {
        open_source(&self.settings.source, &self.options)
    }

    pub(crate) fn target(&self) -> SessionResult<PgPool> {
        let target = PgPool::open(&self.settings.target.server, &self.options)
            .map_err(SessionError::Connect)?;
        match too_old_pg(target.version_num()) {
            Some(problem) => Err(SessionError::TooOld { side: Side::Target, problem }),
            None => Ok(target),
        }
    }

    /// Opens the replica, whose database has to be there.
    pub(crate) fn replica(&self) -> SessionResult<Option<MyPool>> {
        let Some(replica) = &self.settings.replica else { return Ok(None) };
        let opened = MyPool::open(replica, Side::Replica, &self.options);
        new_enough(opened.map_err(SessionError::Connect)?).map(Some)
    }

    /// Opens the replica, if its database is there.
    pub(crate) fn replica_if_there(&self) -> SessionResult<Option<MyPool>> {
        let Some(replica) = &self.settings.replica else { return Ok(None) };
        let opened = MyPool::open_if_there(replica, Side::Replica, &self.options);
        opened.map_err(SessionError::Connect)?.map(new_enough).transpose()
    }

    /// Opens the replica, and makes its database where that is missing.
    pub(crate) fn make_replica(&self) -> SessionResult<Option<MyPool>> {
        let Some(replica) = &self.settings.replica else { return Ok(None) };
        let opened = MyPool::open_or_create(replica, Side::Replica, &self.options);
        new_enough(opened.map_err(SessionError::Connect)?).map(Some)
    }
}

fn new_enough(pool: MyPool) -> SessionResult<MyPool> {
    match too_old_my(pool.version()) {
        Some(problem) => Err(SessionError::TooOld { side: pool.side(), problem }),
        None => Ok(pool),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_memory_is_for_an_answer() {
        let settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        let run = RunSettings { memory_limit_mb: 64, ..settings.run };
        let cancel = CancelToken::new();
        let asked = SessionOptions { run: RunId::new(), connections: 7, cancel: cancel.clone() };
        let options = pool_options(&run, &asked);
        assert_eq!((options.size, options.run), (7, asked.run));
        assert_eq!(options.largest_answer, 32 << 20);
        assert_eq!(options.silence, run.silence_timeout);
        cancel.cancel();
        assert!(options.cancel.is_cancelled());
    }
}
