//! `etl check`: would a run go through? Changes nothing.

use crate::args::CheckArgs;
use crate::report::check_text;
use crate::shell::Shell;
use crate::{Exit, Failure};

/// Looks at everything a run needs, and prints what was found and what mends it.
pub(super) fn check(shell: &Shell, args: &CheckArgs) -> Result<Exit, Failure> {
    shell.ended_by_signals()?;
    let report = handoff_pipeline::check(&shell.settings()?);
    if args.json {
        shell.print_json(&report)?;
    } else {
        shell.print(&check_text(&report))?;
    }
    Ok(if report.ok { Exit::Well } else { Exit::Unavailable })
}
