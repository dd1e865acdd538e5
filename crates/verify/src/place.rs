//! The databases that a table is compared in.

use crate::{Error, Result};
use handoff_connect::{MyPool, PgPool, Profile, Side};
use handoff_model::{Cancel, RowFilter};
use handoff_rows::{Encoder, Locking, ReadSpec, Reader, RowSink, target_tuples};
use handoff_schema::{Mapping, TableSchema};
use handoff_settings::Values;
use mysql::Value;

/// One of the databases that a table is compared in.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// The source or the replica.
    My {
        /// The server.
        pool: &'a MyPool,
        /// The table as that server has it.
        table: &'a TableSchema,
        /// What reading does to writers of the table. A table that is not read as
        /// [`Locking::Free`] may change while it is compared.
        locking: Locking,
    },
    /// The target.
    Pg {
        /// The server.
        pool: &'a PgPool,
        /// The schema that the table is in.
        schema: &'a str,
    },
}

impl Place<'_> {
    /// Returns which database of the pipeline this is.
    pub fn side(&self) -> Side {
        match self {
            Place::My { pool, .. } => pool.side(),
            Place::Pg { .. } => Side::Target,
        }
    }

    /// Returns true if others may write to the table meanwhile.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(self, Place::My { locking, .. } if *locking != Locking::Free)
    }

    /// Hands every row to `each`, as its canonical tuple.
    pub(crate) fn scan(
        &self,
        mapping: &Mapping,
        values: &Values,
        cancel: &Cancel,
        each: impl FnMut(&[u8]),
    ) -> Result<()> {
        match *self {
            Place::My { pool, table, locking } => {
                let encoder = Encoder::new(mapping, values);
                let select = encoder.select_list().to_vec();
                let mut sink = Tuples { encoder, tuple: Vec::new(), each };
                let failed = |fault| {
                    let (table, rows) = (mapping.table.clone(), 0);
                    handoff_rows::Error::Read { table, rows, fault }
                };
                let mut conn = pool.get(Profile::Read).map_err(failed)?;
                let filter = &RowFilter::All;
                let spec = ReadSpec { table, select: &select, filter, locking, cancel };
                Reader::new(spec).read(&mut conn, &mut sink)?;
                if self.is_alive() && !table.is_unchanged(&mut conn).map_err(failed)? {
                    return Err(Error::Altered(mapping.table.clone()));
                }
                Ok(())
            }
            Place::Pg { pool, schema } => {
                let failed = |fault| {
                    if cancel.is_cancelled() {
                        return Error::Cancelled(handoff_model::Cancelled);
                    }
                    Error::Target { table: mapping.table.clone(), fault }
                };
                cancel.check()?;
                let mut conn = pool.get().map_err(failed)?;
                let _guard = pool.cancel_guard(&conn, cancel);
                let read = target_tuples(&mut conn, schema, &mapping.pg_table, mapping, each);
                read.map(drop).map_err(failed)
            }
        }
    }
}

/// Encodes rows one by one and keeps none.
struct Tuples<F> {
    encoder: Encoder,
    tuple: Vec<u8>,
    each: F,
}

impl<F: FnMut(&[u8])> RowSink for Tuples<F> {
    type Error = Error;

    fn row(&mut self, row: &[Value]) -> Result<()> {
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
