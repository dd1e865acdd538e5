//! Comparing what arrived with what was to arrive.

use crate::figures::millis;
use crate::{Covers, Hops, Proof, TableContext, TableError, Verdict};
use handoff_connect::{Fault, MyPool, PgPool, Profile, Published, Seal, Side, quote_my};
use handoff_loader::{Discard, LoadJob, LoadMode, Loader};
use handoff_model::{Cancel, ProofBy, RowFilter, TableSum};
use handoff_replicator::Replicator;
use handoff_rows::{Locking, target_sum_in};
use handoff_schema::{TargetCatalogue, ddl};
use jiff::Timestamp;
use mysql::prelude::Queryable;
use postgres::Transaction;
use std::time::Instant;

/// Compares tables across the databases of a run.
pub(crate) struct Prover {
    pub(crate) load_from: MyPool,
    pub(crate) target: PgPool,
    pub(crate) schema: String,
    pub(crate) cancel: Cancel,
}

impl Prover {
    /// Reads what is in the target schema.
    pub(crate) fn read_target(&self) -> Result<TargetCatalogue, Fault> {
        let mut conn = self.target.get()?;
        TargetCatalogue::read(&mut conn, &self.schema)
    }

    /// Compares source and replica: the rows of both, as their bytes, read at the same time.
    pub(crate) fn compare_copy(
        &self,
        replicator: &Replicator,
        context: &TableContext,
    ) -> Result<Proof, TableError> {
        let started = Instant::now();
        let sums = replicator.row_sums(&context.schema).map_err(TableError::ProveCopy)?;
        Ok(Proof {
            verdict: if sums.source == sums.replica {
                Verdict::SameCount
            } else {
                Verdict::Differs
            },
            by: ProofBy::Rows,
            counted: true,
            source_rows: Some(sums.source.rows),
            replica_rows: Some(sums.replica.rows),
            source_checksum: Some(sums.source),
            replica_checksum: Some(sums.replica),
            duration_ms: millis(started.elapsed()),
            ..Proof::nothing()
        })
    }

    /// Compares the database that was read with what the target would hold: the sum of row hashes
    /// taken while reading against the one read back, and row counts. `before` is what hop 1 found.
    pub(crate) fn compare_load(
        &self,
        hops: Hops,
        context: &TableContext,
        tx: &mut Transaction<'_>,
        read: TableSum,
        before: &Option<Proof>,
    ) -> Result<Proof, TableError> {
        let started = Instant::now();
        let mut proof = match before {
            Some(proof) => proof.clone(),
            None if hops == Hops::Load => {
                Proof { replica_rows: Some(self.count(context)?), ..Proof::nothing() }
            }
            None => Proof { source_rows: Some(self.count(context)?), ..Proof::nothing() },
        };
        let (name, mapping) = (&context.mapping.pg_table, &context.mapping);
        let sum = target_sum_in(tx, &self.schema, name, mapping).map_err(TableError::Prove)?;
        proof.by = ProofBy::Rows;
        proof.counted = true;
        proof.target_rows = Some(sum.rows);
        proof.read_sum = Some(read);
        proof.target_sum = Some(sum);
        let counted = [proof.source_rows, proof.replica_rows];
        let counts_equal = counted.into_iter().flatten().all(|rows| rows == sum.rows);
        let equal = counts_equal && read == sum;
        proof.verdict = if equal { Verdict::Equal } else { Verdict::Differs };
        proof.duration_ms += millis(started.elapsed());
        Ok(proof)
    }

    /// Sums the canonical rows of the database that hop 2 reads.
    pub(crate) fn read_sum(
        &self,
        loader: &Loader,
        context: &TableContext,
        locking: Locking,
    ) -> Result<TableSum, TableError> {
        let job = LoadJob {
            table: &context.schema,
            mapping: &context.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: None,
            locking,
            target: context.target.as_deref(),
        };
        let read = loader.load(&job, &Discard, &NothingToSeal).map_err(TableError::Load)?;
        Ok(read.sum)
    }

    /// Counts the rows of the target, as a transaction sees them.
    pub(crate) fn count_in(
        &self,
        tx: &mut Transaction<'_>,
        context: &TableContext,
    ) -> Result<u64, TableError> {
        let rows = ddl::only(&self.schema, &context.mapping.pg_table);
        let sql = format!("SELECT count(*) FROM {rows}");
        let counted = tx.query_one(&sql, &[]).and_then(|row| row.try_get::<_, i64>(0));
        let failed = |error| TableError::Prove(Fault::pg(Side::Target, &error));
        Ok(counted.map_err(failed)?.unsigned_abs())
    }

    /// Returns true if the target has a row of the table.
    pub(crate) fn target_has_rows(&self, context: &TableContext) -> Result<bool, TableError> {
        let mut conn = self.target.get().map_err(TableError::Prove)?;
        let _guard = self.target.cancel_guard(&conn, &self.cancel);
        let rows = ddl::only(&self.schema, &context.mapping.pg_table);
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {rows})");
        let found = conn.query_typed(&sql, &[]).map_err(|error| conn.fault(&error));
        let found = found.map_err(TableError::Prove)?;
        Ok(found.first().and_then(|row| row.try_get(0).ok()).unwrap_or(true))
    }

    /// Counts the rows of the database that hop 2 reads.
    pub(crate) fn count(&self, context: &TableContext) -> Result<u64, TableError> {
        let mut conn = self.load_from.get(Profile::Read).map_err(TableError::Prove)?;
        let _guard = self.load_from.cancel_guard(&conn, &self.cancel);
        let table = quote_my(context.name.as_str());
        let count = conn
            .query_first::<u64, _>(format!("SELECT COUNT(*) FROM {table}"))
            .map_err(|error| TableError::Prove(conn.fault(&error)))?;
        Ok(count.expect("COUNT(*) answers one row"))
    }
}

/// A read that publishes nothing has nothing to record.
struct NothingToSeal;

impl Seal for NothingToSeal {
    fn on_replica(&self, _: &mut mysql::Conn, _: &Published) -> Result<(), Fault> {
        Ok(())
    }

    fn on_target(&self, _: &mut Transaction<'_>, _: &Published) -> Result<(), Fault> {
        Ok(())
    }
}

impl Proof {
    pub(crate) fn nothing() -> Proof {
        Proof {
            verdict: Verdict::SameCount,
            by: ProofBy::Counts,
            covers: Covers::Table,
            at: Timestamp::now(),
            counted: false,
            source_rows: None,
            replica_rows: None,
            target_rows: None,
            kept_rows: None,
            source_checksum: None,
            replica_checksum: None,
            source_sum: None,
            read_sum: None,
            target_sum: None,
            duration_ms: 0,
        }
    }

    /// Returns one sentence that says what differs, with counts and without values.
    pub fn difference(&self) -> String {
        let mut counts = Vec::new();
        for (name, rows) in [
            ("source", self.source_rows),
            ("replica", self.replica_rows),
            ("target", self.target_rows),
        ] {
            if let Some(rows) = rows {
                counts.push(format!("{rows} rows in the {name}"));
            }
        }
        let counts = counts.join(", ");
        if self.source_sum.is_some() && self.source_sum != self.read_sum {
            return format!(
                "the rows read in the source are not the rows read in the replica ({counts})"
            );
        }
        if self.source_checksum != self.replica_checksum {
            return format!(
                "the rows of source and replica are not the same ({counts}); if the source was \
                 written to meanwhile, run the table again"
            );
        }
        if self.target_sum.is_some() && self.read_sum != self.target_sum {
            return format!("the rows read are not the rows in the target ({counts})");
        }
        format!("the row counts are not the same ({counts})")
    }
}
