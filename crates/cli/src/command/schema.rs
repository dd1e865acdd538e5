//! `etl schema`: the structure of tables in the target, as statements. Changes nothing.

use crate::args::SchemaArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{rest_text, schema_text};
use crate::shell::Shell;
use handoff_pipeline::{Pipeline, RunOptions};

/// Prints the statements that make the tables which `args` name, or those that bring them into line.
pub(super) fn schema(shell: &Shell, args: &SchemaArgs) -> Result<Exit, Failure> {
    let options = RunOptions {
        tables: args.tables.clone(),
        source: args.source.consent(),
        ..RunOptions::default()
    };
    let pipeline = Pipeline::new(shell.settings()?).cancel(shell.cancelled_by_signals()?);
    if args.rest {
        let parts = pipeline.untranslated_parts()?;
        match args.json {
            true => shell.print_json(&parts)?,
            false => shell.print(&rest_text(&parts))?,
        }
        return Ok(Exit::Well);
    }
    let listing = pipeline.structures(&options)?;
    if args.json {
        shell.print_json(&listing)?;
    } else {
        shell.print(&schema_text(&listing, args.diff))?;
    }
    Ok(if listing.refused.is_empty() { Exit::Well } else { Exit::Incomplete })
}
