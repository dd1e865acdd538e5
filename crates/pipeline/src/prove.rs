//! Comparing what arrived with what was to arrive.

use crate::table::{Checksums, Evidence};
use crate::{Hops, TableContext, TableError};
use handoff_connect::{Fault, MyPool, PgPool, Profile, Published, Seal, Side, quote_my};
use handoff_loader::{Discard, LoadJob, LoadMode, Loader};
use handoff_model::{Cancel, RowFilter, TableSum};
use handoff_replicator::Replicator;
use handoff_rows::{Locking, target_sum_in};
use handoff_schema::{TargetCatalogue, ddl};
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
    ) -> Result<Evidence, TableError> {
        let (started, mut evidence) = (Instant::now(), Evidence::begun());
        let sums = replicator.row_sums(&context.schema).map_err(TableError::ProveCopy)?;
        evidence.take_checksums(Checksums { source: sums.source, replica: sums.replica });
        evidence.looked(started.elapsed());
        Ok(evidence)
    }

    /// Adds to what hop 1 found the sum of the rows that were read and that of the rows which the target would
    /// hold, read back.
    pub(crate) fn compare_load(
        &self,
        hops: Hops,
        context: &TableContext,
        tx: &mut Transaction<'_>,
        read: TableSum,
        mut evidence: Evidence,
    ) -> Result<Evidence, TableError> {
        let started = Instant::now();
        if evidence.at.is_none() {
            let rows = Some(self.count(context)?);
            match hops {
                Hops::Load => evidence.rows.replica = rows,
                Hops::Both | Hops::Copy => evidence.rows.source = rows,
            }
        }
        let (name, mapping) = (&context.mapping.pg_table, &context.mapping);
        let sum = target_sum_in(tx, &self.schema, name, mapping).map_err(TableError::Prove)?;
        evidence.take_read_back(read, sum);
        evidence.looked(started.elapsed());
        Ok(evidence)
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
