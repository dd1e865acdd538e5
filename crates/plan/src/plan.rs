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
use handoff_structure::StructurePlan;
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
    plan.sort();
    plan
}

impl Plan {
    /// Puts the tables in the order of their turns.
    pub fn sort(&mut self) {
        self.tables.sort_by(|a, b| {
            let by_priority = a.priority.cmp(&b.priority);
            by_priority.then(b.weight().cmp(&a.weight())).then_with(|| a.name.cmp(&b.name))
        });
        self.refused.sort_by(|a, b| a.table.cmp(&b.table));
    }
}

fn resolve(inputs: &PlanInputs<'_>, name: &TableName) -> Result<TablePlan, PlanError> {
    let known = KnownTable::find(inputs, name)?;
    let structure = known.demand_fit(inputs)?;
    let window = known.window(inputs)?;
    Ok(known.planned(inputs, window, structure))
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

    /// Refuses a table that cannot arrive, or that would take the place of somebody else's. Returns the changes that
    /// its table in the target needs.
    fn demand_fit(&self, inputs: &PlanInputs<'_>) -> Result<Option<StructurePlan>, PlanError> {
        let load = self.tracked.load.as_ref();
        let is_ours = inputs.adopt || load.is_some_and(LoadState::is_ours);
        let structure = match inputs.hops {
            Hops::Copy => None,
            Hops::Both | Hops::Load => structure(inputs, &self.mapping, load)?,
        };
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
        Ok(structure)
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
            lacks_rows: facts.lacks_rows,
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

    fn planned(
        self,
        inputs: &PlanInputs<'_>,
        window: Option<Window>,
        structure: Option<StructurePlan>,
    ) -> TablePlan {
        let values = &inputs.settings.values;
        let change_token =
            inputs.detector.token(&self.schema, &self.mapping, &self.settings, values);
        let lacks_rows = structure.as_ref().is_some_and(StructurePlan::fills_rows);
        let facts = MoveFacts { window: window.as_ref(), change_token: &change_token, lacks_rows };
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
            structure: structure.map(Arc::new),
            columns: columns_of(&self.mapping).into(),
            mapping: self.mapping,
            change_token,
            tracked: self.tracked,
            copy_id: CopyId::new(),
        }
    }
}

/// The facts of the rows to move.
struct MoveFacts<'a> {
    window: Option<&'a Window>,
    change_token: &'a Result<String, NoChangeToken>,
    /// True if the target's table is about to get columns that only a load of every row fills.
    lacks_rows: bool,
}

/// Decides whether the table can go into the target, and returns the changes that its table there needs for it.
fn structure(
    inputs: &PlanInputs<'_>,
    mapping: &TableMapping,
    load: Option<&LoadState>,
) -> Result<Option<StructurePlan>, PlanError> {
    let others = inputs.wanted.iter().chain(inputs.states.keys());
    let case = inputs.settings.target.name_case;
    if let Some(refusal) = TargetRefusal::same_name(mapping, case, others) {
        return Err(PlanError::Target(refusal));
    }
    let settings = inputs.settings;
    let found = TargetRefusal::find(mapping, settings, inputs.target, load, inputs.adopt);
    found.map_err(PlanError::Target)
}

/// Returns the columns that a load writes, as a JSON array of their names in the target.
fn columns_of(mapping: &TableMapping) -> String {
    let names: Vec<&str> = mapping.columns.iter().map(|column| &*column.pg_name).collect();
    serde_json::to_string(&names).expect("names are JSON")
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
