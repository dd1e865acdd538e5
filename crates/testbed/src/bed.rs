//! The servers that all tests of one process share.

use crate::database_names;
use crate::endpoint::{MySqlEndpoint, PgEndpoint};
use crate::error::{Result, TestbedError};
use crate::keeper::stop_on_signals;
use crate::mariadb::MariaDb;
use crate::options::ServerOptions;
use crate::postgres::Postgres;
use std::{env, sync::OnceLock, thread};

/// A URL of a MariaDB or MySQL administrator, to use that server as the source.
pub const SOURCE_URL: &str = "HANDOFF_TEST_SOURCE_URL";
/// A URL of a MariaDB or MySQL administrator, to use that server as the replica.
pub const REPLICA_URL: &str = "HANDOFF_TEST_REPLICA_URL";
/// A URL of a PostgreSQL superuser, to use that server as the target.
pub const TARGET_URL: &str = "HANDOFF_TEST_TARGET_URL";

/// A MariaDB source, a MariaDB replica and a PostgreSQL target.
#[derive(Debug)]
pub struct Bed {
    source: MySqlEndpoint,
    replica: MySqlEndpoint,
    target: PgEndpoint,
    /// Kept for their `Drop`; in the shared bed the process's exit stands in for it.
    _own: (Option<MariaDb>, Option<MariaDb>, Option<Postgres>),
}

impl Bed {
    /// Returns the bed that all tests of this process share, started at the first call.
    ///
    /// Whatever is done to one of its servers is done to all tests: to stop or kill one, start your
    /// own.
    ///
    /// # Panics
    ///
    /// Panics if the servers can't be had: a live test fails without them, and is never skipped.
    pub fn shared() -> &'static Bed {
        static BED: OnceLock<Bed> = OnceLock::new();
        BED.get_or_init(|| {
            stop_on_signals();
            match Bed::start(&ServerOptions::default()) {
                Ok(bed) => bed,
                Err(error) => panic!("the test servers are missing: {}", error.chain()),
            }
        })
    }

    /// Starts three servers, or takes those named in the environment.
    ///
    /// # Errors
    ///
    /// Returns what kept a server from starting.
    pub fn start(options: &ServerOptions) -> Result<Bed> {
        let (source, replica, target) = thread::scope(|scope| {
            let source = scope.spawn(|| mysql_server(SOURCE_URL, options));
            let replica = scope.spawn(|| mysql_server(REPLICA_URL, options));
            let target = postgres_server(options);
            (source.join(), replica.join(), target)
        });
        let (source, own_source) = source.unwrap_or_else(|_| Err(thread_lost()))?;
        let (replica, own_replica) = replica.unwrap_or_else(|_| Err(thread_lost()))?;
        let (target, own_target) = target?;
        database_names::sweep(&[&source, &replica], &target)?;
        Ok(Bed { source, replica, target, _own: (own_source, own_replica, own_target) })
    }

    /// Returns the source server.
    pub fn source(&self) -> &MySqlEndpoint {
        &self.source
    }

    /// Returns the replica server.
    pub fn replica(&self) -> &MySqlEndpoint {
        &self.replica
    }

    /// Returns the target server.
    pub fn target(&self) -> &PgEndpoint {
        &self.target
    }
}

fn mysql_server(
    variable: &str,
    options: &ServerOptions,
) -> Result<(MySqlEndpoint, Option<MariaDb>)> {
    if let Ok(url) = env::var(variable) {
        return Ok((MySqlEndpoint::from_url(variable, &url)?, None));
    }
    let server = MariaDb::start(&without_arguments(options))?;
    Ok((server.endpoint().clone(), Some(server)))
}

fn postgres_server(options: &ServerOptions) -> Result<(PgEndpoint, Option<Postgres>)> {
    if let Ok(url) = env::var(TARGET_URL) {
        return Ok((PgEndpoint::from_url(TARGET_URL, &url)?, None));
    }
    let server = Postgres::start(&without_arguments(options))?;
    Ok((server.endpoint().clone(), Some(server)))
}

/// One kind of server's arguments make no sense to the other.
fn without_arguments(options: &ServerOptions) -> ServerOptions {
    ServerOptions { durability: options.durability, ..ServerOptions::default() }
}

fn thread_lost() -> TestbedError {
    TestbedError::NotAvailable("the thread that started a server panicked".to_owned())
}
