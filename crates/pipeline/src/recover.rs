//! Finishing or undoing what an interrupted run left.

use crate::Result;
use crate::error::Error;
use handoff_model::TableName;
use handoff_replicator::{LeftoverKind, Replicator};
use handoff_schema::{Catalogue, TargetCatalogue};
use handoff_tracking::{Finding, Tracked, Tracker, reconcile};
use std::collections::{BTreeMap, BTreeSet};

/// What is known after everything interrupted was finished or undone.
pub(crate) struct Recovered {
    pub(crate) states: BTreeMap<TableName, Tracked>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<String>,
}

/// Finishes or undoes interrupted copies by what is found, and says what tracking and databases
/// disagree on.
pub(crate) fn recover(
    tracker: &Tracker,
    replicator: Option<&Replicator>,
    replica: Option<&Catalogue>,
    target: &TargetCatalogue,
) -> Result<Recovered> {
    let leftovers = match replicator {
        Some(replicator) => replicator.leftovers().map_err(Error::Pair)?,
        None => Vec::new(),
    };
    let shadows: Vec<_> = leftovers
        .iter()
        .map(|leftover| (leftover.copy_id, leftover.kind == LeftoverKind::New))
        .collect();
    let in_replica: BTreeSet<TableName> =
        replica.map(|replica| replica.tables.keys().cloned().collect()).unwrap_or_default();
    let in_target = target.tables.keys().filter_map(|name| TableName::new(name).ok()).collect();
    let states = tracker.states()?;
    let findings = reconcile(&states, &shadows, &in_replica, &in_target);
    let mut notes = Vec::new();
    for finding in &findings {
        if tracker.settle(finding)? {
            notes.push(finding.to_string());
        }
    }
    if let Some(replicator) = replicator {
        for leftover in &leftovers {
            replicator.drop_leftover(leftover).map_err(Error::Pair)?;
        }
    }
    let states = if notes.is_empty() { states } else { tracker.states()? };
    Ok(Recovered { states, findings, notes })
}
