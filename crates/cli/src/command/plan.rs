//! `etl plan`: what would the next run do? Changes nothing.

use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::logging::Verbosity;
use crate::report::{Listing, plan_text};
use crate::shell::Shell;
use handoff_pipeline::{Pipeline, RunOptions};

/// Looks at the databases, and prints what the next run would do with the tables that `args` name.
pub(super) fn plan(shell: &Shell, args: &PlanArgs) -> Result<Exit, Failure> {
    let options = RunOptions {
        tables: args.tables.clone(),
        full: args.full,
        source: args.source.consent(),
        ..RunOptions::default()
    };
    let preview =
        Pipeline::new(shell.settings()?).cancel(shell.cancelled_by_signals()?).plan(&options)?;
    if args.json {
        shell.print_json(&preview)?;
    } else {
        let all = shell.verbosity >= Verbosity::Verbose || !args.tables.is_empty();
        shell.print(&plan_text(&preview, if all { Listing::All } else { Listing::Slowest }))?;
    }
    Ok(if preview.refused.is_empty() { Exit::Well } else { Exit::Incomplete })
}
