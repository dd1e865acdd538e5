//! Comparing what tracking says with what is there.

use crate::finding::{CopyRecovery, RecoveryFinding};
use crate::state::{CopyState, TrackedTable};
use crate::status::AttemptStatus;
use handoff_connect::Side;
use handoff_model::own::{PREFIX, is_own_table};
use handoff_model::{CopyId, TableName};
use std::collections::{BTreeMap, BTreeSet};

/// Says where tracking and databases disagree, and what the next run does about it.
///
/// `shadows` are the tables that copies left in the replica: `true` for a new shadow, `false` for
/// the old table that a swap put aside. Tables of ours among the others are passed over.
///
/// A copy counts as swapped in only on positive evidence: the old table is there, or the table
/// itself where no earlier copy could have made it. A missing shadow proves nothing, since a copy
/// that fails drops its own.
pub fn reconcile(
    states: &BTreeMap<TableName, TrackedTable>,
    shadows: &[(CopyId, bool)],
    replica_tables: &BTreeSet<TableName>,
    target_tables: &BTreeSet<TableName>,
) -> Vec<RecoveryFinding> {
    let known = KnownTables { shadows, replica_tables, target_tables };
    let mut findings = not_ours(states, &known);
    for (table, tracked) in states {
        findings.extend(known.of_table(table, tracked));
    }
    let explained: BTreeSet<String> = findings.iter().filter_map(interrupted).collect();
    let mut orphans = BTreeSet::new();
    for (copy_id, _) in shadows {
        let name = copy_id.to_string();
        if !explained.contains(&name) && orphans.insert(name) {
            findings.push(RecoveryFinding::OrphanShadow { copy_id: *copy_id });
        }
    }
    findings
}

struct KnownTables<'a> {
    shadows: &'a [(CopyId, bool)],
    replica_tables: &'a BTreeSet<TableName>,
    target_tables: &'a BTreeSet<TableName>,
}

fn not_ours(
    states: &BTreeMap<TableName, TrackedTable>,
    known: &KnownTables<'_>,
) -> Vec<RecoveryFinding> {
    let sides = [(Side::Replica, known.replica_tables), (Side::Target, known.target_tables)];
    let mut findings = Vec::new();
    for (side, tables) in sides {
        let foreign = tables.iter().filter(|table| is_foreign(states.get(*table), table, side));
        findings
            .extend(foreign.map(|table| RecoveryFinding::NotOurs { table: table.clone(), side }));
    }
    findings
}

/// Returns true if Handoff did not make a table that is on a side.
fn is_foreign(tracked: Option<&TrackedTable>, table: &TableName, side: Side) -> bool {
    let is_ours = match side {
        Side::Target => tracked.and_then(|t| t.load.as_ref()).is_some_and(|l| l.is_ours()),
        _ => tracked.and_then(|t| t.copy.as_ref()).is_some_and(|c| c.is_ours()),
    };
    !is_ours && !is_own_table(table.as_str()) && !table.as_str().starts_with(PREFIX)
}

impl KnownTables<'_> {
    fn of_table(&self, table: &TableName, tracked: &TrackedTable) -> Vec<RecoveryFinding> {
        let mut findings = Vec::new();
        let copy = tracked.copy.as_ref();
        if let Some(copy) = copy {
            findings.extend(self.interrupted(table, copy));
        }
        findings.extend(self.missing(table, tracked));
        let loaded = tracked.load.as_ref().and_then(|load| load.loaded_copy_id);
        match (tracked.loadable_copy(), loaded) {
            (Some(copy_id), None) => {
                let table = table.clone();
                findings.push(RecoveryFinding::CopiedNotLoaded { table, copy_id });
            }
            (Some(copy_id), Some(loaded)) if copy_id != loaded => {
                let table = table.clone();
                findings.push(RecoveryFinding::LoadedFromOtherCopy { table, copy_id, loaded });
            }
            _ => {}
        }
        findings
    }

    fn interrupted(&self, table: &TableName, copy: &CopyState) -> Option<RecoveryFinding> {
        let copy_id = copy.pending?;
        let remedy = if self.was_swapped(table, copy, copy_id) {
            CopyRecovery::Finish
        } else if copy.status != AttemptStatus::Running {
            // It failed or was stopped, and said so: the next copy takes its place.
            return None;
        } else if copy.copy_id.is_some() && !copy.intact && !self.has(copy_id, true) {
            CopyRecovery::Repeat
        } else {
            CopyRecovery::Undo
        };
        Some(RecoveryFinding::Interrupted { table: table.clone(), copy_id, remedy })
    }

    fn was_swapped(&self, table: &TableName, copy: &CopyState, copy_id: CopyId) -> bool {
        // A first copy that failed and said so has not made the table that is there now.
        let first = copy.copy_id.is_none()
            && copy.adopted_at.is_none()
            && copy.status == AttemptStatus::Running;
        self.replica_tables.contains(table)
            && !self.has(copy_id, true)
            && (first || self.has(copy_id, false))
    }

    fn has(&self, copy_id: CopyId, new: bool) -> bool {
        self.shadows.contains(&(copy_id, new))
    }

    fn missing(&self, table: &TableName, tracked: &TrackedTable) -> Vec<RecoveryFinding> {
        let copied = tracked
            .copy
            .as_ref()
            .is_some_and(|copy| copy.place == Side::Replica && copy.copy_id.is_some());
        let mut sides = Vec::new();
        if copied && !self.replica_tables.contains(table) {
            sides.push(Side::Replica);
        }
        if tracked.was_loaded() && !self.target_tables.contains(table) {
            sides.push(Side::Target);
        }
        sides
            .into_iter()
            .map(|side| RecoveryFinding::TrackedButMissing { table: table.clone(), side })
            .collect()
    }
}

fn interrupted(finding: &RecoveryFinding) -> Option<String> {
    match finding {
        RecoveryFinding::Interrupted { copy_id, .. } => Some(copy_id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
