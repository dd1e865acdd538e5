//! The databases that a table is compared in.

use crate::error::{Error, Result};
use crate::key::RowKey;
use handoff_connect::{Fault, MyPool, PgConn, PgPool, SessionProfile, Side, ValueRef};
use handoff_model::{CancelToken, KeyRange, RowFilter, RowThrottle};
use handoff_rows::{
    Encoder, Locking, ReadSpec, RowReader, RowSink, target_tuples, target_tuples_of,
};
use handoff_schema::{TableMapping, TableSchema};
use handoff_settings::ValuePolicies;

/// The number of rows looked up in one statement.
const BATCH: usize = 500;

/// A table in one of the databases in which it is compared.
#[derive(Clone, Copy)]
pub enum ComparedTable<'a> {
    /// The source or the replica.
    My {
        /// The server.
        pool: &'a MyPool,
        /// The table as that server has it.
        table: &'a TableSchema,
        /// The effect of reading on writers of the table. A table that is not read as
        /// [`Locking::Free`] may change while it is compared.
        locking: Locking,
        /// The most rows to read in a second.
        throttle: Option<&'a RowThrottle>,
    },
    /// The target.
    Pg {
        /// The server.
        pool: &'a PgPool,
        /// The schema that the table is in.
        schema: &'a str,
    },
}

impl ComparedTable<'_> {
    /// Returns the side of the pipeline.
    pub fn side(&self) -> Side {
        match self {
            ComparedTable::My { pool, .. } => pool.side(),
            ComparedTable::Pg { .. } => Side::Target,
        }
    }

    /// Returns true if others may write to the table meanwhile.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(self, ComparedTable::My { locking, .. } if *locking != Locking::Free)
    }

    /// Hands rows to `each`, as their canonical tuples. Returns true if a policy changed a value, so
    /// that rows which differ may have become one.
    pub(crate) fn read(
        &self,
        rows: RowSelection<'_>,
        mapping: &TableMapping,
        values: &ValuePolicies,
        cancel: &CancelToken,
        each: impl FnMut(&[u8]),
    ) -> Result<bool> {
        match *self {
            ComparedTable::My { pool, table, locking, throttle } => {
                let encoder = Encoder::new(mapping, values);
                let select = encoder.select_list().to_vec();
                let mut sink = EncodingSink { encoder, tuple: Vec::new(), each };
                let mut conn =
                    pool.get(SessionProfile::Read).map_err(|fault| unread(mapping, fault))?;
                for filter in &rows.filters(mapping) {
                    let spec = ReadSpec { table, select: &select, filter, locking, cancel };
                    RowReader::new(spec).throttle(throttle).read(&mut conn, &mut sink)?;
                }
                if self.is_alive()
                    && !table.is_unchanged(&mut conn).map_err(|fault| unread(mapping, fault))?
                {
                    return Err(Error::Altered(mapping.table.clone()));
                }
                Ok(!sink.encoder.audit().entries().is_empty())
            }
            ComparedTable::Pg { pool, schema } => {
                cancel.check()?;
                let taken = pool.get();
                let mut conn = taken.map_err(|fault| target_unread(mapping, cancel, fault))?;
                let guard = pool.cancel_guard(&conn, cancel);
                let done = read_target(&mut conn, schema, rows, mapping, each);
                drop(guard);
                if cancel.is_cancelled() {
                    // The word to stop may come late, and would end what runs there next.
                    conn.mark_broken();
                }
                done.map(|()| false).map_err(|fault| target_unread(mapping, cancel, fault))
            }
        }
    }
}

fn unread(mapping: &TableMapping, fault: Fault) -> Error {
    handoff_rows::Error::Read { table: mapping.table.clone(), rows: 0, fault }.into()
}

fn target_unread(mapping: &TableMapping, cancel: &CancelToken, fault: Fault) -> Error {
    match cancel.check() {
        Err(cancelled) => Error::Cancelled(cancelled),
        Ok(()) => Error::Target { table: mapping.table.clone(), fault },
    }
}

fn read_target(
    conn: &mut PgConn,
    schema: &str,
    rows: RowSelection<'_>,
    mapping: &TableMapping,
    mut each: impl FnMut(&[u8]),
) -> Result<(), Fault> {
    let table = &mapping.pg_table;
    let RowSelection::Of(keys) = rows else {
        return target_tuples(conn, schema, table, mapping, each).map(drop);
    };
    for keys in keys.chunks(BATCH) {
        let keys: Vec<_> = keys.iter().filter_map(|key| key.canonical(mapping)).collect();
        target_tuples_of(conn, schema, table, mapping, &keys, &mut each)?;
    }
    Ok(())
}

/// The rows to read.
#[derive(Clone, Copy)]
pub(crate) enum RowSelection<'a> {
    All,
    /// The rows in these ranges of the key, of a MySQL side.
    In(&'a [KeyRange]),
    /// The rows with these keys, of which [`RowKey::key_values`] knows each.
    Of(&'a [RowKey]),
}

impl RowSelection<'_> {
    fn filters(self, mapping: &TableMapping) -> Vec<RowFilter> {
        let keys = match self {
            RowSelection::All => return vec![RowFilter::All],
            RowSelection::In(ranges) => {
                return ranges.iter().cloned().map(RowFilter::Range).collect();
            }
            RowSelection::Of(keys) => keys,
        };
        keys.chunks(BATCH).map(|keys| key_filter(keys, mapping)).collect()
    }
}

fn key_filter(keys: &[RowKey], mapping: &TableMapping) -> RowFilter {
    RowFilter::Keys(keys.iter().filter_map(|key| key.key_values(mapping)).collect())
}

/// Encodes rows one by one and keeps none.
struct EncodingSink<F> {
    encoder: Encoder,
    tuple: Vec<u8>,
    each: F,
}

impl<F: FnMut(&[u8])> RowSink for EncodingSink<F> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        self.tuple.clear();
        self.encoder.encode(row, &mut self.tuple)?;
        (self.each)(&self.tuple);
        Ok(())
    }

    fn buffered(&self) -> usize {
        0
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
