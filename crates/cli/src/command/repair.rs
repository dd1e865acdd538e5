//! `etl repair`: brings the rows that differ into line, and proves it.

use crate::args::{RepairArgs, patience};
use crate::exit::{Exit, ReportOutcome};
use crate::failure::Failure;
use crate::progress;
use crate::report::repair_text;
use crate::shell::Shell;
use handoff_pipeline::{Pipeline, RepairRequest};
use handoff_verify::ShowKeys;

/// Mends the tables that `args` name, and prints what was done.
pub(super) fn repair(shell: &Shell, args: &RepairArgs) -> Result<Exit, Failure> {
    let settings = shell.settings_with(args.jobs)?;
    let sides = 2 + u8::from(settings.replica.is_some());
    let observer = progress::observer(&shell.screen, shell.verbosity, sides);
    let report = Pipeline::new(settings)
        .observer(observer)
        .cancel(shell.cancelled_by_signals()?)
        .repair(&request(args))?;
    if args.json {
        shell.print_json(&report)?;
    } else {
        shell.print(&repair_text(&report, args.limit))?;
    }
    Ok(ReportOutcome { ok: report.ok, cancelled: report.cancelled }.into())
}

fn request(args: &RepairArgs) -> RepairRequest {
    RepairRequest {
        tables: args.tables.clone(),
        dry_run: args.dry_run,
        max_delete_percent: args.max_delete_percent,
        wait: patience(args.wait),
        keys: if args.show_keys { ShowKeys::All } else { ShowKeys::Harmless },
    }
}
