//! The plan: what becomes of every table of a run, decided before anything moves.

use crate::change_token::{ChangeDetector, NoChangeToken};
use crate::clock::SourceClock;
use crate::decide::{Decision, DecisionInputs, decide, fingerprint_of, last_good};
use crate::error::PlanError;
use crate::hops::Hops;
use crate::load_strategy::{ReadFrom, choose_strategy};
use crate::replica_place::check_place;
use crate::table_plan::TablePlan;
use crate::target_fit::TargetRefusal;
use crate::window::Window;
use handoff_connect::Side;
use handoff_model::{CopyId, Deletes, Extraction, RowFilter, TableName};
use handoff_rows::has_key_values;
use handoff_schema::{
    CachedTable, SchemaCache, SourceCatalogue, TableMapping, TableSchema, TargetCatalogue,
};
use handoff_settings::{Settings, ValuePolicies};
use handoff_tracking::{LoadState, RecoveryFinding, TrackedTable};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The plan of a run: every table with its decision, or with its error.
#[derive(Debug)]
pub struct Plan {
    /// The tables to move, in the order of their turns: by priority, then longest first.
    pub tables: Vec<TablePlan>,
    /// The tables that cannot be moved; the others are.
    pub refused: Vec<RefusedTable>,
}

/// A table that cannot be moved, and why.
#[derive(Debug)]
pub struct RefusedTable {
    /// The table.
    pub table: TableName,
    /// The reason.
    pub error: PlanError,
}

/// All that a plan is made from. Nothing else is asked for.
pub struct PlanInputs<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The hops to make.
    pub hops: Hops,
    /// True if every table is moved in full (`--full`).
    pub full: bool,
    /// True if tables that Handoff did not make are taken over (`--adopt`).
    pub adopt: bool,
    /// True if a table that the source tells to be unwritten is left alone; not by a run that compares every row.
    pub leaves_unchanged: bool,
    /// The tables to plan; all are in the catalogue of the database that the run reads first.
    pub wanted: &'a BTreeSet<TableName>,
    /// Tables that may not be read in full, and the statement that lets the account do so.
    pub denied: &'a BTreeMap<TableName, String>,
    /// The tables of the database that the run reads first, mapped.
    pub origin: &'a SchemaCache,
    /// The name of that database.
    pub database: &'a str,
    /// The catalogue of the replica, if there is one.
    pub replica: Option<&'a SourceCatalogue>,
    /// The catalogue of the target.
    pub target: &'a TargetCatalogue,
    /// The recorded states of all tables.
    pub states: &'a BTreeMap<TableName, TrackedTable>,
    /// Tables whose rows those of another source replace.
    pub replaced: &'a BTreeSet<TableName>,
    /// The disagreements between tracking and databases.
    pub findings: &'a [RecoveryFinding],
    /// The time in the database that the run reads first.
    pub clock: SourceClock,
    /// The server that tells which of its tables changed.
    pub detector: ChangeDetector,
    /// The time here.
    pub now: Timestamp,
}

impl PlanInputs<'_> {
    fn load_from(&self) -> ReadFrom {
        if self.replica.is_some() { ReadFrom::Replica } else { ReadFrom::Source }
    }
}

/// Makes the plan.
pub fn plan(inputs: &PlanInputs<'_>) -> Plan {
    let mut plan = Plan { tables: Vec::new(), refused: Vec::new() };
    for name in inputs.wanted {
        match resolve(inputs, name) {
            Ok(context) => plan.tables.push(context),
            Err(error) => plan.refused.push(RefusedTable { table: name.clone(), error }),
        }
    }
    plan.tables.sort_by(|a, b| {
        let by_priority = a.priority.cmp(&b.priority);
        by_priority.then(b.weight().cmp(&a.weight())).then_with(|| a.name.cmp(&b.name))
    });
    plan
}

fn resolve(inputs: &PlanInputs<'_>, name: &TableName) -> Result<TablePlan, PlanError> {
    if let Some(statement) = inputs.denied.get(name) {
        return Err(PlanError::Denied { table: name.clone(), statement: statement.clone() });
    }
    let known = inputs.origin.get(inputs.database, name);
    let CachedTable { schema, mapping, fingerprint } =
        known.expect("wanted tables are in the catalogue")?;
    let tracked = inputs.states.get(name).cloned().unwrap_or_default();
    let loaded_by_us = tracked.load.as_ref().is_some_and(LoadState::is_ours);
    if inputs.hops != Hops::Copy
        && let Some(refusal) = target_refusal(inputs, &mapping, loaded_by_us || inputs.adopt)
    {
        return Err(PlanError::Target(refusal));
    }
    if !inputs.adopt
        && let Some(sentence) = inputs.findings.iter().find_map(|finding| finding.refusal(name))
    {
        return Err(PlanError::NotOurs(sentence));
    }
    if let (Some(replica), Some(server)) = (inputs.replica, &inputs.settings.replica) {
        check_place(replica, &server.database, name, inputs.wanted)?;
    }
    let settings = inputs.settings.table(name);
    // Moved in full for other policies, it would lose what it keeps.
    let keeps = settings.deletes == Deletes::Ignore;
    let values = if keeps { ValuePolicies::default() } else { inputs.settings.values };
    let fingerprint = fingerprint_of(fingerprint, &mapping, &values);
    let replica = inputs.replica.and_then(|replica| table(replica, name)?.ok());
    let target = inputs.target.tables.get(&mapping.pg_table);
    if target.is_some() && !loaded_by_us && !inputs.adopt {
        let finding = RecoveryFinding::NotOurs { table: name.clone(), side: Side::Target };
        return Err(PlanError::NotOurs(finding.to_string()));
    }
    let configured = settings.extraction.unwrap_or(Extraction::FullTable);
    let by_watermark = !matches!(configured, Extraction::FullTable | Extraction::Diff);
    let window = by_watermark.then(|| Window::of(&schema, &settings));
    let window = window
        .transpose()
        .map_err(|problem| PlanError::NoWindow { table: name.clone(), problem })?;
    let change_token = inputs.detector.token(&schema, &mapping, &settings, &inputs.settings.values);
    let writes_replica = inputs.replica.is_some() && inputs.hops != Hops::Load;
    let decision = decide(&DecisionInputs {
        configured,
        columns: window.as_ref().map_or(&[], |window| &window.columns),
        asked_full: inputs.full,
        is_replaced: inputs.replaced.contains(name),
        hops: inputs.hops,
        tracked: &tracked,
        fingerprint: &fingerprint,
        replica_is_there: replica.is_some() || !writes_replica,
        replica_fits: !writes_replica || replica.is_none_or(|there| schema.is_copied_as(there)),
        target_is_there: target.is_some() || inputs.hops == Hops::Copy,
        has_usable_key: has_key_values(&mapping),
        unchanged: is_unchanged(inputs, &change_token, &tracked),
        now: inputs.now,
    });
    let filter = filter(inputs, window.as_ref(), &decision, &tracked);
    let load_strategy =
        choose_strategy(&inputs.settings.selection, &settings, &schema, inputs.load_from());
    Ok(TablePlan {
        name: name.clone(),
        decision,
        priority: settings.priority,
        filter,
        window: window.map(Arc::new),
        deletes: settings.deletes,
        max_delete_percent: settings.max_delete_percent,
        load_strategy,
        fingerprint,
        schema,
        replica: replica.map(|replica| Arc::new(replica.clone())),
        target: target.map(|target| Arc::new(target.clone())),
        mapping,
        change_token,
        tracked,
        copy_id: CopyId::new(),
    })
}

/// Decides whether the table can go into the target as that is.
fn target_refusal(
    inputs: &PlanInputs<'_>,
    mapping: &TableMapping,
    is_ours: bool,
) -> Option<TargetRefusal> {
    let schema = &inputs.settings.target.schema;
    TargetRefusal::same_name(mapping, inputs.wanted.iter().chain(inputs.states.keys()))
        .or_else(|| TargetRefusal::find(mapping, schema, inputs.target, is_ours))
}

/// Returns true if the source is for sure as it was when the last good copy was read. A run that
/// compares every row does not rely on it.
fn is_unchanged(
    inputs: &PlanInputs<'_>,
    token: &Result<String, NoChangeToken>,
    tracked: &TrackedTable,
) -> bool {
    let recorded = tracked.copy.as_ref().and_then(|copy| copy.source_mark.as_ref());
    let now = token.as_ref().ok().filter(|_| inputs.leaves_unchanged);
    now.is_some() && now == recorded
}

fn table<'a>(
    catalogue: &'a SourceCatalogue,
    name: &TableName,
) -> Option<Result<&'a TableSchema, handoff_schema::SchemaError>> {
    catalogue.tables.get(name).map(|table| table.as_ref().map_err(Clone::clone))
}

/// Returns the rows to move. Both hops take them from here.
fn filter(
    inputs: &PlanInputs<'_>,
    window: Option<&Window>,
    decision: &Decision,
    tracked: &TrackedTable,
) -> RowFilter {
    let merged = if decision.loads_all { Hops::Copy } else { inputs.hops };
    let last = last_good(tracked, merged).unwrap_or(inputs.now);
    let elapsed = inputs.now.duration_since(last);
    let changed = window.filter(|_| !decision.since.is_empty());
    changed
        .and_then(|window| window.filter(&decision.since, &inputs.clock, elapsed))
        .unwrap_or(RowFilter::All)
}

#[cfg(test)]
mod tests;
