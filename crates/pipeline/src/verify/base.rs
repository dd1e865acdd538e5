//! The databases of a verification, as they were found.

use crate::report::LastProof;
use handoff_connect::{Fault, MyPool, PgPool, SessionProfile, Side};
use handoff_model::{RowThrottle, TableName};
use handoff_schema::{CachedTable, SchemaCache, TableSchema, TargetCatalogue};
use handoff_tracking::{ProofOutcome, TrackedTable, Tracker};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The replica, and its tables by their names in the database that is read first.
pub(super) type ReplicaTables = (MyPool, BTreeMap<TableName, handoff_schema::Result<TableSchema>>);

/// The databases of a verification, and their tables.
pub(super) struct VerifyBase {
    pub(super) source: Option<MyPool>,
    pub(super) replica: Option<ReplicaTables>,
    pub(super) target: Option<(PgPool, TargetCatalogue)>,
    /// The most rows of the source to read in a second.
    pub(super) throttle: Option<RowThrottle>,
    /// The tables of the first of them, mapped.
    pub(super) origin: SchemaCache,
    pub(super) database: String,
    /// The tables to compare, largest first.
    pub(super) wanted: Vec<TableName>,
    /// Those that the source's account may not read in full, with the statement that lets it.
    pub(super) denied: BTreeMap<TableName, String>,
    /// Those that were carried and are gone from the source.
    pub(super) gone: Vec<TableName>,
    /// Remarks for a person on the origin of the tables and the names in the settings.
    pub(super) notes: Vec<String>,
    pub(super) states: BTreeMap<TableName, TrackedTable>,
    pub(super) tracker: Tracker,
}

impl VerifyBase {
    /// Asks for a connection, and returns the fault of a server that cannot be reached.
    pub(super) fn unreachable(&self, side: Side) -> Option<Fault> {
        let my = |pool: &MyPool| pool.get(SessionProfile::Read).map(drop);
        let asked = match side {
            Side::Source => my(self.source.as_ref()?),
            Side::Replica => my(&self.replica.as_ref()?.0),
            Side::Target => self.target.as_ref()?.0.get().map(drop),
        };
        asked.err().filter(Fault::is_disconnect)
    }

    pub(super) fn sides(&self) -> Vec<Side> {
        let source = self.source.as_ref().map(|_| Side::Source);
        let replica = self.replica.as_ref().map(|_| Side::Replica);
        let target = self.target.as_ref().map(|_| Side::Target);
        [source, replica, target].into_iter().flatten().collect()
    }

    pub(super) fn described(&self, table: &TableName) -> handoff_schema::Result<CachedTable> {
        self.origin.get(&self.database, table).expect("wanted tables are in the catalogue")
    }

    pub(super) fn rows(&self, table: &TableName) -> u64 {
        self.described(table).map_or(0, |known| known.schema.rows)
    }

    /// Returns the time at which a table was proved equal, if its last proof came out so.
    pub(super) fn last_equal(&self, table: &TableName) -> Option<Timestamp> {
        let load = self.states.get(table)?.load.as_ref()?;
        load.proved_at.filter(|_| load.proof.as_deref() == Some(ProofOutcome::Equal.name()))
    }

    /// Returns a sentence if the tracking tables contradict that the target equals the replica.
    pub(super) fn recorded_difference(&self, table: &TableName) -> Option<String> {
        let tracked = self.states.get(table).filter(|_| self.target.is_some())?;
        let load = tracked.load.as_ref()?;
        let copy = tracked.copy.as_ref().and_then(|copy| copy.copy_id);
        if load.proof.as_deref() == Some("differs") {
            return Some("the last run found that it differs".to_owned());
        }
        (self.replica.is_some() && copy.is_some() && load.loaded_copy_id != copy)
            .then(|| "the target was loaded from an earlier copy than the replica holds".to_owned())
    }

    /// Returns the proof of the last run that moved a table.
    pub(super) fn last_proof(&self, table: &TableName) -> Option<LastProof> {
        let load = self.states.get(table)?.load.as_ref()?;
        let proof = load.proof.clone()?;
        Some(LastProof { proof, by: load.proof_by, at: load.proved_at })
    }

    /// Says so if a run began while tables were compared.
    pub(super) fn began_meanwhile(&self) -> Option<String> {
        let refused = self.tracker.demand_idle().err()?;
        Some(format!("rows may be on their way, so verify again once it has ended: {refused}"))
    }
}
