//! INSERTs into the landing table.

use crate::statements::Statements;
use crate::{Error, Meter, Result, Tuples, tuple};
use bytes::BytesMut;
use handoff_connect::{Fault, Side};
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Statement, Transaction};
use std::error::Error as StdError;
use std::time::{Duration, Instant};

/// The most parameters of a statement: their number is a 16-bit integer (PostgreSQL manual,
/// "Message Formats", Bind).
const MOST_PARAMETERS: usize = 65_535;

/// Rows of the first statement; what follows is measured.
const FIRST_ROWS: usize = 64;

/// What one statement should take: long enough that its fixed cost is lost in it, short enough that
/// a request to stop is heeded soon.
const LAP: Duration = Duration::from_millis(50);

/// Inserts tuples with bound parameters.
pub struct Inserter<'a, 'c> {
    tx: &'a mut Transaction<'c>,
    statements: &'a Statements,
    into: String,
    /// Rows of a full statement, and that statement once it was needed.
    rows: usize,
    full: Option<Statement>,
    /// The most rows that a statement may have.
    most: usize,
    sent: u64,
}

impl<'a, 'c> Inserter<'a, 'c> {
    pub(crate) fn new(
        tx: &'a mut Transaction<'c>,
        statements: &'a Statements,
        into: String,
        rows: usize,
    ) -> Inserter<'a, 'c> {
        let most = rows.min(MOST_PARAMETERS / statements.width().max(1)).max(1);
        Inserter { tx, statements, into, rows: most.min(FIRST_ROWS), full: None, most, sent: 0 }
    }

    /// Writes the gathered tuples; the caller clears them.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses a row, or counts another number of them.
    pub fn write(&mut self, tuples: &Tuples<'_>, meter: &Meter<'_>) -> Result<()> {
        let mut rest = tuples.bytes();
        let mut left = tuples.pending();
        while left > 0 {
            let mut parameters = Vec::with_capacity(self.rows * self.statements.width());
            let mut rows = 0;
            let batch = rest;
            while rows < self.rows
                && let Some((row, behind)) = tuple::split(rest)
            {
                parameters.extend(tuple::fields(row).map(Raw));
                rest = behind;
                rows += 1;
            }
            let began = Instant::now();
            self.insert(rows, &parameters)?;
            self.learn(rows, began.elapsed());
            self.sent += rows as u64;
            left = left.saturating_sub(rows.max(1) as u64);
            meter.add(rows as u64, (batch.len() - rest.len()) as u64);
        }
        Ok(())
    }

    /// Takes twice as many rows for the next statement, or half as many, by what the last full one
    /// took: few sizes, so that few statements are prepared.
    fn learn(&mut self, rows: usize, took: Duration) {
        let next = adapted(self.rows, took).min(self.most);
        if rows == self.rows && next != self.rows {
            self.rows = next;
            self.full = None;
        }
    }

    fn insert(&mut self, rows: usize, parameters: &[Raw<'_>]) -> Result<()> {
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
        if rows == self.rows
            && let Some(statement) = &self.full
        {
            return Ok(statement.clone());
        }
        let statement = self.tx.prepare(&self.statements.insert_values(&self.into, rows))?;
        if rows == self.rows {
            self.full = Some(statement.clone());
        }
        Ok(statement)
    }
}

/// Returns how many rows the next statement should have after one of `rows` that took so long.
fn adapted(rows: usize, took: Duration) -> usize {
    if took < LAP / 4 {
        rows.saturating_mul(2)
    } else if took > LAP * 2 {
        (rows / 2).max(1)
    } else {
        rows
    }
}

/// A field as it stands in the tuple: the binary form of its type already.
#[derive(Debug)]
struct Raw<'a>(Option<&'a [u8]>);

impl ToSql for Raw<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_grow_while_they_are_fast_and_shrink_when_they_are_slow() {
        assert_eq!(adapted(64, LAP / 5), 128);
        assert_eq!(adapted(128, LAP), 128);
        assert_eq!(adapted(128, LAP * 3), 64);
        assert_eq!(adapted(1, LAP * 3), 1);
    }
}
