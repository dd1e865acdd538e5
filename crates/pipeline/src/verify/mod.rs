//! Comparing the databases, apart from any run. Writes nothing anywhere.

mod base;
mod error;
mod request;
mod table;

pub use request::{Depth, VerifyRequest};

use crate::builder::Pipeline;
use crate::error::{Error, Result};
use crate::flight::each;
use crate::gate::Gate;
use crate::report::{VerifyReport, VerifyStatus, VerifyTable};
use base::{ReplicaTables, VerifyBase};
use handoff_connect::Side;
use handoff_model::{RowThrottle, RunEvent, RunId, TableName};
use handoff_plan::{Hops, NameWeight};
use handoff_schema::SourceCatalogue;
use handoff_session::{
    Access, HiddenTables, ReplicaNeed, Session, Sides, TableScope, gone_note, read_catalogue,
};
use handoff_verify::{Verifier, VerifyOptions};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use table::TableVerifier;

impl Pipeline {
    /// Compares the tables that `request` names, several at a time, and reports on each.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] only if nothing could start: a server that cannot be reached, a table
    /// that is not there, a run in progress.
    pub fn verify(&self, request: &VerifyRequest) -> Result<VerifyReport> {
        let (run, started_at, clock) = (RunId::new(), Timestamp::now(), Instant::now());
        let _limit = self.time_limit()?;
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
    fn inspect(&self, run: RunId, request: &VerifyRequest) -> Result<VerifyBase> {
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
            (Some((_, there)), _) => there.has(name),
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
        Ok(VerifyBase {
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

    fn compare_all(&self, base: &VerifyBase, request: &VerifyRequest) -> Result<Vec<VerifyTable>> {
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
