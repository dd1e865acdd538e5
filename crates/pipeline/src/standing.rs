//! How things stand between two runs.

use crate::base::read_catalogue;
use crate::identity::recorded_elsewhere;
use crate::recover::in_target;
use crate::stopping::pool_options;
use crate::{Error, Result};
use handoff_connect::{MyPool, PgPool, Side};
use handoff_model::{CancelToken, RunId, TableName};
use handoff_replicator::{Leftover, LeftoverKind};
use handoff_schema::{SourceCatalogue, TargetCatalogue};
use handoff_settings::Settings;
use handoff_tracking::{LastRun, RecoveryFinding, TrackedTable, Tracker, reconcile};
use std::collections::BTreeMap;

/// What is tracked, and what the databases say to it. Nothing is changed to find out, and the
/// source is not asked.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What is known of every table that was ever met.
    pub states: BTreeMap<TableName, TrackedTable>,
    /// What tracking and databases disagree on, about tables that are tracked. While a run is in
    /// progress its own unfinished work is none of it.
    pub disagreements: Vec<RecoveryFinding>,
    /// The last run, if there was one.
    pub last_run: Option<LastRun>,
    /// The run that is in progress, as a phrase.
    pub in_progress: Option<String>,
    /// Further remarks, such as tables that came from elsewhere than the settings lead to.
    pub notes: Vec<String>,
}

impl Standing {
    /// Looks into the replica and the target.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if a server cannot be reached or read.
    pub fn look(settings: &Settings) -> Result<Standing> {
        let options = pool_options(&settings.run, 2, RunId::new(), &CancelToken::new());
        let open = |server| MyPool::open(server, Side::Replica, &options);
        let replica = settings.replica.as_ref().map(open).transpose().map_err(Error::Connect)?;
        let target = PgPool::open(&settings.target.server, &options).map_err(Error::Connect)?;
        let schema = &settings.target.schema;
        let tracker =
            Tracker::open_read_only(options.run, replica.clone(), target.clone(), schema)?;
        // Asked first: a run that ends meanwhile has its work done by the time that is looked at.
        let in_progress =
            tracker.in_progress().map_err(Error::server("ask whether a run is in progress"))?;
        let states = tracker.states()?;
        let tracked = |finding: &RecoveryFinding| match finding {
            RecoveryFinding::Interrupted { .. } | RecoveryFinding::OrphanShadow { .. } => {
                in_progress.is_none()
            }
            other => other.table().is_some_and(|table| states.contains_key(table)),
        };
        let holdings = Holdings::look(replica.as_ref(), &target, schema)?;
        let mut disagreements = holdings.disagreements(&states);
        disagreements.retain(tracked);
        let in_progress = in_progress.map(|holder| holder.to_string());
        let notes = recorded_elsewhere(settings, &states);
        Ok(Standing { last_run: tracker.last_run()?, states, disagreements, in_progress, notes })
    }
}

/// What the databases that runs write to hold, whatever is tracked of it.
pub(crate) struct Holdings {
    /// What interrupted copies left in the replica.
    pub(crate) leftovers: Vec<Leftover>,
    /// What is in the replica, if there is one.
    pub(crate) replica: Option<SourceCatalogue>,
    /// The target's tables, and what interrupted loads left there.
    pub(crate) target: TargetCatalogue,
}

impl Holdings {
    /// Looks into the replica, if there is one, and the schema of the target.
    pub(crate) fn look(
        replica: Option<&MyPool>,
        target: &PgPool,
        schema: &str,
    ) -> Result<Holdings> {
        let mut leftovers = Vec::new();
        if let Some(replica) = replica {
            leftovers = Leftover::list(replica).map_err(Error::Recover)?;
        }
        let replica = replica.map(read_catalogue).transpose()?;
        let mut conn = target.get().map_err(Error::Connect)?;
        let target = TargetCatalogue::read(&mut conn, schema).map_err(Error::TargetCatalogue)?;
        Ok(Holdings { leftovers, replica, target })
    }

    /// Returns what `states` and the databases disagree on.
    pub(crate) fn disagreements(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
    ) -> Vec<RecoveryFinding> {
        let copies = self.leftovers.iter().filter(|left| left.kind != LeftoverKind::Keys);
        let shadows: Vec<_> =
            copies.map(|left| (left.copy_id, left.kind == LeftoverKind::New)).collect();
        let in_replica = self.replica.clone().unwrap_or_else(SourceCatalogue::empty);
        let in_replica = in_replica.under_names(states.keys()).tables.into_keys().collect();
        reconcile(states, &shadows, &in_replica, &in_target(&self.target, states))
    }
}
