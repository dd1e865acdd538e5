//! Throwaway MariaDB, MySQL and PostgreSQL servers and the sample practice.
//!
//! Tests, benches and `etl demo` run against real servers. This crate starts them from installed
//! programs, on free ports, with private data folders under `TMPDIR`, as root or not, and sees to it
//! that none of them outlives its process.
//!
//! ```no_run
//! use handoff_testbed::{MariaDb, Postgres, ServerOptions};
//!
//! # fn main() -> handoff_testbed::Result<()> {
//! let source = MariaDb::start(&ServerOptions::default())?;
//! source.endpoint().create_database("opendental")?;
//! let target = Postgres::start(&ServerOptions::default())?;
//! println!("{} {}", source.url("opendental"), target.url("postgres"));
//! # Ok(())
//! # }
//! ```
mod bed;
mod database_names;
mod endpoint;
mod error;
mod fetched;
mod folder;
mod keeper;
mod mariadb;
mod mysql9;
mod options;
mod pgbouncer;
mod postgres;
pub mod practice;
mod private;
mod process;
mod programs;
mod system;
mod trio;

pub use bed::{Bed, REPLICA_URL, SOURCE_URL, TARGET_URL};
pub use endpoint::{Account, MySqlEndpoint, PgEndpoint, quoted, quoted_pg};
pub use error::{Result, TestbedError};
pub use keeper::stop_on_signals;
pub use mariadb::MariaDb;
pub use mysql9::{MYSQL9_URL, MySql9, NO_MYSQL9};
pub use options::{Durability, ServerOptions};
pub use pgbouncer::PgBouncer;
pub use postgres::{NO_POSTGRES18, Postgres};
pub use private::{Answers, Private};
pub use programs::INSTALL;
pub use trio::{NULL, Row, Trio};
