//! One table of a verification.

use super::base::VerifyBase;
use super::error::Refusal;
use super::request::{Depth, VerifyRequest};
use crate::gate::Gate;
use crate::report::{CountedSide, VerifyPair, VerifyStatus, VerifyTable};
use crate::table::{ComparedTables, StructureMismatch, TableDifference};
use handoff_connect::{MyPool, RetryNotice, RetryPolicy, SessionProfile, Side, quote_my, retry};
use handoff_model::{
    CancelToken, Deletes, Observer, RunEvent, TableName, TablePhase, chain, millis,
};
use handoff_schema::{CachedTable, TableMapping, TableSchema, ddl};
use handoff_settings::{Settings, ValuePolicies};
use handoff_verify::{ComparedTable, ShowKeys, TableComparison, Verifier, VerifyJob};
use std::sync::Arc;
use std::time::Instant;

/// The means of comparing tables in one verification.
pub(super) struct TableVerifier<'a> {
    pub(super) base: &'a VerifyBase,
    pub(super) request: &'a VerifyRequest,
    pub(super) verifier: Verifier,
    pub(super) schema: &'a str,
    pub(super) values: &'a ValuePolicies,
    pub(super) settings: &'a Settings,
    pub(super) retries: RetryPolicy,
    pub(super) cancel: &'a CancelToken,
    pub(super) gate: &'a Gate,
    pub(super) observer: &'a Arc<dyn Observer>,
}

impl TableVerifier<'_> {
    /// Compares one table. Every outcome is in the report.
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
        self.observer.event(&RunEvent::TableFinished {
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
        let tables = self.compared_tables(&schema, &mapping)?;
        let rows = Some(schema.rows * tables.len() as u64);
        let (name, phase) = (table.clone(), TablePhase::Verify);
        self.observer.event(&RunEvent::PhaseStarted { table: name.clone(), phase, rows });
        let tell = |again: RetryNotice<'_, Refusal>| {
            let (reason, delay) = (chain(again.error), again.wait);
            self.observer.event(&RunEvent::Retrying { table: name.clone(), reason, delay });
        };
        let retains = self.settings.table(table).deletes == Deletes::Ignore;
        let mut done = retry(&self.retries, self.cancel, tell, || match self.request.depth {
            Depth::Quick => self.count(table, &tables, &mapping, retains),
            Depth::Rows => {
                let rows = schema.rows;
                let job =
                    VerifyJob { mapping: &mapping, values: self.values, tables: &tables, rows };
                let found = TableDifference(self.verifier.compare(&job)?);
                Ok(compared(found, &mapping, self.request.keys, retains))
            }
        })?;
        if self.request.depth == Depth::Quick
            && let Some(why) = self.base.recorded_difference(table)
        {
            done.status = VerifyStatus::Differs;
            done.notes.push(why);
        }
        Ok(done)
    }

    /// Returns the table in each database, once it is known to be of one structure everywhere.
    fn compared_tables<'b>(
        &'b self,
        schema: &'b TableSchema,
        mapping: &TableMapping,
    ) -> Result<Vec<ComparedTable<'b>>, Refusal> {
        let (base, table) = (self.base, &schema.name);
        let replica = base.replica.as_ref().map(|(pool, tables)| {
            let there = tables.get(table).map(|there| there.as_ref().map_err(Clone::clone));
            there.transpose().map(|there| (pool, there))
        });
        let tables = ComparedTables {
            origin: schema,
            source: base.source.as_ref().map(|pool| (pool, base.throttle.as_ref())),
            replica: replica.transpose()?,
            target: base.target.as_ref().map(|(pool, catalogue)| {
                (pool, self.schema, catalogue.tables.get(&mapping.pg_table))
            }),
        };
        let table = table.clone();
        tables.checked(mapping).map_err(|mismatch| match mismatch {
            StructureMismatch::Unfit(misfit) => Refusal::Target(misfit),
            StructureMismatch::Structure(what) => Refusal::Structure { table, what },
            StructureMismatch::Absent(side @ Side::Target) => {
                Refusal::Absent { table, side, there: mapping.pg_table.clone() }
            }
            StructureMismatch::Absent(side) => {
                Refusal::Absent { side, there: table.to_string(), table }
            }
        })
    }

    fn count(
        &self,
        table: &TableName,
        tables: &[ComparedTable<'_>],
        mapping: &TableMapping,
        retains: bool,
    ) -> Result<VerifyTable, Refusal> {
        let mut counts = Vec::with_capacity(tables.len());
        for place in tables {
            let rows = match place {
                ComparedTable::My { pool, .. } => self.count_my(pool, table)?,
                ComparedTable::Pg { .. } => self.count_pg(&mapping.pg_table)?,
            };
            counts.push(CountedSide { side: place.side(), rows });
        }
        let pairs = counts.windows(2).map(|both| VerifyPair::counted(both[0], both[1])).collect();
        Ok(VerifyTable {
            rows: counts.iter().map(|counted| (counted.side.name(), counted.rows)).collect(),
            last_proof: self.base.last_proof(table),
            ..VerifyTable::of_pairs(table.clone(), pairs, retains)
        })
    }

    fn count_my(&self, pool: &MyPool, table: &TableName) -> Result<u64, Refusal> {
        let mut conn = pool.get(SessionProfile::Read)?;
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

/// Makes the outcome of a comparison, in a table in which rows may stay that the source has no more.
fn compared(
    found: TableDifference,
    mapping: &Arc<TableMapping>,
    keys: ShowKeys,
    retains: bool,
) -> VerifyTable {
    let TableComparison { table, sums, pairs, looks, by } = &found.0;
    let pairs = pairs.iter().map(|pair| VerifyPair::of(pair, mapping, keys)).collect();
    let done = VerifyTable {
        rows: sums.iter().map(|(side, sum)| (side.name(), sum.rows)).collect(),
        looks: *looks,
        sums: *by,
        mapping: Some(Arc::clone(mapping)),
        ..VerifyTable::of_pairs(table.clone(), pairs, retains)
    };
    let found = if retains { found.without_retained() } else { found };
    VerifyTable { comparison: Some(found.0), ..done }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::plans::{ALL, comparison, full_plan};
    use handoff_verify::DifferenceKind;

    #[test]
    fn a_table_that_keeps_rows_lists_them_and_hands_none_to_a_repair() {
        let found = comparison(&ALL, 100, &[(DifferenceKind::Phantom, 1)]);
        let mut found = found;
        found.0.pairs[1].rows.clear();
        found.0.pairs[1].phantom = 0;
        let mapping = full_plan().mapping;
        let kept = compared(found.clone(), &mapping, ShowKeys::All, true);
        assert_eq!((kept.status, kept.pairs[0].phantom), (VerifyStatus::Equal, 1));
        assert_eq!(kept.comparison.unwrap().pairs[0].phantom, 0);
        let gone = compared(found, &mapping, ShowKeys::All, false);
        assert_eq!((gone.status, gone.rows["target"]), (VerifyStatus::Differs, 100));
        assert_eq!(gone.comparison.unwrap().pairs[0].phantom, 1);
    }
}
