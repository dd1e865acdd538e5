//! One table of a verification.

use super::error::Refusal;
use super::report::{VerifyPair, VerifyStatus, VerifyTable};
use super::{Base, Depth, VerifyRequest};
use crate::chain;
use crate::gate::Gate;
use crate::report::millis;
use crate::table::{Places, Unlike};
use handoff_connect::{MyPool, Profile, Retry, RetryPolicy, Side, quote_my, retry};
use handoff_model::{Cancel, Deletes, Event, Observer, Phase, TableName};
use handoff_schema::{CachedTable, Mapping, TableSchema, ddl};
use handoff_settings::{Settings, Values};
use handoff_verify::{ComparedTable, Verifier, VerifyJob};
use mysql::prelude::Queryable;
use std::sync::Arc;
use std::time::Instant;

/// What compares tables in one verification.
pub(super) struct TableVerifier<'a> {
    pub(super) base: &'a Base,
    pub(super) request: &'a VerifyRequest,
    pub(super) verifier: Verifier,
    pub(super) schema: &'a str,
    pub(super) values: &'a Values,
    pub(super) settings: &'a Settings,
    pub(super) retries: RetryPolicy,
    pub(super) cancel: &'a Cancel,
    pub(super) gate: &'a Gate,
    pub(super) observer: &'a Arc<dyn Observer>,
}

impl TableVerifier<'_> {
    /// Compares one table. Whatever happens is in the report.
    pub(super) fn run(&self, table: &TableName) -> VerifyTable {
        let started = Instant::now();
        let mut done = self.try_run(table).unwrap_or_else(|error| self.failed(table, &error));
        done.duration_ms = millis(started.elapsed());
        done.equal_at = self.base.last_equal(table);
        self.told(done)
    }

    /// Reports a table that the account of the source may not read.
    pub(super) fn denied(&self, table: &TableName, statement: &str) -> VerifyTable {
        self.told(self.failed(table, &Refusal::Denied { statement: statement.to_owned() }))
    }

    /// Reports a table that made us panic.
    pub(super) fn panicked(&self, table: &TableName) -> VerifyTable {
        self.told(self.failed(table, &Refusal::Panic))
    }

    fn told(&self, done: VerifyTable) -> VerifyTable {
        self.observer.event(&Event::TableFinished {
            table: done.table.clone(),
            status: done.status.label(),
            error: done.error.clone(),
        });
        done
    }

    fn failed(&self, table: &TableName, error: &Refusal) -> VerifyTable {
        if self.cancel.is_cancelled() && !matches!(error, Refusal::Panic) {
            return VerifyTable::of_status(table.clone(), VerifyStatus::Cancelled);
        }
        let lost = error.fault().filter(|fault| fault.is_disconnect());
        if let Some(fault) = lost.and_then(|fault| self.base.unreachable(fault.side())) {
            self.gate.close(format!("a server is gone: {fault}"));
        }
        let error = Some(chain(error));
        VerifyTable { error, ..VerifyTable::of_status(table.clone(), VerifyStatus::Failed) }
    }

    fn try_run(&self, table: &TableName) -> Result<VerifyTable, Refusal> {
        let CachedTable { schema, mapping, .. } = self.base.described(table)?;
        let places = self.places(&schema, &mapping)?;
        let rows = Some(schema.rows * places.len() as u64);
        let (name, phase) = (table.clone(), Phase::Verify);
        self.observer.event(&Event::PhaseStarted { table: name.clone(), phase, rows });
        let tell = |again: Retry<'_, Refusal>| {
            let (reason, delay) = (chain(again.error), again.wait);
            self.observer.event(&Event::Retrying { table: name.clone(), reason, delay });
        };
        let done = retry(&self.retries, self.cancel, tell, || match self.request.depth {
            Depth::Quick => self.count(table, &places, &mapping),
            Depth::Rows => {
                let rows = schema.rows;
                let job =
                    VerifyJob { mapping: &mapping, values: self.values, places: &places, rows };
                let found = self.verifier.compare(&job)?;
                Ok(VerifyTable::compared(found, &mapping, self.request.keys))
            }
        })?;
        let keeps = self.settings.table(table).deletes == Deletes::Ignore;
        let mut done = if keeps { done.but_kept() } else { done };
        let recorded = || self.base.recorded_difference(table);
        if let Some(why) = (self.request.depth == Depth::Quick).then(recorded).flatten() {
            done.status = VerifyStatus::Differs;
            done.notes.push(why);
        }
        Ok(done)
    }

    /// Returns where the table is, once it is known to be of one structure everywhere.
    fn places<'b>(
        &'b self,
        schema: &'b TableSchema,
        mapping: &Mapping,
    ) -> Result<Vec<ComparedTable<'b>>, Refusal> {
        let (base, table) = (self.base, &schema.name);
        let replica = base.replica.as_ref().map(|(pool, tables)| {
            let there = tables.get(table).map(|there| there.as_ref().map_err(Clone::clone));
            there.transpose().map(|there| (pool, there))
        });
        let places = Places {
            origin: schema,
            source: base.source.as_ref().map(|pool| (pool, base.throttle.as_ref())),
            replica: replica.transpose()?,
            target: base.target.as_ref().map(|(pool, catalogue)| {
                (pool, self.schema, catalogue.tables.get(&mapping.pg_table))
            }),
        };
        let table = table.clone();
        places.alike(mapping).map_err(|unlike| match unlike {
            Unlike::Unfit(misfit) => Refusal::Target(misfit),
            Unlike::Structure(what) => Refusal::Structure { table, what },
            Unlike::Absent(side @ Side::Target) => {
                Refusal::Absent { table, side, there: mapping.pg_table.clone() }
            }
            Unlike::Absent(side) => Refusal::Absent { side, there: table.to_string(), table },
        })
    }

    fn count(
        &self,
        table: &TableName,
        places: &[ComparedTable<'_>],
        mapping: &Mapping,
    ) -> Result<VerifyTable, Refusal> {
        let mut done = VerifyTable::of_status(table.clone(), VerifyStatus::Equal);
        let mut counts = Vec::with_capacity(places.len());
        for place in places {
            let rows = match place {
                ComparedTable::My { pool, .. } => self.count_my(pool, table)?,
                ComparedTable::Pg { .. } => self.count_pg(&mapping.pg_table)?,
            };
            done.rows.insert(place.side().name(), rows);
            counts.push((place.side(), rows));
        }
        done.pairs = counts.windows(2).map(|both| VerifyPair::counted(both[0], both[1])).collect();
        if done.pairs.iter().any(|pair| pair.missing + pair.phantom > 0) {
            done.status = VerifyStatus::Differs;
        }
        done.last_proof = self.base.last_proof(table);
        Ok(done)
    }

    fn count_my(&self, pool: &MyPool, table: &TableName) -> Result<u64, Refusal> {
        let mut conn = pool.get(Profile::Read)?;
        let _guard = pool.cancel_guard(&conn, self.cancel);
        let ask = format!("SELECT COUNT(*) FROM {}", quote_my(table.as_str()));
        let count = conn.query_first::<u64, _>(ask).map_err(|error| conn.fault(&error))?;
        Ok(count.unwrap_or_default())
    }

    fn count_pg(&self, table: &str) -> Result<u64, Refusal> {
        let Some((pool, _)) = &self.base.target else { return Ok(0) };
        let mut conn = pool.get()?;
        let _guard = pool.cancel_guard(&conn, self.cancel);
        let ask = format!("SELECT count(*) FROM {}", ddl::only(self.schema, table));
        let row = conn.query_one(&ask, &[]).map_err(|error| conn.fault(&error))?;
        let count: i64 = row.try_get(0).map_err(|error| conn.fault(&error))?;
        Ok(count.unsigned_abs())
    }
}
