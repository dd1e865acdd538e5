//! Connections: pools, sessions, faults as people read them, locks, orphans, cancelling.

mod cancelling;
mod connecting;
mod copying;
mod creating;
mod lines;
mod locks;
mod pools;
mod tls;

use handoff_connect::{MyPool, PgPool, PoolOptions, Side};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, PgServer};
use handoff_testbed::Trio;

fn options(run: RunId) -> PoolOptions {
    PoolOptions { size: 4, run, ..PoolOptions::default() }
}

fn my_server(url: &str) -> MySqlServer {
    MySqlServer::from_url(url).unwrap()
}

fn pg_server(url: &str) -> PgServer {
    PgServer::from_url(url).unwrap()
}

fn replica(trio: &Trio, run: RunId) -> MyPool {
    MyPool::open(&my_server(&trio.replica_url()), Side::Replica, &options(run)).unwrap()
}

fn target(trio: &Trio, run: RunId) -> PgPool {
    PgPool::open(&pg_server(&trio.target_url()), &options(run)).unwrap()
}
