//! The settings of a run, resolved.

use crate::error::{FilePlace, SettingsError, SettingsProblem};
use crate::objects::{NameCase, ObjectSettings};
use crate::server::{MySqlServer, PgServer};
use crate::structure::{DroppedColumns, DroppedTables, StructurePolicy};
use crate::table::TableSettings;
use crate::time_of_day::TimeOfDay;
use crate::url::UrlError;
use crate::values::ValuePolicies;
use crate::written::WrittenAt;
use handoff_model::{Extraction, ProofBy, SumBy, TableName};
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Everything a run needs to know, validated.
///
/// Made by [`Settings::load`] from files, or by [`Settings::new`] in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The application's database; only ever read.
    pub source: MySqlServer,
    /// The most rows a run reads from the source in a second; [`None`] is no bound.
    pub max_rows_per_second: Option<NonZeroU32>,
    /// The evidence by which sources are told apart.
    pub source_identity: IdentityBy,
    /// Our own MySQL between the hops. Without it the load reads the source.
    pub replica: Option<MySqlServer>,
    /// The analytics database.
    pub target: TargetSettings,
    /// The course of a run.
    pub run: RunSettings,
    /// The policies for values that PostgreSQL cannot hold.
    pub values: ValuePolicies,
    /// The loading strategy for each size.
    pub selection: StrategySelection,
    /// The tables that have settings of their own, by name.
    pub tables: BTreeMap<TableName, TableSettings>,
    /// Notes of what the files may say and had better not.
    pub warnings: Vec<SettingsProblem>,
}

impl Settings {
    /// Makes settings in code: the three URLs, and the default of everything else.
    ///
    /// The fields are public; change what should differ. `config/handoff.toml` documents each.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Invalid`] with everything that is wrong with the URLs.
    pub fn new(
        source_url: &str,
        replica_url: Option<&str>,
        target_url: &str,
    ) -> Result<Settings, SettingsError> {
        let mut problems = Vec::new();
        let source = noted(&mut problems, "source", MySqlServer::from_url(source_url));
        let replica =
            replica_url.map(|url| noted(&mut problems, "replica", MySqlServer::from_url(url)));
        let target = noted(&mut problems, "target", PgServer::from_url(target_url));
        if let (Some(source), Some(Some(replica))) = (&source, &replica)
            && replica.is_same_database(source)
        {
            problems.push(SettingsProblem::new(FilePlace::Code, REPLICA_IS_SOURCE));
        }
        match (source, target) {
            (Some(source), Some(target)) if problems.is_empty() => {
                Ok(Settings::assemble(source, replica.flatten(), TargetSettings::new(target)))
            }
            _ => Err(SettingsError::Invalid { problems }),
        }
    }

    /// Puts the servers together with the default of everything else.
    pub(crate) fn assemble(
        source: MySqlServer,
        replica: Option<MySqlServer>,
        target: TargetSettings,
    ) -> Settings {
        Settings {
            source,
            max_rows_per_second: None,
            source_identity: IdentityBy::default(),
            replica,
            target,
            run: RunSettings::default(),
            values: ValuePolicies::default(),
            selection: StrategySelection::default(),
            tables: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns the settings of one table: its own, or the defaults.
    pub fn table(&self, name: &TableName) -> TableSettings {
        let own = self.tables.get(name).cloned().unwrap_or_default();
        TableSettings { name_case: self.target.name_case, ..own }
    }

    /// Returns the objects that a table of the target gets.
    pub fn objects_of(&self, name: &TableName) -> ObjectSettings {
        let own = self.tables.get(name).and_then(|table| table.objects);
        own.unwrap_or(self.target.objects)
    }

    /// Returns the policy for a table whose structure in the source changed.
    pub fn structure_of(&self, name: &TableName) -> StructurePolicy {
        let own = self.tables.get(name).and_then(|table| table.structure);
        own.unwrap_or(self.target.structure)
    }
}

/// The evidence that a source is the one that was copied before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdentityBy {
    /// The identity that its server reports.
    #[default]
    Server,
    /// Its address and name alone: servers that hold the same data take turns behind it.
    Address,
}

/// The message if both hops would work on one database.
pub(crate) const REPLICA_IS_SOURCE: &str = "the replica is the source itself, which is never \
     written to; give [replica] a database of its own, or leave [replica] out to load from the \
     source";

fn noted<T>(
    problems: &mut Vec<SettingsProblem>,
    section: &str,
    parsed: Result<T, UrlError>,
) -> Option<T> {
    match parsed {
        Ok(server) => Some(server),
        Err(error) => {
            problems.push(SettingsProblem::new(FilePlace::Code, format!("{section}.url: {error}")));
            None
        }
    }
}

/// The analytics database and what we make in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSettings {
    /// The server.
    pub server: PgServer,
    /// The schema that holds the tables.
    pub schema: String,
    /// Roles that may read what we create.
    pub grant_select_to: Vec<String>,
    /// The policy for tables whose structure in the source changed.
    pub structure: StructurePolicy,
    /// The fate of columns that are gone from the source.
    pub dropped_columns: DroppedColumns,
    /// The fate of tables that are gone from the source.
    pub dropped_tables: DroppedTables,
    /// The longest that a change of a table's structure waits for a lock, and so the longest that a reader waits
    /// behind it.
    pub lock_timeout: Duration,
    /// The case of the names of tables and columns.
    pub name_case: NameCase,
    /// The objects that the tables get beside their columns and keys.
    pub objects: ObjectSettings,
}

impl TargetSettings {
    /// The schema `raw` of `server`, readable by nobody else.
    pub fn new(server: PgServer) -> TargetSettings {
        TargetSettings {
            server,
            schema: "raw".to_owned(),
            grant_select_to: Vec::new(),
            structure: StructurePolicy::default(),
            dropped_columns: DroppedColumns::default(),
            dropped_tables: DroppedTables::default(),
            lock_timeout: Duration::from_secs(2),
            name_case: NameCase::Kept,
            objects: ObjectSettings::KEYS,
        }
    }
}

/// The course of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSettings {
    /// Tables in flight.
    pub jobs: NonZeroUsize,
    /// Globs of the tables to take. [`TableFilter`](crate::TableFilter) applies them.
    pub include: Vec<String>,
    /// Their place in the file.
    pub include_at: WrittenAt,
    /// Globs of the tables to leave out; wins over `include`.
    pub exclude: Vec<String>,
    /// Their place in the file.
    pub exclude_at: WrittenAt,
    /// Bound of the buffers of the whole run, in MiB.
    pub memory_limit_mb: u32,
    /// The number of times that a step which met a transient fault is tried again.
    pub max_retries: u32,
    /// The time after which the lock of a run that a server hears nothing of comes free.
    pub lock_silence: Duration,
    /// Start no table after this time of the day, in the machine's time zone.
    pub until: Option<TimeOfDay>,
    /// The longest that a server may be silent while its answer is waited for.
    pub silence_timeout: Duration,
    /// The longest that a run may take as a whole.
    pub max_duration: Duration,
    /// The part of a table that a run moves, unless the settings of the table say it.
    pub extraction: Extraction,
    /// The time after which a table whose extraction is [`Extraction::Auto`] is compared in all databases, whatever
    /// the source tells.
    pub recheck: Duration,
    /// Days that rows of `etl_runs` are kept.
    pub keep_runs: u32,
    /// The most rows of a table, in percent, that a comparison may have deleted from a copy of it.
    pub max_delete_percent: u8,
    /// By what a run proves that a table arrived.
    pub proof: ProofBy,
    /// The side that sums the rows of source and replica when they are compared.
    pub sums: SumBy,
    /// The folder of the files that `copy_csv` writes; the system's for temporary files if [`None`].
    pub spool_dir: Option<PathBuf>,
}

impl RunSettings {
    /// The numbers that [`jobs`](RunSettings::jobs) takes, in a file and on a command line.
    pub const JOBS: RangeInclusive<u32> = 1..=256;
}

impl Default for RunSettings {
    fn default() -> RunSettings {
        RunSettings {
            jobs: const { NonZeroUsize::new(4).expect("four is not zero") },
            include: vec!["*".to_owned()],
            include_at: WrittenAt::default(),
            exclude: Vec::new(),
            exclude_at: WrittenAt::default(),
            memory_limit_mb: 512,
            max_retries: 3,
            lock_silence: Duration::from_secs(120),
            until: None,
            silence_timeout: Duration::from_secs(5 * 60),
            max_duration: Duration::from_secs(24 * 3600),
            extraction: Extraction::Auto,
            recheck: Duration::from_secs(7 * 24 * 3600),
            keep_runs: 90,
            max_delete_percent: 20,
            proof: ProofBy::Sums,
            sums: SumBy::Auto,
            spool_dir: None,
        }
    }
}

/// Sizes at which one loading strategy gives way to another; the first that applies is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategySelection {
    /// `parallel` above this number of rows.
    pub parallel_above_rows: u64,
    /// `chunked` above this size.
    pub chunked_above_mb: u64,
    /// `streaming` above this size, `standard` up to it.
    pub streaming_above_mb: u64,
    /// Rows of one chunk.
    pub chunk_rows: u64,
}

impl Default for StrategySelection {
    fn default() -> StrategySelection {
        // One stream is the fastest way at every size that was measured (docs/benchmarks.md), and
        // half of a table is read again in minutes: only what takes an hour is worth the commits of
        // `chunked` or the connections of `parallel`.
        StrategySelection {
            parallel_above_rows: 100_000_000,
            chunked_above_mb: 20_000,
            streaming_above_mb: 0,
            chunk_rows: 25_000,
        }
    }
}
