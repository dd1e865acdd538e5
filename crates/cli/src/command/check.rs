//! `etl check`: would a run go through? Changes nothing.

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::logging::Verbosity;
use crate::report::{Listing, check_text};
use crate::shell::Shell;

/// Looks at everything a run needs, and prints what was found and what mends it.
pub(super) fn check(shell: &Shell, args: &CheckArgs) -> Result<Exit, Failure> {
    shell.ended_by_signals()?;
    // Its warnings are findings.
    let settings = shell.untold_settings()?;
    shell.ended_in_time(&settings.run);
    let report = handoff_pipeline::check(&settings);
    if args.json {
        shell.print_json(&report)?;
    } else {
        let all = shell.verbosity >= Verbosity::Verbose;
        shell.print(&check_text(&report, if all { Listing::All } else { Listing::Slowest }))?;
    }
    Ok(if report.ok { Exit::Well } else { Exit::Unavailable })
}
