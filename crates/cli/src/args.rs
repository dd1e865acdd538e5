//! The command line: commands, options and their help texts.

mod examples;
mod init;
#[cfg(test)]
mod reference;

pub use init::InitArgs;

use crate::completion::table_completer;
use crate::logging::Verbosity;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use handoff_model::{SumBy, TableName};
use handoff_pipeline::{LockPatience, SourceConsent};
use handoff_settings::{RunSettings, TimeOfDay};
use jiff::{Span, SpanRelativeTo};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The version with the commit it was built from.
pub const VERSION: &str = env!("HANDOFF_VERSION");

const EXIT_CODES: &str = "\
Exit codes:
  0    success: every table arrived
  1    a table failed, differs or was not started; plan: it would fail; status: it is not ok or is stale
  2    the arguments or the configuration are invalid; no table was changed
  3    a server is unreachable or refuses, or another run holds the lock; check: a run would fail
  130  interrupted";

/// Carries a MySQL or MariaDB database into PostgreSQL and proves that the copy equals the source.
#[derive(Debug, Parser)]
#[command(name = "etl", version = VERSION, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct EtlArgs {
    /// The options of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The command.
    #[command(subcommand)]
    pub command: EtlCommand,
}

/// The options of every command.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// The configuration file.
    #[arg(long, value_name = "PATH", default_value = "handoff.toml", global = true)]
    pub config: PathBuf,
    /// Log more; -vv logs everything.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log errors and warnings only and show no progress; the result is still printed.
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
}

impl CommonArgs {
    /// Returns the verbosity that the flags ask for.
    pub fn verbosity(&self) -> Verbosity {
        Verbosity::from_flags(self.verbose, self.quiet)
    }
}

/// The commands of `etl`.
#[derive(Debug, Subcommand)]
pub enum EtlCommand {
    /// Inspect a source and write handoff.toml and tables.toml with a proposal for each table.
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Check servers, accounts and tables, and print a remedy for each fault; changes nothing.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Show what the next run would do with each table, and why; changes nothing.
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Copy tables into the replica and load them into PostgreSQL: all of them, or those named.
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Show the state of each table: the age of its data, its last load, its last proof.
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Compare the databases and list every missing, stale and phantom row; changes nothing.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Compare as verify does, correct the rows that differ in the replica and in PostgreSQL, and
    /// compare again.
    #[command(after_help = examples::REPAIR)]
    Repair(RepairArgs),
    /// Print the statements that would make each table in PostgreSQL now; changes nothing.
    #[command(after_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Copy tables into the replica only (hop 1); needs `[replica]`.
    #[command(after_help = examples::REPLICATE)]
    Replicate(RunArgs),
    /// Load tables from the replica into PostgreSQL only (hop 2); needs `[replica]`.
    #[command(after_help = examples::LOAD)]
    Load(LoadArgs),
    /// Print the script that makes a shell complete commands, options and the names of tables.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Write the pages of the manual into a directory.
    #[command(hide = true)]
    Man(ManArgs),
    /// Start private servers, create a sample practice in them, and run the whole pipeline on it twice.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
}

/// The options of the commands that move tables.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The tables to move [default: all that the configuration includes].
    #[arg(value_name = "TABLE", add = table_completer())]
    pub tables: Vec<TableName>,
    /// Move every row, whatever was moved before.
    #[arg(long)]
    pub full: bool,
    /// Move only the tables whose last attempt failed, was stopped or never began, that never arrived,
    /// or that were copied and not loaded.
    #[arg(long)]
    pub only_failed: bool,
    /// Start no table after this local time of day; overrides `until` in `[run]`.
    #[arg(long, value_name = "HH:MM")]
    pub until: Option<TimeOfDay>,
    /// The number of tables moved at once; overrides `jobs` in `[run]`.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Read every row of every database again after the move, and compare.
    #[arg(long)]
    pub prove: bool,
    /// Fail a table of which a move would delete more than this percentage; overrides the
    /// configuration.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_delete_percent: Option<u8>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Wait for another run to end instead of failing; with =TIME, such as =10m, at most that long.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    pub wait: Option<Option<AgeLimit>>,
    /// Write metrics of the run into a file for Prometheus (node_exporter's textfile collector).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub metrics: Option<PathBuf>,
    /// Take over the named tables that already exist and that Handoff did not create.
    #[arg(long, requires = "tables")]
    pub adopt: bool,
    /// The sources that are accepted.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The answer to a source that differs from the recorded one.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SourceArgs {
    /// Accept a different source: replace every table in full, and record the new source.
    #[arg(long, conflicts_with = "same_source")]
    pub new_source: bool,
    /// Accept a source that continues the recorded one, as after a failover: go on from what was moved,
    /// and record the new source.
    #[arg(long)]
    pub same_source: bool,
}

impl SourceArgs {
    /// Returns the consent that the flags give.
    pub fn consent(self) -> SourceConsent {
        match self {
            SourceArgs { new_source: true, .. } => SourceConsent::New,
            SourceArgs { same_source: true, .. } => SourceConsent::Same,
            SourceArgs { .. } => SourceConsent::Recorded,
        }
    }
}

/// The options of `etl load`.
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// The tables to move, and how.
    #[command(flatten)]
    pub run: RunArgs,
    /// Load the one named table from a file that `keep_spool` kept, instead of from the replica.
    #[arg(long, value_name = "FILE", requires = "tables")]
    pub from_spool: Option<PathBuf>,
}

/// The options of `etl plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The tables to plan [default: all that the configuration includes].
    #[arg(value_name = "TABLE", add = table_completer())]
    pub tables: Vec<TableName>,
    /// Show what `etl run --full` would do.
    #[arg(long)]
    pub full: bool,
    /// The sources that are accepted.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// The options of `etl schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// The tables [default: all that are included].
    #[arg(value_name = "TABLE", add = table_completer())]
    pub tables: Vec<TableName>,
    /// Print the statements that bring the tables into line instead, as the next run would.
    #[arg(long)]
    pub diff: bool,
    /// Print the views, triggers, routines and events of the source instead, as they are written there.
    #[arg(long, conflicts_with_all = ["diff", "tables"])]
    pub rest: bool,
    /// The sources that are accepted.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print the statements as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// The options of `etl status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The tables to show [default: all that were ever moved and are still included].
    #[arg(value_name = "TABLE", add = table_completer())]
    pub tables: Vec<TableName>,
    /// Exit with 1 if the data of any table is older than AGE, such as 26h or 3d, and with 0 otherwise,
    /// even if the last attempt failed.
    #[arg(long, value_name = "AGE")]
    pub stale: Option<AgeLimit>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Write metrics of every table into a file for Prometheus (node_exporter's textfile collector).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub metrics: Option<PathBuf>,
}

/// Returns the patience that `--wait` asks for.
pub fn patience(wait: Option<Option<AgeLimit>>) -> LockPatience {
    match wait {
        None => LockPatience::None,
        Some(None) => LockPatience::Unbounded,
        Some(Some(AgeLimit(time))) => LockPatience::AtMost(time),
    }
}

/// An age or a time, such as `26h`, `90m` or `3d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeLimit(pub Duration);

impl FromStr for AgeLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<AgeLimit, String> {
        let days = SpanRelativeTo::days_are_24_hours();
        let written = text.parse::<Span>().and_then(|span| span.to_duration(days));
        let age =
            written.ok().and_then(|age| Duration::try_from(age).ok()).filter(|age| !age.is_zero());
        age.map(AgeLimit).ok_or_else(|| "write a time such as 26h, 90m or 3d".to_owned())
    }
}

/// The options of `etl check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// The options of `etl verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The tables to compare [default: all that the configuration includes].
    #[arg(value_name = "TABLE", add = table_completer())]
    pub tables: Vec<TableName>,
    /// Compare row counts and the record of the last load only; reads no row.
    #[arg(long)]
    pub quick: bool,
    /// The first database to compare; with `replica` the source is not read.
    #[arg(long, value_name = "DATABASE", default_value = "source")]
    pub from: VerifyFrom,
    /// The last database to compare.
    #[arg(long, value_name = "DATABASE", default_value = "target")]
    pub to: VerifyTo,
    /// The number of differing rows to show for each table; --json holds all of them.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
    /// Show every key of a differing row as it is, instead of a hash where it may be personal data.
    #[arg(long)]
    pub show_keys: bool,
    /// The way to sum the rows of source and replica: read, sql or auto; overrides `sums` in `[run]`.
    #[arg(long, value_name = "WHO", value_parser = sums)]
    pub sums: Option<SumBy>,
    /// The number of tables compared at once; overrides `jobs` in `[run]`.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Also write the report as a self-contained HTML page, without keys or values.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// The options of `etl repair`.
#[derive(Debug, Clone, Args)]
pub struct RepairArgs {
    /// The tables to repair [default: all that the configuration includes].
    #[arg(value_name = "TABLE", add = table_completer())]
    pub tables: Vec<TableName>,
    /// List what a repair would do; writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Fail a table of which a repair would delete more than this percentage; overrides the
    /// configuration.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_delete_percent: Option<u8>,
    /// The number of differing rows to show for each table; --json holds all of them.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
    /// Show every key of a differing row as it is, instead of a hash where it may be personal data.
    #[arg(long)]
    pub show_keys: bool,
    /// The number of tables repaired at once; overrides `jobs` in `[run]`.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Print the report as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Wait for another run to end instead of failing; with =TIME, such as =10m, at most that long.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    pub wait: Option<Option<AgeLimit>>,
}

/// The first database of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFrom {
    /// The application's database.
    Source,
    /// Your own copy of it.
    Replica,
}

/// The last database of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyTo {
    /// Your own copy of the application's database.
    Replica,
    /// The analytics database.
    Target,
}

/// The options of `etl completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell: bash, zsh, fish, elvish or powershell [default: that of SHELL].
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish", "elvish", "powershell"])]
    pub shell: Option<String>,
}

/// The options of `etl man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The directory, which is made if it is missing.
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// The options of `etl demo`.
#[cfg(feature = "demo")]
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// The size of the sample practice: 1 is 20.5 million rows and 4 GB.
    #[arg(long, value_name = "FACTOR", default_value = "0.05", value_parser = scale)]
    pub scale: f64,
    /// The seed of the generated rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Print the servers' URLs and keep them running until Ctrl-C.
    #[arg(long)]
    pub keep: bool,
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<u32>().ok().filter(|jobs| RunSettings::JOBS.contains(jobs));
    let jobs = number.and_then(|jobs| usize::try_from(jobs).ok()).and_then(NonZeroUsize::new);
    let (least, most) = (RunSettings::JOBS.start(), RunSettings::JOBS.end());
    jobs.ok_or_else(|| format!("write a whole number from {least} to {most}"))
}

fn sums(text: &str) -> Result<SumBy, String> {
    SumBy::by_name(text).ok_or_else(|| "write read, sql or auto".to_owned())
}

#[cfg(feature = "demo")]
fn scale(text: &str) -> Result<f64, String> {
    let scale = text.parse::<f64>().ok().filter(|scale| (0.001..=10.0).contains(scale));
    scale.ok_or_else(|| "write a number from 0.001 to 10".to_owned())
}

/// Copies tables from the source into the replica, hop 1 of `etl run`; needs `[replica]`.
#[derive(Debug, Parser)]
#[command(name = "etl-replicate", version = VERSION, after_help = EXIT_CODES)]
pub struct EtlReplicate {
    /// The options of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The tables to move, and how.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Loads tables from the replica into PostgreSQL, hop 2 of `etl run`; needs `[replica]`.
#[derive(Debug, Parser)]
#[command(name = "etl-load", version = VERSION, after_help = EXIT_CODES)]
pub struct EtlLoad {
    /// The options of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The tables to move, and how.
    #[command(flatten)]
    pub load: LoadArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        EtlArgs::command().debug_assert();
        EtlReplicate::command().debug_assert();
        EtlLoad::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_and_after_the_command() {
        let etl = EtlArgs::parse_from(["etl", "-v", "run", "patient", "--config", "x.toml", "-j2"]);
        assert_eq!(etl.common.config, PathBuf::from("x.toml"));
        assert_eq!(etl.common.verbosity(), Verbosity::Verbose);
        let EtlCommand::Run(run) = etl.command else { panic!("not a run") };
        assert_eq!((run.tables.len(), run.jobs.map(NonZeroUsize::get)), (1, Some(2)));
    }

    #[test]
    fn waiting_may_be_bounded() {
        let waits = |arguments: &[&str]| {
            let etl = EtlArgs::parse_from([&["etl", "run"], arguments].concat());
            let EtlCommand::Run(run) = etl.command else { panic!("not a run") };
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
            assert_eq!(
                text.parse::<AgeLimit>().unwrap().0,
                Duration::from_secs(hours * 3600),
                "{text}"
            );
        }
    }

    #[cfg(feature = "demo")]
    #[test]
    fn a_practice_has_a_size() {
        for size in ["0", "nan", "11", "-1"] {
            assert!(EtlArgs::try_parse_from(["etl", "demo", "--scale", size]).is_err(), "{size}");
        }
        assert!(EtlArgs::try_parse_from(["etl", "demo", "--scale", "0.5"]).is_ok());
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
            &["etl", "init", "--target", "postgres://a@b/c"],
        ] {
            let error = EtlArgs::try_parse_from(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments:?}");
        }
    }
}
