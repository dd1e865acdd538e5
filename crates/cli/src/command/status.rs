//! `etl status`.

use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::StatusReport;
use crate::shell::Shell;
use handoff_export::metrics::status_metrics;
use handoff_export::whole_file::write_whole;
use handoff_model::TableName;
use handoff_pipeline::{SessionError, StatusSnapshot};
use handoff_settings::{Settings, TableFilter, closest};
use jiff::Timestamp;

/// Reads what is tracked and what is there, and prints how the tables stand.
pub(super) fn status(shell: &Shell, args: &StatusArgs) -> Result<Exit, Failure> {
    shell.ended_by_signals()?;
    let settings = shell.settings()?;
    shell.ended_in_time(&settings.run);
    let mut snapshot = StatusSnapshot::inspect(&settings)?;
    only(&args.tables, &settings, &mut snapshot)?;
    let at = Timestamp::now();
    if let Some(path) = &args.metrics {
        write_whole(path, &status_metrics(&snapshot, at)).map_err(Failure::write(path))?;
    }
    let report = StatusReport::new(&snapshot, at, args.stale.map(|age| age.0));
    if args.json {
        shell.print_json(&report)?;
    } else {
        shell.print(&report.text())?;
    }
    // Who asks for an age wants to know of that alone.
    let well = if args.stale.is_some() { report.stale == 0 } else { report.ok };
    Ok(if well { Exit::Well } else { Exit::Incomplete })
}

/// Leaves the named tables; one that was never moved stays, without a record.
/// Without names those that the settings leave out are left out here.
fn only(
    named: &[TableName],
    settings: &Settings,
    snapshot: &mut StatusSnapshot,
) -> Result<(), SessionError> {
    let filter = TableFilter::new(&settings.run).map_err(SessionError::Globs)?;
    let shown = |table: &TableName| match named {
        [] => filter.takes(table),
        named => named.contains(table),
    };
    let known: Vec<TableName> = snapshot.states.keys().cloned().collect();
    snapshot.states.retain(|table, _| shown(table));
    snapshot.disagreements.retain(|finding| finding.table().map_or(named.is_empty(), shown));
    for table in named {
        if !snapshot.states.contains_key(table) {
            snapshot.notes.push(unknown(table, &known));
        }
        snapshot.states.entry(table.clone()).or_default();
    }
    Ok(())
}

fn unknown(table: &TableName, known: &[TableName]) -> String {
    let near = closest(table.as_str(), known.iter().map(TableName::as_str));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("`{table}` was never moved{hint}")
}
