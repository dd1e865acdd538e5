//! A COPY into the landing table.

use crate::error::{Error, Result};
use handoff_connect::{Fault, Side};
use handoff_model::ProgressMeter;
use handoff_model::TableName;
use handoff_rows::{COPY_HEADER, COPY_TRAILER, TupleBuffer};
use postgres::{CopyInWriter, Transaction};
use std::io::Write;

/// Bytes of one message. The server begins with a message when it has all of it: short ones let it
/// work while the next are on their way.
const MESSAGE: usize = 32 * 1024;

/// A running `COPY … FROM STDIN`, binary or CSV. Dropped unfinished, it is aborted.
///
/// The driver reads no answer while it writes: a row that the server refuses is found when the
/// copy is finished. A lost connection is found at once.
pub struct CopyIn<'a> {
    writer: CopyInWriter<'a>,
    table: TableName,
    sent: u64,
    trailer: &'static [u8],
}

impl<'a> CopyIn<'a> {
    pub(crate) fn begin(
        tx: &'a mut Transaction<'_>,
        table: &TableName,
        statement: &str,
    ) -> Result<CopyIn<'a>> {
        let mut copy = CopyIn::begin_csv(tx, table, statement)?;
        // It only goes into the writer's buffer.
        copy.put(COPY_HEADER)?;
        Ok(CopyIn { trailer: &COPY_TRAILER, ..copy })
    }

    pub(crate) fn begin_csv(
        tx: &'a mut Transaction<'_>,
        table: &TableName,
        statement: &str,
    ) -> Result<CopyIn<'a>> {
        let writer = tx.copy_in(statement).map_err(|error| Error::Write {
            table: table.clone(),
            rows: 0,
            fault: Fault::pg(Side::Target, &error),
        })?;
        Ok(CopyIn { writer, table: table.clone(), sent: 0, trailer: &[] })
    }

    /// Writes the gathered tuples; the caller clears them.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        self.put(tuples.bytes())?;
        self.sent += tuples.pending();
        meter.add(tuples.pending(), tuples.bytes().len() as u64);
        Ok(())
    }

    /// Ends the copy and checks that the server took `rows` rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refused a row, or counts another number of them.
    pub fn finish(mut self, rows: u64) -> Result<()> {
        self.put(self.trailer)?;
        let CopyIn { writer, table, sent, .. } = self;
        let landed = writer.finish().map_err(|error| Error::Write {
            table: table.clone(),
            rows: sent,
            fault: Fault::pg(Side::Target, &error),
        })?;
        if landed == rows {
            Ok(())
        } else {
            Err(Error::Miscount { table, sent: rows, landed, place: "after the copy" })
        }
    }

    /// Writes a piece of CSV.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let mut messages = bytes.chunks(MESSAGE);
        messages.try_for_each(|message| self.writer.write_all(message)).map_err(|error| {
            Error::Write { table: self.table.clone(), rows: self.sent, fault: from_io(&error) }
        })
    }
}

/// Takes the driver's error back out of the I/O error that the writer wraps it in.
fn from_io(error: &std::io::Error) -> Fault {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>()) {
        Some(error) => Fault::pg(Side::Target, error),
        None => Fault::new(Side::Target, format!("cannot send: {}", error.kind())),
    }
}
