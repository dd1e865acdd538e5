//! The plan: what becomes of every table of a run, decided before anything moves.

use crate::clock::SourceClock;
use crate::decide::{fingerprint_of, last_good};
use crate::in_replica::check_place;
use crate::mark::Witness;
use crate::select::ReadFrom;
use crate::{
    Decision, Hops, Known, NoMark, Prove, Result, RunOptions, TableContext, TableError,
    TargetRefusal, Window, decide, select,
};
use handoff_connect::Side;
use handoff_model::{CopyId, Deletes, Extraction, RowFilter, TableName};
use handoff_rows::has_key_values;
use handoff_schema::{
    CachedTable, SchemaCache, SourceCatalogue, TableMapping, TableSchema, TargetCatalogue,
};
use handoff_settings::{Settings, ValuePolicies};
use handoff_tracking::{LoadState, RecoveryFinding, TrackedTable, Tracker};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What becomes of every table of a run.
#[derive(Debug)]
pub struct Plan {
    /// The tables to move, in the order of their turns: by priority, then longest first.
    pub tables: Vec<TableContext>,
    /// The tables that cannot be moved; the others are.
    pub refused: Vec<Refused>,
}

/// A table that cannot be moved, and why.
#[derive(Debug)]
pub struct Refused {
    /// The table.
    pub table: TableName,
    /// Why.
    pub error: TableError,
}

/// All that a plan is made from. Nothing else is asked for.
pub(crate) struct Surroundings<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) options: &'a RunOptions,
    pub(crate) wanted: &'a BTreeSet<TableName>,
    /// Tables that may not be read in full, and the statement that lets the account do so.
    pub(crate) denied: &'a BTreeMap<TableName, String>,
    /// What is in the database that the run reads first, mapped.
    pub(crate) origin: &'a SchemaCache,
    /// The name of that database.
    pub(crate) database: &'a str,
    pub(crate) replica: Option<&'a SourceCatalogue>,
    pub(crate) target: &'a TargetCatalogue,
    pub(crate) states: &'a BTreeMap<TableName, TrackedTable>,
    /// Tables whose rows those of another source replace.
    pub(crate) replaced: &'a BTreeSet<TableName>,
    pub(crate) findings: &'a [RecoveryFinding],
    /// The time in the database that the run reads first.
    pub(crate) clock: SourceClock,
    /// The server that tells which of its tables changed.
    pub(crate) witness: Witness,
    /// The time here.
    pub(crate) now: Timestamp,
}

impl Surroundings<'_> {
    fn load_from(&self) -> ReadFrom {
        if self.replica.is_some() { ReadFrom::Replica } else { ReadFrom::Source }
    }
}

/// Makes the plan.
pub(crate) fn plan(around: &Surroundings<'_>) -> Plan {
    let mut plan = Plan { tables: Vec::new(), refused: Vec::new() };
    for name in around.wanted {
        match resolve(around, name) {
            Ok(context) => plan.tables.push(context),
            Err(error) => plan.refused.push(Refused { table: name.clone(), error }),
        }
    }
    plan.tables.sort_by(|a, b| {
        let by_priority = a.priority.cmp(&b.priority);
        by_priority.then(b.weight().cmp(&a.weight())).then_with(|| a.name.cmp(&b.name))
    });
    plan
}

fn resolve(around: &Surroundings<'_>, name: &TableName) -> Result<TableContext, TableError> {
    if let Some(statement) = around.denied.get(name) {
        return Err(TableError::Denied { table: name.clone(), statement: statement.clone() });
    }
    let known = around.origin.get(around.database, name);
    let CachedTable { schema, mapping, fingerprint } =
        known.expect("wanted tables are in the catalogue")?;
    let tracked = around.states.get(name).cloned().unwrap_or_default();
    let loaded_by_us = tracked.load.as_ref().is_some_and(LoadState::is_ours);
    if around.options.hops != Hops::Copy
        && let Some(refusal) =
            target_refusal(around, &mapping, loaded_by_us || around.options.adopt)
    {
        return Err(TableError::Target(refusal));
    }
    if !around.options.adopt
        && let Some(sentence) = around.findings.iter().find_map(|finding| finding.refusal(name))
    {
        return Err(TableError::NotOurs(sentence));
    }
    if let (Some(replica), Some(server)) = (around.replica, &around.settings.replica) {
        check_place(replica, &server.database, name, around.wanted)?;
    }
    let settings = around.settings.table(name);
    // Moved in full for other policies, it would lose what it keeps.
    let keeps = settings.deletes == Deletes::Ignore;
    let values = if keeps { ValuePolicies::default() } else { around.settings.values };
    let fingerprint = fingerprint_of(fingerprint, &mapping, &values);
    let replica = around.replica.and_then(|replica| table(replica, name)?.ok());
    let target = around.target.tables.get(&mapping.pg_table);
    if target.is_some() && !loaded_by_us && !around.options.adopt {
        let finding = RecoveryFinding::NotOurs { table: name.clone(), side: Side::Target };
        return Err(TableError::NotOurs(finding.to_string()));
    }
    let configured = settings.extraction.unwrap_or(Extraction::FullTable);
    let by_watermark = !matches!(configured, Extraction::FullTable | Extraction::Diff);
    let window = by_watermark.then(|| Window::of(&schema, &settings));
    let window = window
        .transpose()
        .map_err(|problem| TableError::NoWindow { table: name.clone(), problem })?;
    let mark = around.witness.mark(&schema, &mapping, (&settings, &around.settings.values));
    let writes_replica = around.replica.is_some() && around.options.hops != Hops::Load;
    let decision = decide(&Known {
        configured,
        columns: window.as_ref().map_or(&[], |window| &window.columns),
        asked_full: around.options.full,
        is_replaced: around.replaced.contains(name),
        hops: around.options.hops,
        tracked: &tracked,
        fingerprint: &fingerprint,
        replica_is_there: replica.is_some() || !writes_replica,
        replica_fits: !writes_replica || replica.is_none_or(|there| schema.is_copied_as(there)),
        target_is_there: target.is_some() || around.options.hops == Hops::Copy,
        has_usable_key: has_key_values(&mapping),
        unchanged: is_unchanged(around, &mark, &tracked),
        now: around.now,
    });
    let filter = filter(around, window.as_ref(), &decision, &tracked);
    let selected = select(&around.settings.selection, &settings, &schema, around.load_from());
    Ok(TableContext {
        name: name.clone(),
        decision,
        priority: settings.priority,
        filter,
        window: window.map(Arc::new),
        deletes: settings.deletes,
        max_delete_percent: settings.max_delete_percent,
        selected,
        fingerprint,
        schema,
        replica: replica.map(|replica| Arc::new(replica.clone())),
        target: target.map(|target| Arc::new(target.clone())),
        mapping,
        mark,
        tracked,
        copy_id: CopyId::new(),
    })
}

/// Decides whether the table can go into the target as that is.
fn target_refusal(
    around: &Surroundings<'_>,
    mapping: &TableMapping,
    is_ours: bool,
) -> Option<TargetRefusal> {
    let schema = &around.settings.target.schema;
    TargetRefusal::same_name(mapping, around.wanted.iter().chain(around.states.keys()))
        .or_else(|| TargetRefusal::find(mapping, schema, around.target, is_ours))
}

/// Returns true if the source is for sure as it was when the last good copy was read. A run that
/// compares every row does not rely on it.
fn is_unchanged(
    around: &Surroundings<'_>,
    mark: &Result<String, NoMark>,
    tracked: &TrackedTable,
) -> bool {
    let recorded = tracked.copy.as_ref().and_then(|copy| copy.source_mark.as_ref());
    let now = mark.as_ref().ok().filter(|_| around.options.prove != Prove::Rows);
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
    around: &Surroundings<'_>,
    window: Option<&Window>,
    decision: &Decision,
    tracked: &TrackedTable,
) -> RowFilter {
    let merged = if decision.loads_all { Hops::Copy } else { around.options.hops };
    let last = last_good(tracked, merged).unwrap_or(around.now);
    let elapsed = around.now.duration_since(last);
    let changed = window.filter(|_| !decision.since.is_empty());
    changed
        .and_then(|window| window.filter(&decision.since, &around.clock, elapsed))
        .unwrap_or(RowFilter::All)
}

impl Plan {
    /// Records the tables that are taken over, so that they count as ours.
    pub(crate) fn adopt(&self, tracker: &Tracker) -> Result<()> {
        for context in &self.tables {
            tracker.adopt(&context.name, context.replica.is_some(), context.target.is_some())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
