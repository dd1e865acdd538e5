//! Finishing or undoing the leftovers of an interrupted run.

use crate::error::{Error, Result};
use handoff_connect::MyPool;
use handoff_model::{TableName, chain};
use handoff_replicator::{Leftover, LeftoverKind, drop_leftover, list_leftovers, restore_leftover};
use handoff_schema::{SourceCatalogue, TargetCatalogue};
use handoff_session::{tables_in_target, without_copies};
use handoff_tracking::{RecoveryFinding, TrackedTable, Tracker, reconcile};
use std::collections::{BTreeMap, BTreeSet};

/// The state of the tables after everything interrupted was finished or undone.
pub(crate) struct Recovered {
    pub(crate) states: BTreeMap<TableName, TrackedTable>,
    pub(crate) findings: Vec<RecoveryFinding>,
    pub(crate) notes: Vec<String>,
}

/// The treatment of the leftovers of an interrupted run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// They are finished or undone.
    Make,
    /// Nothing is done; the states are foreseen.
    Foresee,
}

/// Finishes or undoes interrupted copies by the leftovers found, and lists the disagreements of tracking and databases.
pub(crate) fn recover(
    tracker: &Tracker,
    replica_pool: Option<&MyPool>,
    replica: Option<&SourceCatalogue>,
    target: &TargetCatalogue,
    recovery: Recovery,
) -> Result<Recovered> {
    let leftovers = replica_pool.map(list_leftovers).transpose().map_err(Error::Recover)?;
    let leftovers = leftovers.unwrap_or_default();
    let shadows: Vec<_> = leftovers
        .iter()
        .filter(|leftover| leftover.kind != LeftoverKind::Keys)
        .map(|leftover| (leftover.copy_id, leftover.kind == LeftoverKind::New))
        .collect();
    let in_replica: BTreeSet<TableName> =
        replica.map(|replica| replica.tables.keys().cloned().collect()).unwrap_or_default();
    let mut states = tracker.states()?;
    if replica_pool.is_none() && replica.is_some() {
        without_copies(&mut states);
    }
    let in_target = tables_in_target(target, &states);
    let findings = reconcile(&states, &shadows, &in_replica, &in_target);
    if recovery == Recovery::Foresee {
        settle(&mut states, &findings);
        return Ok(Recovered { states, findings, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    for finding in &findings {
        if tracker.settle(finding)? {
            notes.push(finding.to_string());
        }
    }
    if let Some(replica) = replica_pool {
        restore(replica, &leftovers, &findings, &in_replica).map_err(Error::Recover)?;
    }
    for leftover in &leftovers {
        // One that somebody still reads is dropped by a later run.
        if let Some(Err(error)) = replica_pool.map(|replica| drop_leftover(replica, leftover)) {
            notes.push(chain(&error));
        }
    }
    let states = if notes.is_empty() { states } else { tracker.states()? };
    Ok(Recovered { states, findings, notes })
}

/// Changes the states as a recovery would change the records.
fn settle(states: &mut BTreeMap<TableName, TrackedTable>, findings: &[RecoveryFinding]) {
    for finding in findings {
        if let RecoveryFinding::Interrupted { table, remedy, .. } = finding
            && let Some(tracked) = states.get_mut(table)
        {
            *tracked = std::mem::take(tracked).settled(*remedy);
        }
    }
}

/// Gives back the table that a server without atomic RENAME lost when it crashed in the middle of
/// one (MySQL before 8.0, MariaDB before 10.6).
fn restore(
    replica: &MyPool,
    leftovers: &[Leftover],
    findings: &[RecoveryFinding],
    in_replica: &BTreeSet<TableName>,
) -> handoff_replicator::Result<()> {
    for finding in findings {
        let RecoveryFinding::Interrupted { table, copy_id, .. } = finding else { continue };
        let mut old = leftovers.iter().filter(|leftover| leftover.kind == LeftoverKind::Old);
        if let Some(old) = old.find(|leftover| leftover.copy_id == *copy_id)
            && !in_replica.contains(table)
        {
            restore_leftover(replica, old, table)?;
        }
    }
    Ok(())
}
