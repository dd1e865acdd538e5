//! The plan: what becomes of every table of a run, decided before anything moves.

use crate::auto::AutoFacts;
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
    TargetTable,
};
use handoff_settings::{Settings, TableSettings, ValuePolicies};
use handoff_tracking::{LoadState, RecoveryFinding, TableHistory, TrackedTable};
use jiff::{SignedDuration, Timestamp};
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
    /// The recorded moves of tables whose extraction each run chooses.
    pub histories: &'a BTreeMap<TableName, TableHistory>,
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
    let known = KnownTable::find(inputs, name)?;
    known.demand_fit(inputs)?;
    let window = known.window(inputs)?;
    Ok(known.planned(inputs, window))
}

/// A table of the catalogue, and all that is known of it before anything is decided.
struct KnownTable<'a> {
    name: TableName,
    schema: Arc<TableSchema>,
    mapping: Arc<TableMapping>,
    settings: TableSettings,
    /// The structure and the policies that concern it.
    fingerprint: String,
    tracked: TrackedTable,
    /// The replica's table, if it can be described.
    replica: Option<&'a TableSchema>,
    target: Option<&'a TargetTable>,
}

impl<'a> KnownTable<'a> {
    fn find(inputs: &PlanInputs<'a>, name: &TableName) -> Result<KnownTable<'a>, PlanError> {
        if let Some(statement) = inputs.denied.get(name) {
            return Err(PlanError::Denied { table: name.clone(), statement: statement.clone() });
        }
        let cached = inputs.origin.get(inputs.database, name);
        let CachedTable { schema, mapping, fingerprint } =
            cached.expect("wanted tables are in the catalogue")?;
        let settings = inputs.settings.table(name);
        // Moved in full for other policies, it would lose what it keeps.
        let keeps = settings.deletes == Deletes::Ignore;
        let values = if keeps { ValuePolicies::default() } else { inputs.settings.values };
        let replica = inputs.replica.and_then(|replica| replica.tables.get(name));
        Ok(KnownTable {
            name: name.clone(),
            fingerprint: fingerprint_of(fingerprint, &mapping, &values),
            tracked: inputs.states.get(name).cloned().unwrap_or_default(),
            replica: replica.and_then(|replica| replica.as_ref().ok()),
            target: inputs.target.tables.get(&mapping.pg_table),
            schema,
            mapping,
            settings,
        })
    }

    /// Refuses a table that cannot arrive, or that would take the place of somebody else's.
    fn demand_fit(&self, inputs: &PlanInputs<'_>) -> Result<(), PlanError> {
        let is_ours = inputs.adopt || self.tracked.load.as_ref().is_some_and(LoadState::is_ours);
        let refusal = target_refusal(inputs, &self.mapping, is_ours);
        if let Some(refusal) = refusal.filter(|_| inputs.hops != Hops::Copy) {
            return Err(PlanError::Target(refusal));
        }
        let mut findings = inputs.findings.iter();
        let sentence = findings.find_map(|finding| finding.refusal(&self.name));
        if let Some(sentence) = sentence.filter(|_| !inputs.adopt) {
            return Err(PlanError::NotOurs(sentence));
        }
        if let (Some(replica), Some(server)) = (inputs.replica, &inputs.settings.replica) {
            check_place(replica, &server.database, &self.name, inputs.wanted)?;
        }
        if self.target.is_some() && !is_ours {
            let table = self.name.clone();
            let finding = RecoveryFinding::NotOurs { table, side: Side::Target };
            return Err(PlanError::NotOurs(finding.to_string()));
        }
        Ok(())
    }

    fn configured(&self, inputs: &PlanInputs<'_>) -> Extraction {
        self.settings.extraction.unwrap_or(inputs.settings.run.extraction)
    }

    /// Returns the watermarks of a table that is moved by them.
    fn window(&self, inputs: &PlanInputs<'_>) -> Result<Option<Window>, PlanError> {
        if !self.configured(inputs).is_by_watermark() {
            return Ok(None);
        }
        let window = Window::of(&self.schema, &self.settings);
        let no_window = |problem| PlanError::NoWindow { table: self.name.clone(), problem };
        window.map(Some).map_err(no_window)
    }

    fn decision(&self, inputs: &PlanInputs<'_>, facts: &MoveFacts<'_>) -> Decision {
        let writes_replica = inputs.replica.is_some() && inputs.hops != Hops::Load;
        decide(&DecisionInputs {
            configured: self.configured(inputs),
            columns: facts.window.map_or(&[], |window| &window.columns),
            asked_full: inputs.full,
            is_replaced: inputs.replaced.contains(&self.name),
            hops: inputs.hops,
            tracked: &self.tracked,
            fingerprint: &self.fingerprint,
            replica_is_there: self.replica.is_some() || !writes_replica,
            replica_fits: !writes_replica
                || self.replica.is_none_or(|there| self.schema.is_copied_as(there)),
            target_is_there: self.target.is_some() || inputs.hops == Hops::Copy,
            has_usable_key: has_key_values(&self.mapping),
            unchanged: is_unchanged(inputs, facts.change_token, &self.tracked),
            table: &self.name,
            rows: self.schema.rows,
            auto: self.auto(inputs),
            now: inputs.now,
        })
    }

    fn auto<'i>(&self, inputs: &PlanInputs<'i>) -> AutoFacts<'i> {
        let recheck = SignedDuration::try_from(inputs.settings.run.recheck);
        AutoFacts {
            history: inputs.histories.get(&self.name),
            recheck: recheck.unwrap_or(SignedDuration::MAX),
        }
    }

    fn planned(self, inputs: &PlanInputs<'_>, window: Option<Window>) -> TablePlan {
        let values = &inputs.settings.values;
        let change_token =
            inputs.detector.token(&self.schema, &self.mapping, &self.settings, values);
        let facts = MoveFacts { window: window.as_ref(), change_token: &change_token };
        let decision = self.decision(inputs, &facts);
        let selection = &inputs.settings.selection;
        TablePlan {
            filter: filter(inputs, window.as_ref(), &decision, &self.tracked),
            load_strategy: choose_strategy(
                selection,
                &self.settings,
                &self.schema,
                inputs.load_from(),
            ),
            name: self.name,
            decision,
            priority: self.settings.priority,
            window: window.map(Arc::new),
            deletes: self.settings.deletes,
            max_delete_percent: self.settings.max_delete_percent,
            fingerprint: self.fingerprint,
            schema: self.schema,
            replica: self.replica.map(|replica| Arc::new(replica.clone())),
            target: self.target.map(|target| Arc::new(target.clone())),
            mapping: self.mapping,
            change_token,
            tracked: self.tracked,
            copy_id: CopyId::new(),
        }
    }
}

/// The ways to find the rows that changed.
struct MoveFacts<'a> {
    window: Option<&'a Window>,
    change_token: &'a Result<String, NoChangeToken>,
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
