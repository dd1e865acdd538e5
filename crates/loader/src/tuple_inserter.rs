//! INSERTs into the landing table.

use crate::error::{Error, Result};
use crate::statements::LoadStatements;
use crate::tuple;
use bytes::BytesMut;
use handoff_connect::{Fault, Side};
use handoff_model::BatchSize;
use handoff_model::ProgressMeter;
use handoff_rows::TupleBuffer;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Statement, Transaction};
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::time::Instant;

/// The most parameters of a statement: their number is a 16-bit integer (PostgreSQL manual,
/// "Message Formats", Bind).
const MOST_PARAMETERS: usize = 65_535;

/// Rows of the first statement; those of the next are measured.
const FIRST_ROWS: usize = 64;

/// Inserts tuples with bound parameters.
pub struct TupleInserter<'a, 'c> {
    tx: &'a mut Transaction<'c>,
    statements: &'a LoadStatements,
    into: String,
    size: BatchSize,
    /// By their rows.
    prepared: BTreeMap<usize, Statement>,
    sent: u64,
}

impl<'a, 'c> TupleInserter<'a, 'c> {
    pub(crate) fn new(
        tx: &'a mut Transaction<'c>,
        statements: &'a LoadStatements,
        into: String,
        rows: usize,
    ) -> TupleInserter<'a, 'c> {
        let most = rows.min(MOST_PARAMETERS / statements.width().max(1));
        let size = BatchSize::new(FIRST_ROWS, most);
        TupleInserter { tx, statements, into, size, prepared: BTreeMap::new(), sent: 0 }
    }

    /// Writes the gathered tuples; the caller clears them.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses a row, or counts another number of them.
    pub fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        let mut rest = tuples.bytes();
        let mut left = usize::try_from(tuples.pending()).expect("what is in memory can be counted");
        while left > 0 {
            let (rows, batch) = (self.size.next(left), rest);
            let mut parameters = Vec::with_capacity(rows * self.statements.width());
            for _ in 0..rows {
                let (row, behind) =
                    tuple::split(rest).expect("as many are gathered as are pending");
                parameters.extend(tuple::fields(row).map(RawField));
                rest = behind;
            }
            let began = Instant::now();
            self.insert(rows, &parameters)?;
            self.size.learn(rows, began.elapsed());
            self.sent += rows as u64;
            left -= rows;
            meter.add(rows as u64, (batch.len() - rest.len()) as u64);
        }
        Ok(())
    }

    fn insert(&mut self, rows: usize, parameters: &[RawField<'_>]) -> Result<()> {
        let bound: Vec<_> = parameters.iter().map(|raw| raw as &(dyn ToSql + Sync)).collect();
        let done = self.prepared(rows).and_then(|statement| self.tx.execute(&statement, &bound));
        let table = self.statements.table();
        match done {
            Ok(landed) if landed == rows as u64 => Ok(()),
            Ok(landed) => {
                Err(Error::Miscount { table, sent: rows as u64, landed, place: "after an INSERT" })
            }
            Err(error) => {
                let fault = Fault::pg(Side::Target, &error);
                Err(Error::Write { table, rows: self.sent, fault })
            }
        }
    }

    fn prepared(&mut self, rows: usize) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(&rows) {
            return Ok(statement.clone());
        }
        let statement = self.tx.prepare(&self.statements.insert_values(&self.into, rows))?;
        self.prepared.insert(rows, statement.clone());
        Ok(statement)
    }
}

/// A field as it stands in the tuple: the binary form of its type already.
#[derive(Debug)]
struct RawField<'a>(Option<&'a [u8]>);

impl ToSql for RawField<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        Ok(match self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
