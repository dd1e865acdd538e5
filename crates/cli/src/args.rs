//! What stands on the command line.

mod init;

pub use init::InitArgs;

use crate::Verbosity;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use handoff_model::{SumBy, TableName};
use handoff_pipeline::{LockPatience, SourceConsent};
use handoff_settings::{Run, TimeOfDay};
use jiff::{Span, SpanRelativeTo};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The version with the commit it was built from.
pub const VERSION: &str = env!("HANDOFF_VERSION");

const EXIT_CODES: &str = "\
Exit codes:
  0    everything arrived
  1    a table failed, differs or was not started; plan: would fail; status: is not ok
  2    the arguments or the configuration cannot be used; no table was changed
  3    a server cannot be reached or refuses, or another run holds the lock; check: a run would fail
  130  interrupted";

/// Carries a MySQL or MariaDB database into PostgreSQL and proves that the copy equals the source.
#[derive(Debug, Parser)]
#[command(name = "etl", version = VERSION, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Etl {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The configuration file.
    #[arg(long, value_name = "PATH", default_value = "handoff.toml", global = true)]
    pub config: PathBuf,
    /// Say more; twice says everything.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log faults and warnings only and show no progress; the result is still printed.
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
}

impl Common {
    /// Returns how much is to be said.
    pub fn verbosity(&self) -> Verbosity {
        Verbosity::from_flags(self.verbose, self.quiet)
    }
}

/// The commands of `etl`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Carry all tables, or those named, through both hops.
    Run(RunArgs),
    /// Carry tables into the replica only; needs `[replica]`.
    Replicate(RunArgs),
    /// Carry tables of the replica into PostgreSQL only; needs `[replica]`.
    Load(LoadArgs),
    /// Say what the next run would do with every table, or those named, and why; changes nothing.
    Plan(PlanArgs),
    /// Show how every table stands, or those named: last copy, last load, last proof.
    Status(StatusArgs),
    /// Read a source and write a first handoff.toml and tables.toml, with a proposal per table.
    Init(InitArgs),
    /// Look at servers, accounts and tables, and print what mends each fault; changes nothing.
    Check(CheckArgs),
    /// Compare what is in the databases, and name every missing, stale and phantom row; changes
    /// nothing.
    Verify(VerifyArgs),
    /// Compare as verify does, bring the rows that differ into line in the replica and in PostgreSQL,
    /// and compare again.
    Repair(RepairArgs),
    /// Start private servers, fill them with a sample practice, and carry that, twice.
    Demo(DemoArgs),
}

/// What the commands that move tables take.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The tables to carry; without any, all that the configuration includes.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<TableName>,
    /// Carry every row, whatever was carried before.
    #[arg(long)]
    pub full: bool,
    /// Of these tables carry those only whose last attempt failed, was stopped or never began, or that
    /// never arrived.
    #[arg(long)]
    pub only_failed: bool,
    /// Start no table after this time of the day; overrides the configuration.
    #[arg(long, value_name = "HH:MM")]
    pub until: Option<TimeOfDay>,
    /// Tables in flight at once; overrides the configuration.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Compare what arrived with the source, row sums included.
    #[arg(long)]
    pub prove: bool,
    /// Delete at most so many percent of the rows that a copy of a table has, whatever is moved;
    /// overrides the configuration.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_delete_percent: Option<u8>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Wait for another run to end instead of giving up, for so long at most if a time such as 10m is given.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    pub wait: Option<Option<Age>>,
    /// Take over the named tables, which exist already and were made by something else.
    #[arg(long, requires = "tables")]
    pub adopt: bool,
    /// The sources that are accepted.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The answer to a source that is another one than was carried before.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SourceArgs {
    /// The source is another one: replace what was carried before in full, and record the new one.
    #[arg(long, conflicts_with = "same_source")]
    pub new_source: bool,
    /// The source is another server or database that continues the one before, as after a failover:
    /// go on from what was carried, and record the new one.
    #[arg(long)]
    pub same_source: bool,
}

impl SourceArgs {
    /// Returns what the caller says.
    pub fn consent(self) -> SourceConsent {
        match self {
            SourceArgs { new_source: true, .. } => SourceConsent::New,
            SourceArgs { same_source: true, .. } => SourceConsent::Same,
            SourceArgs { .. } => SourceConsent::Recorded,
        }
    }
}

/// What `etl load` takes.
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// What to carry.
    #[command(flatten)]
    pub run: RunArgs,
    /// Load the one table named from a file that `keep_spool` kept, instead of from the replica.
    #[arg(long, value_name = "FILE", requires = "tables")]
    pub from_spool: Option<PathBuf>,
}

/// What `etl plan` takes.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The tables of the run; without any, all that the configuration includes.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<TableName>,
    /// Say what `etl run --full` would do.
    #[arg(long)]
    pub full: bool,
    /// The sources that are accepted.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What `etl status` takes.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The tables to show; without any, all that were ever carried and are not left out now.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<TableName>,
    /// Exit with 1 if the data of a table is older than this, such as 26h or 3d, and with 0 if none
    /// is, whatever the last attempt came to.
    #[arg(long, value_name = "AGE")]
    pub stale: Option<Age>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Returns how long `--wait` has a run wait.
pub fn patience(wait: Option<Option<Age>>) -> LockPatience {
    match wait {
        None => LockPatience::None,
        Some(None) => LockPatience::Unbounded,
        Some(Some(Age(time))) => LockPatience::AtMost(time),
    }
}

/// An age or a time, such as `26h`, `90m` or `3d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Age, String> {
        let days = SpanRelativeTo::days_are_24_hours();
        let age = text.parse::<Span>().and_then(|span| span.to_duration(days));
        let age = age.ok().and_then(|age| Duration::try_from(age).ok());
        let age = age.filter(|age| !age.is_zero());
        age.map(Age).ok_or_else(|| "it takes a time such as 26h, 90m or 3d".to_owned())
    }
}

/// What `etl check` takes.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What `etl verify` takes.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The tables to compare; without any, all that the configuration includes.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<TableName>,
    /// Compare row counts and what is recorded of the last load; read no row.
    #[arg(long)]
    pub quick: bool,
    /// The first database to compare; from the replica on, the source is not touched.
    #[arg(long, value_name = "DATABASE", default_value = "source")]
    pub from: VerifyFrom,
    /// The last database to compare.
    #[arg(long, value_name = "DATABASE", default_value = "target")]
    pub to: VerifyTo,
    /// Show so many rows that differ of each table; --json holds all of them.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
    /// Show the keys of rows that differ even where they may be names or the like.
    #[arg(long)]
    pub show_keys: bool,
    /// Who sums the rows of source and replica: read, sql or auto; overrides the configuration.
    #[arg(long, value_name = "WHO", value_parser = sums)]
    pub sums: Option<SumBy>,
    /// Tables compared at once; overrides the configuration.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Write the report as a page that a browser opens without a network, too. It holds no keys and
    /// no values.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What `etl repair` takes.
#[derive(Debug, Clone, Args)]
pub struct RepairArgs {
    /// The tables to mend; without any, all that the configuration includes.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<TableName>,
    /// List what would be done; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Delete at most so many percent of the rows that a copy of a table has; overrides the
    /// configuration.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_delete_percent: Option<u8>,
    /// Show so many rows that differ of each table; --json holds all of them.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
    /// Show the keys of rows that differ even where they may be names or the like.
    #[arg(long)]
    pub show_keys: bool,
    /// Tables mended at once; overrides the configuration.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Wait for another run to end instead of giving up, for so long at most if a time such as 10m is given.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    pub wait: Option<Option<Age>>,
}

/// Where `etl verify` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFrom {
    /// The application's database.
    Source,
    /// Our own copy of it.
    Replica,
}

/// Where `etl verify` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyTo {
    /// Our own copy of the application's database.
    Replica,
    /// The analytics database.
    Target,
}

/// What the demo takes.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// The size of the practice: 1 is 20.5 million rows and 4 GB.
    #[arg(long, value_name = "FACTOR", default_value = "0.05", value_parser = scale)]
    pub scale: f64,
    /// Another seed makes other rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Keep the servers up until Ctrl-C, and say how to reach them.
    #[arg(long)]
    pub keep: bool,
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = text.parse::<u32>().ok().filter(|jobs| Run::JOBS.contains(jobs));
    let jobs = jobs.and_then(|jobs| usize::try_from(jobs).ok()).and_then(NonZeroUsize::new);
    let (least, most) = (Run::JOBS.start(), Run::JOBS.end());
    jobs.ok_or_else(|| format!("it takes a whole number from {least} to {most}"))
}

fn sums(text: &str) -> Result<SumBy, String> {
    SumBy::by_name(text).ok_or_else(|| "it takes read, sql or auto".to_owned())
}

fn scale(text: &str) -> Result<f64, String> {
    let scale = text.parse::<f64>().ok().filter(|scale| (0.001..=10.0).contains(scale));
    scale.ok_or_else(|| "it takes a number from 0.001 to 10".to_owned())
}

/// Carries tables of the source into the replica, the first hop of `etl run`; needs `[replica]`.
#[derive(Debug, Parser)]
#[command(name = "etl-replicate", version = VERSION, after_help = EXIT_CODES)]
pub struct EtlReplicate {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to carry.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Carries tables of the replica into PostgreSQL, the second hop of `etl run`; needs `[replica]`.
#[derive(Debug, Parser)]
#[command(name = "etl-load", version = VERSION, after_help = EXIT_CODES)]
pub struct EtlLoad {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to carry.
    #[command(flatten)]
    pub load: LoadArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Etl::command().debug_assert();
        EtlReplicate::command().debug_assert();
        EtlLoad::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_and_after_the_command() {
        let etl = Etl::parse_from(["etl", "-v", "run", "patient", "--config", "x.toml", "-j2"]);
        assert_eq!(etl.common.config, PathBuf::from("x.toml"));
        assert_eq!(etl.common.verbosity(), Verbosity::Verbose);
        let Command::Run(run) = etl.command else { panic!("not a run") };
        assert_eq!((run.tables.len(), run.jobs.map(NonZeroUsize::get)), (1, Some(2)));
    }

    #[test]
    fn waiting_may_be_bounded() {
        let waits = |arguments: &[&str]| {
            let etl = Etl::parse_from([&["etl", "run"], arguments].concat());
            let Command::Run(run) = etl.command else { panic!("not a run") };
            (patience(run.wait), run.tables.len())
        };
        assert_eq!(waits(&[]), (LockPatience::None, 0));
        assert_eq!(waits(&["--wait", "patient"]), (LockPatience::Unbounded, 1));
        let ten = Duration::from_secs(600);
        assert_eq!(waits(&["--wait=10m", "patient"]), (LockPatience::AtMost(ten), 1));
    }

    #[test]
    fn ages_are_written_as_people_do() {
        for (text, hours) in [("26h", 26), ("3d", 72), ("1d 2h", 26), ("120m", 2), ("2 days", 48)] {
            assert_eq!(text.parse::<Age>().unwrap().0, Duration::from_secs(hours * 3600), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for arguments in [
            &["etl", "run", "--adopt"][..],
            &["etl", "run", "--jobs", "0"],
            &["etl", "verify", "--jobs", "257"],
            &["etl", "repair", "--jobs", "many"],
            &["etl", "run", "--until", "24:00"],
            &["etl", "status", "--stale", "26"],
            &["etl", "status", "--stale", "0h"],
            &["etl", "status", "--stale", "-3d"],
            &["etl", "run", ""],
            &["etl", "run", "--wait=10"],
            &["etl", "repair", "--wait=soon"],
            &["etl", "-q", "-v", "run"],
            &["etl", "demo", "--scale", "0"],
            &["etl", "demo", "--scale", "nan"],
            &["etl", "init", "--target", "postgres://a@b/c"],
        ] {
            let error = Etl::try_parse_from(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments:?}");
        }
    }
}
