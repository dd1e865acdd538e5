//! Comparing the databases, apart from any run. Writes nothing anywhere.

mod error;
mod request;
mod table;

pub use request::{Depth, VerifyRequest};

use crate::error::{Error, Result};
use crate::flight::each;
use crate::gate::Gate;
use crate::pipeline::Pipeline;
use crate::report::{LastProof, VerifyReport, VerifyStatus, VerifyTable};
use handoff_connect::{Fault, MyPool, PgPool, SessionProfile, Side};
use handoff_model::{RowThrottle, RunEvent, RunId, TableName};
use handoff_plan::{Hops, NameWeight};
use handoff_schema::{
    CachedTable, SchemaCache, SourceCatalogue, TableSchema, TargetCatalogue, pg_table_name,
};
use handoff_session::{
    Access, HiddenTables, ReplicaNeed, Session, Sides, TableScope, gone_note, read_catalogue,
};
use handoff_tracking::{ProofOutcome, TrackedTable, Tracker};
use handoff_verify::{Verifier, VerifyOptions};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use table::TableVerifier;

type ReplicaTables = (MyPool, BTreeMap<TableName, handoff_schema::Result<TableSchema>>);

/// The databases of a verification, and their tables.
struct Base {
    source: Option<MyPool>,
    replica: Option<ReplicaTables>,
    target: Option<(PgPool, TargetCatalogue)>,
    /// The most rows of the source to read in a second.
    throttle: Option<RowThrottle>,
    /// The tables of the first of them, mapped.
    origin: SchemaCache,
    database: String,
    /// The tables to compare, largest first.
    wanted: Vec<TableName>,
    /// Those that the source's account may not read in full, with the statement that lets it.
    denied: BTreeMap<TableName, String>,
    /// Those that were carried and are gone from the source.
    gone: Vec<TableName>,
    /// Remarks for a person on the origin of the tables and the names in the settings.
    notes: Vec<String>,
    states: BTreeMap<TableName, TrackedTable>,
    tracker: Tracker,
}

impl Pipeline {
    /// Compares the tables that `request` names, several at a time, and reports on each.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] only if nothing could start: a server that cannot be reached, a table
    /// that is not there, a run in progress.
    pub fn verify(&self, request: &VerifyRequest) -> Result<VerifyReport> {
        let (run, started_at, clock) = (RunId::new(), Timestamp::now(), Instant::now());
        let base = self.until_stopped(|| self.patiently(|| self.inspect(run, request)))?;
        let sides = base.sides();
        self.cancel.check()?;
        self.observer.event(&RunEvent::RunStarted {
            run,
            tables: base.wanted.len() + base.denied.len(),
            rows: base.wanted.iter().map(|table| base.rows(table)).sum(),
        });
        let tables = self.compare_all(&base, request)?;
        let cancelled = self.is_interrupted();
        let equal = tables.iter().filter(|table| table.status == VerifyStatus::Equal).count();
        let failed = tables.len() - equal;
        self.observer.event(&RunEvent::RunFinished {
            ok: equal,
            failed,
            duration: clock.elapsed(),
        });
        let meanwhile = if failed > 0 && !cancelled { base.began_meanwhile() } else { None };
        let notes = base.gone.iter().map(gone_note).chain(base.notes.clone()).chain(meanwhile);
        let notes = notes.collect();
        Ok(VerifyReport {
            run_id: run,
            started_at,
            finished_at: Timestamp::now(),
            ok: failed == 0,
            cancelled,
            quick: request.depth == Depth::Quick,
            sides,
            tables,
            notes,
        })
    }

    /// Connects and looks at the tables to compare. Makes nothing.
    fn inspect(&self, run: RunId, request: &VerifyRequest) -> Result<Base> {
        if request.from == request.to {
            return Err(Error::NothingToCompare);
        }
        let compares_replica = request.from == Side::Replica || request.to == Side::Replica;
        if self.settings.replica.is_none() && compares_replica {
            return Err(Error::NoReplicaToCompare);
        }
        let hops = if request.from == Side::Replica { Hops::Load } else { Hops::Both };
        let sides = Sides { source: hops == Hops::Both, replica: ReplicaNeed::Present };
        let options = self.session_options(run);
        let session = Session::open(&self.settings, Access::Look, sides, &options)?;
        let tracker = session.read_tracker()?;
        tracker.demand_idle().map_err(Error::locked)?;
        let scope = session.scope(&request.tables)?;
        let replica = replica_tables(&session, &scope)?;
        let pool = &session.servers.target;
        let target = (request.to == Side::Target)
            .then(|| session.read_target().map(|catalogue| (pool.clone(), catalogue)))
            .transpose()?;
        let states = tracker.states()?;
        let ownership = session.ownership(&scope.catalogue, hops)?;
        let change = ownership.change(&states, &scope.wanted);
        let names = session.unmatched_names(&scope.catalogue)?;
        let names = names.iter().filter(|name| name.weight >= NameWeight::Warning);
        let mut notes: Vec<String> = names.map(ToString::to_string).collect();
        notes.extend(change.map(|change| change.what()));
        let arrived = |name: &TableName| match (&target, &replica) {
            (Some((_, there)), _) => there.tables.contains_key(&pg_table_name(name)),
            (None, Some((_, there))) => there.contains_key(name),
            (None, None) => false,
        };
        let expected =
            session.expected_tables(&scope.catalogue, &request.tables, &states, arrived)?;
        let HiddenTables { denied, gone } = session.hidden_tables(&scope, &expected)?;
        let TableScope { catalogue, wanted, .. } = scope;
        let mut wanted: Vec<_> =
            wanted.into_iter().filter(|table| !denied.contains_key(table)).collect();
        wanted.sort_by_cached_key(|table| Reverse(size(&catalogue, table)));
        let database = session.servers.origin().database().to_owned();
        Ok(Base {
            origin: session.mapped(&database, catalogue),
            source: session.servers.source,
            replica,
            target,
            throttle: self.settings.max_rows_per_second.map(RowThrottle::new),
            database,
            wanted,
            denied,
            gone,
            notes,
            states,
            tracker,
        })
    }

    fn compare_all(&self, base: &Base, request: &VerifyRequest) -> Result<Vec<VerifyTable>> {
        let (cancel, observer) = (self.cancel.clone(), Arc::clone(&self.observer));
        let configured = || VerifyOptions { sums: self.settings.run.sums, ..Default::default() };
        let options = request.options.unwrap_or_else(configured);
        let gate = &Gate::open(self.cancel.clone(), Arc::clone(&self.clock), None);
        let verifier = TableVerifier {
            base,
            request,
            verifier: Verifier::new(options, cancel, observer),
            schema: &self.settings.target.schema,
            values: &self.settings.values,
            settings: &self.settings,
            retries: self.retries(),
            cancel: &self.cancel,
            gate,
            observer: &self.observer,
        };
        let mut tables = each("verify", &base.wanted, self.settings.run.jobs, |table| {
            if let Some(why) = gate.refusal() {
                let table = VerifyTable::of_status(table.clone(), VerifyStatus::NotStarted);
                return VerifyTable { error: Some(why), ..table };
            }
            catch_unwind(AssertUnwindSafe(|| verifier.run(table)))
                .unwrap_or_else(|_| verifier.panicked(table))
        })?;
        let denied = base.denied.iter();
        tables.extend(denied.map(|(table, statement)| verifier.denied(table, statement)));
        tables.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(tables)
    }
}

/// Returns the tables of the replica, if there is one, by their names in the database that is read first.
fn replica_tables(session: &Session<'_>, scope: &TableScope) -> Result<Option<ReplicaTables>> {
    let Some(pool) = &session.servers.replica else { return Ok(None) };
    let names = scope.catalogue.tables.keys().chain(&scope.wanted);
    let there = read_catalogue(pool)?.under_names(names);
    Ok(Some((pool.clone(), there.tables)))
}

/// Returns the bytes of a table, or its rows where those are more.
fn size(catalogue: &SourceCatalogue, table: &TableName) -> u64 {
    catalogue.tables[table].as_ref().map_or(0, |table| table.data_bytes.max(table.rows))
}

impl Base {
    /// Asks for a connection, and returns the fault of a server that cannot be reached.
    fn unreachable(&self, side: Side) -> Option<Fault> {
        let my = |pool: &MyPool| pool.get(SessionProfile::Read).map(drop);
        let asked = match side {
            Side::Source => my(self.source.as_ref()?),
            Side::Replica => my(&self.replica.as_ref()?.0),
            Side::Target => self.target.as_ref()?.0.get().map(drop),
        };
        asked.err().filter(Fault::is_disconnect)
    }

    fn sides(&self) -> Vec<Side> {
        let source = self.source.as_ref().map(|_| Side::Source);
        let replica = self.replica.as_ref().map(|_| Side::Replica);
        let target = self.target.as_ref().map(|_| Side::Target);
        [source, replica, target].into_iter().flatten().collect()
    }

    fn described(&self, table: &TableName) -> handoff_schema::Result<CachedTable> {
        self.origin.get(&self.database, table).expect("wanted tables are in the catalogue")
    }

    fn rows(&self, table: &TableName) -> u64 {
        self.described(table).map_or(0, |known| known.schema.rows)
    }

    /// Returns the time at which a table was proved equal, if its last proof came out so.
    fn last_equal(&self, table: &TableName) -> Option<Timestamp> {
        let load = self.states.get(table)?.load.as_ref()?;
        load.proved_at.filter(|_| load.proof.as_deref() == Some(ProofOutcome::Equal.name()))
    }

    /// Returns a sentence if the tracking tables contradict that the target equals the replica.
    fn recorded_difference(&self, table: &TableName) -> Option<String> {
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
    fn last_proof(&self, table: &TableName) -> Option<LastProof> {
        let load = self.states.get(table)?.load.as_ref()?;
        let proof = load.proof.clone()?;
        Some(LastProof { proof, by: load.proof_by, at: load.proved_at })
    }

    /// Says so if a run began while tables were compared.
    fn began_meanwhile(&self) -> Option<String> {
        let refused = self.tracker.demand_idle().err()?;
        Some(format!("rows may be on their way, so verify again once it has ended: {refused}"))
    }
}
