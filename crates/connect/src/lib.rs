//! Connections to MySQL and PostgreSQL: pools, TLS, session set-up, retry, and faults.
//!
//! This is the only crate that turns a driver's error into one of ours: a [`Fault`], which keeps
//! what helps (side, code, constraint, column) and drops what may hold a row's value.

mod create;
mod fault;
mod lock;
mod my_conn;
mod my_link;
mod my_pool;
mod my_session;
mod orphans;
mod pg_conn;
mod pg_link;
mod pg_pool;
mod quote;
mod retry;
mod seal;
mod sessions;
mod slots;
mod tls;
mod version;
mod wire;

pub use create::grant_select;
pub use fault::{Fault, Result, Side};
pub use lock::{HeldLock, LockHolder};
pub use my_conn::MyConn;
pub use my_pool::{MyPool, Profile};
pub use pg_conn::PgConn;
pub use pg_pool::PgPool;
pub use quote::{quote_my, quote_my_text, quote_pg, quote_pg_text};
pub use retry::{Retry, RetryPolicy, Transient, retry};
pub use seal::{Published, Seal};
pub use version::{Flavor, ServerVersion};
pub use wire::Wire;

use handoff_model::RunId;

/// How a pool is opened.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The most connections at once.
    pub size: u32,
    /// The run that the sessions belong to; goes into `program_name` and `application_name`.
    pub run: RunId,
}
