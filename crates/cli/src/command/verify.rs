//! `etl verify`: which rows differ? Changes nothing.

use crate::args::{VerifyArgs, VerifyFrom, VerifyTo};
use crate::report::verify_text;
use crate::shell::Shell;
use crate::{Exit, Failure, progress};
use handoff_connect::Side;
use handoff_pipeline::{Depth, Pipeline, VerifyReport, VerifyRequest};
use handoff_settings::Settings;
use handoff_verify::ShowKeys;

/// Compares the tables that `args` name, and prints what differs.
pub(super) fn verify(shell: &Shell, args: &VerifyArgs) -> Result<Exit, Failure> {
    let mut settings = shell.settings()?;
    if let Some(jobs) = args.jobs {
        settings.run.jobs = jobs;
    }
    let observer = progress::observer(&shell.screen, shell.verbosity, sides(&settings, args));
    let report = Pipeline::new(settings)
        .observer(observer)
        .cancel(shell.cancelled_by_signals()?)
        .verify(&request(args))?;
    if args.json {
        shell.print_json(&report)?;
    } else {
        shell.print(&verify_text(&report, args.limit))?;
    }
    Ok(exit(&report))
}

/// Returns how many times each row is read.
fn sides(settings: &Settings, args: &VerifyArgs) -> u8 {
    let replica = settings.replica.is_some();
    u8::from(args.from == VerifyFrom::Source)
        + u8::from(replica)
        + u8::from(args.to == VerifyTo::Target)
}

fn request(args: &VerifyArgs) -> VerifyRequest {
    VerifyRequest {
        tables: args.tables.clone(),
        depth: if args.quick { Depth::Quick } else { Depth::Rows },
        from: match args.from {
            VerifyFrom::Source => Side::Source,
            VerifyFrom::Replica => Side::Replica,
        },
        to: match args.to {
            VerifyTo::Replica => Side::Replica,
            VerifyTo::Target => Side::Target,
        },
        keys: if args.show_keys { ShowKeys::All } else { ShowKeys::Harmless },
        ..VerifyRequest::default()
    }
}

fn exit(report: &VerifyReport) -> Exit {
    match (report.ok, report.cancelled) {
        (true, _) => Exit::Well,
        (false, true) => Exit::Interrupted,
        (false, false) => Exit::Incomplete,
    }
}
