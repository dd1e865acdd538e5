//! `etl status`: what the tracking tables say. Writes nothing.

use crate::args::StatusArgs;
use crate::report::StatusReport;
use crate::shell::Shell;
use crate::{Exit, Failure};
use handoff_connect::{MyPool, PgPool, PoolOptions, Side};
use handoff_model::{RunId, TableName};
use handoff_settings::Settings;
use handoff_tracking::{Tracked, Tracker};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Reads both tracking tables and prints how the tables stand.
pub(super) fn status(shell: &Shell, args: &StatusArgs) -> Result<Exit, Failure> {
    let states = only(&args.tables, read(&shell.settings()?)?);
    let report = StatusReport::new(&states, Timestamp::now());
    if args.json {
        shell.print_json(&report)?;
    } else {
        shell.print(&report.text())?;
    }
    Ok(if report.ok { Exit::Well } else { Exit::Incomplete })
}

fn read(settings: &Settings) -> Result<BTreeMap<TableName, Tracked>, Failure> {
    let run = RunId::new();
    let options = PoolOptions { size: 2, run };
    let replica = settings
        .replica
        .as_ref()
        .map(|replica| MyPool::open(replica, Side::Replica, &options))
        .transpose()
        .map_err(Failure::Connect)?;
    let target = PgPool::open(&settings.target.server, &options).map_err(Failure::Connect)?;
    Tracker::open_read_only(run, replica, target, &settings.target.schema)
        .and_then(|tracker| tracker.states())
        .map_err(Failure::Tracking)
}

/// Leaves the named tables; one that was never carried is there all the same, with nothing known.
fn only(
    named: &[TableName],
    mut states: BTreeMap<TableName, Tracked>,
) -> BTreeMap<TableName, Tracked> {
    if named.is_empty() {
        return states;
    }
    let state = |table: &TableName| (table.clone(), states.remove(table).unwrap_or_default());
    named.iter().map(state).collect()
}
