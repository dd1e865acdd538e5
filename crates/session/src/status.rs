//! The state of the tables between two runs.

use crate::connector::SessionOptions;
use crate::error::{SessionError, SessionResult};
use crate::identity::recorded_elsewhere;
use crate::scope::read_catalogue;
use crate::session::{Access, ReplicaNeed, Session, Sides};
use handoff_connect::{Leftover, LeftoverKind, MyPool, PgPool};
use handoff_model::{CancelToken, RunId, TableName};
use handoff_schema::{SourceCatalogue, TargetCatalogue};
use handoff_settings::{Settings, TargetSettings};
use handoff_tracking::{LastRun, RecoveryFinding, TrackedTable, reconcile};
use std::collections::{BTreeMap, BTreeSet};

/// The tracked state of the tables beside the databases. Nothing is changed to find out, and the
/// source is not asked.
#[derive(Debug, Clone)]
pub struct StatusSnapshot {
    /// The recorded state of every table that was ever met.
    pub states: BTreeMap<TableName, TrackedTable>,
    /// The disagreements of tracking and databases about tables that are tracked. While a run is in
    /// progress its own unfinished work is none of it.
    pub disagreements: Vec<RecoveryFinding>,
    /// The last run, if there was one.
    pub last_run: Option<LastRun>,
    /// The run that is in progress, as a phrase.
    pub in_progress: Option<String>,
    /// Further remarks, such as tables that came from elsewhere than the settings lead to.
    pub notes: Vec<String>,
}

impl StatusSnapshot {
    /// Looks into the replica and the target.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if a server cannot be reached or read.
    pub fn inspect(settings: &Settings) -> SessionResult<StatusSnapshot> {
        let options =
            SessionOptions { run: RunId::new(), connections: 2, cancel: CancelToken::new() };
        let sides = Sides { source: false, replica: ReplicaNeed::Present };
        let session = Session::open(settings, Access::Look, sides, &options)?;
        let tracker = session.read_tracker()?;
        // Asked first: a run that ends meanwhile has its work done by the time that is looked at.
        let in_progress = tracker
            .in_progress()
            .map_err(SessionError::server("ask whether a run is in progress"))?;
        let states = tracker.states()?;
        let servers = &session.servers;
        let holdings =
            Holdings::inspect(servers.replica.as_ref(), &servers.target, &settings.target)?;
        let mut disagreements = holdings.disagreements(&states);
        disagreements.retain(|finding| is_shown(finding, &states, in_progress.is_some()));
        let in_progress = in_progress.as_ref().map(ToString::to_string);
        let notes = recorded_elsewhere(settings, &states);
        Ok(StatusSnapshot {
            last_run: tracker.last_run()?,
            states,
            disagreements,
            in_progress,
            notes,
        })
    }
}

/// Returns the tables that are tracked in the target, as a shell completes them.
///
/// # Errors
///
/// Returns a [`SessionError`] if the target cannot be reached or read.
pub fn tracked_tables(settings: &Settings) -> SessionResult<Vec<TableName>> {
    let options = SessionOptions { run: RunId::new(), connections: 1, cancel: CancelToken::new() };
    let target_alone = Settings { replica: None, ..settings.clone() };
    let sides = Sides { source: false, replica: ReplicaNeed::Optional };
    let session = Session::open(&target_alone, Access::Look, sides, &options)?;
    Ok(session.read_tracker()?.states()?.into_keys().collect())
}

/// Returns true if a status shows a disagreement: one about a table that is tracked. The unfinished work of a run
/// that is in progress is none.
fn is_shown(
    finding: &RecoveryFinding,
    states: &BTreeMap<TableName, TrackedTable>,
    is_in_progress: bool,
) -> bool {
    match finding {
        RecoveryFinding::Interrupted { .. } | RecoveryFinding::OrphanShadow { .. } => {
            !is_in_progress
        }
        other => other.table().is_some_and(|table| states.contains_key(table)),
    }
}

/// The contents of the databases that runs write to, tracked or not.
pub struct Holdings {
    /// The tables that interrupted copies left in the replica.
    pub leftovers: Vec<Leftover>,
    /// The catalogue of the replica, if there is one.
    pub replica: Option<SourceCatalogue>,
    /// The target's tables, and what interrupted loads left there.
    pub target: TargetCatalogue,
}

impl Holdings {
    /// Looks into the replica, if there is one, and the schema of the target.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if a server cannot be reached or read.
    pub fn inspect(
        replica: Option<&MyPool>,
        target: &PgPool,
        settings: &TargetSettings,
    ) -> SessionResult<Holdings> {
        let mut leftovers = Vec::new();
        if let Some(replica) = replica {
            let failed = SessionError::server("list the leftovers of earlier copies");
            leftovers = replica.leftovers().map_err(failed)?;
        }
        let replica = replica.map(read_catalogue).transpose()?;
        let mut conn = target.get().map_err(SessionError::Connect)?;
        let read = TargetCatalogue::read(&mut conn, &settings.schema);
        let target = read.map_err(SessionError::TargetCatalogue)?.named(settings.name_case);
        Ok(Holdings { leftovers, replica, target })
    }

    /// Returns what `states` and the databases disagree on.
    pub fn disagreements(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
    ) -> Vec<RecoveryFinding> {
        let copies = self.leftovers.iter().filter(|left| left.kind != LeftoverKind::Keys);
        let shadows: Vec<_> =
            copies.map(|left| (left.copy_id, left.kind == LeftoverKind::New)).collect();
        let in_replica = self.replica.clone().unwrap_or_else(SourceCatalogue::empty);
        let in_replica = in_replica.under_names(states.keys()).tables.into_keys().collect();
        reconcile(states, &shadows, &in_replica, &tables_in_target(&self.target, states))
    }
}

/// Returns the tables of the target by their names in the source, which may be longer.
pub fn tables_in_target(
    target: &TargetCatalogue,
    states: &BTreeMap<TableName, TrackedTable>,
) -> BTreeSet<TableName> {
    let own = target.tables.keys().filter_map(|name| TableName::new(name).ok());
    let long = states.keys().filter(|name| target.has(name));
    own.chain(long.cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::Side;
    use handoff_model::CopyId;
    use handoff_plan::testing;
    use handoff_schema::TableSchema;
    use handoff_tracking::CopyRecovery;

    fn table(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    fn states() -> BTreeMap<TableName, TrackedTable> {
        [(table("t"), testing::tracked())].into()
    }

    #[test]
    fn only_tables_that_are_tracked_are_shown() {
        let foreign = |name| RecoveryFinding::NotOurs { table: table(name), side: Side::Target };
        assert!(is_shown(&foreign("t"), &states(), false));
        assert!(!is_shown(&foreign("u"), &states(), false));
        assert!(is_shown(&foreign("t"), &states(), true));
    }

    #[test]
    fn the_unfinished_work_of_a_run_in_progress_is_not_shown() {
        let copy_id = CopyId::new();
        let remedy = CopyRecovery::Finish;
        for finding in [
            RecoveryFinding::OrphanShadow { copy_id },
            RecoveryFinding::Interrupted { table: table("t"), copy_id, remedy },
        ] {
            assert!(is_shown(&finding, &states(), false));
            assert!(!is_shown(&finding, &states(), true));
        }
    }

    fn holdings(leftovers: &[LeftoverKind]) -> Holdings {
        let shown = |&kind| Leftover { copy_id: CopyId::new(), kind };
        let mut replica = SourceCatalogue::empty();
        replica.tables.insert(table("t"), Ok(TableSchema::empty("t")));
        let target = TargetCatalogue::default();
        Holdings {
            leftovers: leftovers.iter().map(shown).collect(),
            replica: Some(replica),
            target,
        }
    }

    #[test]
    fn keys_that_were_left_are_no_copy() {
        let orphans = |kinds: &[LeftoverKind]| {
            let found = holdings(kinds).disagreements(&states());
            found
                .iter()
                .filter(|found| matches!(found, RecoveryFinding::OrphanShadow { .. }))
                .count()
        };
        assert_eq!(orphans(&[LeftoverKind::Keys]), 0);
        assert_eq!(orphans(&[LeftoverKind::New, LeftoverKind::Old, LeftoverKind::Keys]), 2);
    }

    #[test]
    fn a_table_that_is_missing_in_the_target_is_found() {
        let found = holdings(&[]).disagreements(&states());
        let missing = RecoveryFinding::TrackedButMissing { table: table("t"), side: Side::Target };
        assert!(found.contains(&missing), "{found:?}");
    }

    #[test]
    fn a_long_name_is_known_by_its_short_form_in_the_target() {
        use handoff_plan::testing::arrived;
        use handoff_schema::{ColumnSchema, TableMapping};
        use handoff_settings::{TableSettings, ValuePolicies};
        let long = "t".repeat(70);
        // MySQL names have at most 64 characters; those may be of several bytes.
        let wide = "ä".repeat(40);
        assert!(TableName::new(&long).is_err() || long.len() > 63);
        let columns = vec![ColumnSchema::of_type("a", "int").unwrap()];
        let schema = TableSchema { columns, ..TableSchema::empty(&wide) };
        let mapping =
            TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default())
                .unwrap();
        let there = arrived(&mapping);
        let target =
            TargetCatalogue { tables: [(there.name.clone(), there)].into(), ..Default::default() };
        let states = [(table(&wide), testing::tracked())].into();
        assert!(tables_in_target(&target, &states).contains(&table(&wide)));
    }
}
