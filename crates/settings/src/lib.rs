//! Reads `handoff.toml` and the environment into validated [`Settings`].

mod secret;
mod server;
mod table;
mod values;

pub use secret::Secret;
pub use server::{MySqlServer, PgServer, Tls, TlsMode};
pub use table::{Lookback, TableSettings};
pub use values::{BadJson, BadText, NulBytes, Values, ZeroDates};

use handoff_model::TableName;
use std::num::NonZeroUsize;

/// Everything a run needs to know, validated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The application's database; only ever read.
    pub source: MySqlServer,
    /// Our own MySQL between the hops. Without it the load reads the source.
    pub replica: Option<MySqlServer>,
    /// The analytics database.
    pub target: Target,
    /// How a run goes.
    pub run: Run,
    /// What to do with values PostgreSQL cannot hold.
    pub values: Values,
    /// Which loading strategy for which size.
    pub selection: Selection,
    /// The tables that have settings of their own, by name.
    pub tables: std::collections::BTreeMap<TableName, TableSettings>,
}

impl Settings {
    /// Returns the settings of one table: its own, or the defaults.
    pub fn table(&self, name: &TableName) -> TableSettings {
        self.tables.get(name).cloned().unwrap_or_default()
    }
}

/// The analytics database and what we make in it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is.
    pub server: PgServer,
    /// The schema that holds the tables.
    pub schema: String,
    /// Roles that may read what we create.
    pub grant_select_to: Vec<String>,
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Run {
    /// Tables in flight.
    pub jobs: NonZeroUsize,
    /// Globs of the tables to take.
    pub include: Vec<String>,
    /// Globs of the tables to leave out; wins over `include`.
    pub exclude: Vec<String>,
    /// Bound of the buffers of the whole run, in MiB.
    pub memory_limit_mb: u32,
    /// Start no table after this time of the day (hour, minute), local time.
    pub until: Option<(u8, u8)>,
    /// Days that rows of `etl_runs` are kept.
    pub keep_runs: u32,
}

/// Sizes at which one loading strategy gives way to another.
#[derive(Debug, Clone)]
pub struct Selection {
    /// `parallel` above this number of rows.
    pub parallel_above_rows: u64,
    /// `chunked` above this size.
    pub chunked_above_mb: u64,
    /// `streaming` above this size.
    pub streaming_above_mb: u64,
    /// Rows of one chunk.
    pub chunk_rows: u64,
}
