//! Connections to MySQL and PostgreSQL: pools, TLS, session set-up, retry, and faults.
//!
//! This is the only crate that turns a driver's error into one of ours: a [`Fault`], which keeps
//! what helps (side, code, constraint, column) and drops what may hold a row's value. Callers
//! borrow a connection from a [`MyPool`] or [`PgPool`], use the methods of [`MyClient`] or of PostgreSQL's
//! driver on it, and pass every error through the connection's `fault`.
//!
//! | Need | Use |
//! | --- | --- |
//! | a connection | [`MyPool::get`] with a [`SessionProfile`], [`PgPool::get`] |
//! | many rows, read or written | [`MyClient::rows`], [`MyClient::load_local`] |
//! | to stop a statement on request | [`MyPool::cancel_guard`], [`PgPool::cancel_guard`] |
//! | to leave a result half read | [`MyConn::wire`], [`MyConn::close`], [`PgConn::close`] |
//! | to try again what may pass | [`retry`] |
//! | one run at a time | `hold_lock` and `lock_holder` of both pools |
//! | to end what a dead run left | `end_orphans` of both pools |
//! | the replica database, the target schema | [`MyPool::open_or_create`], [`PgPool::ensure_schema`] |
//! | to make a table's data and its status one | [`PublishHook`] |
//! | to have a test's process die at a step | [`fault_point()`] |
//!
//! # Example
//!
//! ```no_run
//! use handoff_connect::{MyPool, PoolOptions, SessionProfile, Side};
//! use handoff_settings::MySqlServer;
//!
//! # fn example(server: &MySqlServer) -> handoff_connect::Result<()> {
//! let options = PoolOptions { size: 4, ..PoolOptions::default() };
//! let pool = MyPool::open(server, Side::Source, &options)?;
//! let mut conn = pool.get(SessionProfile::Read)?;
//! let tables: Vec<String> = conn.query("SHOW TABLES").map_err(|error| conn.fault(&error))?;
//! # drop(tables);
//! # Ok(())
//! # }
//! ```
//!
//! # What a server may say
//!
//! The MySQL driver signs in, and no more: it would believe whatever it is told of an answer. Each packet behind that
//! is read and judged by [`MyClient`]. PostgreSQL's driver is kept, and reads through a line of ours that spares it what
//! is too large and types that nobody asked for.

#![warn(unreachable_pub)]

mod activity;
mod copy_data;
mod create;
mod dial;
mod fault;
mod fault_point;
mod foresee;
mod identity;
mod layered;
mod leftover;
mod lock;
mod my_conn;
mod my_line;
mod my_link;
mod my_pool;
mod my_rows;
mod my_session;
mod orphans;
mod paste;
mod patience;
mod pg_conn;
mod pg_guard;
mod pg_holding;
mod pg_line;
mod pg_link;
mod pg_lock;
mod pg_pool;
mod pg_requests;
mod pg_session;
mod pg_watched;
mod pool_options;
mod pooler;
mod protection;
mod protocol;
mod quote;
mod reach;
mod retry;
mod seal;
mod seat;
mod session_profile;
mod sessions;
mod slots;
mod tls;
mod value_ref;
mod version;
mod watchdog;
mod wire;

pub use create::grant_select;
pub use fault::{Fault, Result, Side};
pub use fault_point::{FAULT_POINTS, fault_point};
pub use identity::{DatabaseIdentity, IdentityMatch};
pub use leftover::{Leftover, LeftoverKind};
pub use lock::{HeldLock, LOCK_SILENCE, LockHolder};
pub use my_conn::{MyConn, StatementGuard};
pub use my_pool::MyPool;
#[cfg(any(test, feature = "fuzzing"))]
pub use my_rows::fuzzing;
pub use my_rows::{LoadDataResult, MyClient, MyPacket, MyRows};
pub use paste::{paste_my, paste_pg};
pub use pg_conn::PgConn;
pub use pg_pool::PgPool;
pub use pool_options::PoolOptions;
pub use protection::{LinkProtection, PeerTrust};
pub use quote::{quote_my, quote_my_account, quote_my_text, quote_pg, quote_pg_text};
pub use retry::{RetryNotice, RetryPolicy, TransientError, retry};
pub use seal::{PublishHook, PublishedRows};
pub use session_profile::SessionProfile;
pub use value_ref::ValueRef;
pub use version::{ServerFlavor, ServerVersion};
pub use wire::SocketHandle;
