//! Connections to MySQL and PostgreSQL: pools, TLS, session set-up, retry, and faults.
//!
//! This is the only crate that turns a driver's error into one of ours: a [`Fault`], which keeps
//! what helps (side, code, constraint, column) and drops what may hold a row's value.

mod fault;
mod my_pool;
mod pg_pool;
mod quote;
mod seal;
mod version;

pub use fault::{Fault, Result, Side};
pub use my_pool::{MyConn, MyPool, Profile};
pub use pg_pool::{PgConn, PgPool};
pub use quote::{quote_my, quote_my_text, quote_pg, quote_pg_text};
pub use seal::{Published, Seal};
pub use version::{Flavor, ServerVersion};

use handoff_model::RunId;

/// How a pool is opened.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The most connections at once.
    pub size: u32,
    /// The run that the sessions belong to; goes into `program_name` and `application_name`.
    pub run: RunId,
}
