//! `etl run`, `etl replicate` and `etl load`.

use super::run_ending::RunEnding;
use crate::args::{LoadArgs, RunArgs, patience};
use crate::exit::{Exit, ReportOutcome};
use crate::failure::Failure;
use crate::logging::Verbosity;
use crate::progress;
use crate::report::{self, Listing};
use crate::shell::Shell;
use handoff_pipeline::{Hops, Pipeline, Prove, RunOptions, RunReport};
use handoff_settings::Settings;

/// Moves the tables that `args` name through `hops`, and prints the report.
pub(super) fn run(shell: &Shell, args: &RunArgs, hops: Hops) -> Result<Exit, Failure> {
    run_with(shell, args, &options(args, hops))
}

/// Makes the second hop alone, from the replica or from a kept file.
pub(super) fn load(shell: &Shell, args: &LoadArgs) -> Result<Exit, Failure> {
    let from_spool = args.from_spool.clone();
    run_with(shell, &args.run, &RunOptions { from_spool, ..options(&args.run, Hops::Load) })
}

fn run_with(shell: &Shell, args: &RunArgs, options: &RunOptions) -> Result<Exit, Failure> {
    let ending = RunEnding::prepare(args)?;
    let made = make_run(shell, args, options);
    let exit = match &made {
        Ok(report) => ReportOutcome { ok: report.ok, cancelled: report.cancelled }.into(),
        Err(failure) => failure.exit(),
    };
    ending.tell(made.as_ref().ok(), exit);
    let report = made?;
    print(shell, args, &report).inspect_err(|_| {
        log::warn!("the report is lost, the run is not: {}", report.conclusion());
    })?;
    Ok(exit)
}

fn make_run(shell: &Shell, args: &RunArgs, options: &RunOptions) -> Result<RunReport, Failure> {
    let settings = settings(shell, args)?;
    let moves = if options.hops == Hops::Both && settings.replica.is_some() { 2 } else { 1 };
    let observer = progress::observer(&shell.screen, shell.verbosity, moves);
    let cancel = shell.cancelled_by_signals()?;
    Ok(Pipeline::new(settings).observer(observer).cancel(cancel).run(options)?)
}

fn settings(shell: &Shell, args: &RunArgs) -> Result<Settings, Failure> {
    let mut settings = shell.settings_with(args.jobs)?;
    settings.run.until = args.until.or(settings.run.until);
    Ok(settings)
}

fn options(args: &RunArgs, hops: Hops) -> RunOptions {
    RunOptions {
        tables: args.tables.clone(),
        full: args.full,
        only_failed: args.only_failed,
        prove: if args.prove { Prove::Rows } else { Prove::Configured },
        adopt: args.adopt,
        wait: patience(args.wait),
        source: args.source.consent(),
        hops,
        max_delete_percent: args.max_delete_percent,
        from_spool: None,
    }
}

fn print(shell: &Shell, args: &RunArgs, report: &RunReport) -> Result<(), Failure> {
    if args.json {
        return shell.print_json(report);
    }
    let all = shell.verbosity >= Verbosity::Verbose || !args.tables.is_empty();
    let listing = if all { Listing::All } else { Listing::Slowest };
    shell.print(&report::text(report, listing))
}
