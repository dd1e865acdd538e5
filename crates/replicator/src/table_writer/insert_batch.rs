//! Prepared multi-row INSERTs, for a replica that refuses `LOAD DATA LOCAL`.

use super::{SentRows, TableWriter};
use crate::error::{CopyStage, Error, Result};
use crate::line::{spell, write_line};
use crate::source_digest::SourceDigest;
use handoff_connect::{MyConn, Profile, ValueRef, fault_point, quote_my};
use handoff_model::{BatchSize, Meter};
use handoff_rows::RowSink;
use mysql::prelude::Queryable;
use mysql::{Params, Value};
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

/// Rows of the first statement; what follows is measured.
const FIRST_ROWS: usize = 64;

/// The most rows of a statement.
const MOST_ROWS: usize = 4096;

/// Both servers allow this many parameters in a statement.
const MOST_PARAMETERS: usize = 65_535;

impl TableWriter<'_> {
    pub(super) fn prepared_inserts(&self, writer: &mut MyConn) -> Result<SentRows> {
        let begin = self.job.replica_engine().is_transactional() && !self.in_transaction;
        // Parameters are bytes in the column's own character set.
        self.set(writer, "SET character_set_client = binary")?;
        if begin {
            self.set(writer, "START TRANSACTION")?;
        }
        let sent = self.insert_all(writer);
        if sent.is_err() {
            writer.mark_broken();
            return sent;
        }
        if begin {
            self.set(writer, "COMMIT")?;
        }
        self.set(writer, "SET character_set_client = utf8mb4")?;
        sent
    }

    fn insert_all(&self, writer: &mut MyConn) -> Result<SentRows> {
        let (select, witness) = self.witnessed();
        let at = self.at(CopyStage::Write, 0);
        let mut source =
            self.replicator.source.get(Profile::RawRead).map_err(|fault| at.error(fault))?;
        let mut rows = InsertBatch {
            fill: self,
            writer,
            values: Vec::new(),
            ends: Vec::new(),
            line: Vec::new(),
            buffered: 0,
            size: BatchSize::new(
                FIRST_ROWS,
                MOST_ROWS.min(MOST_PARAMETERS / self.columns.len().max(1)),
            ),
            sent: SentRows::default(),
            witness,
            meter: self.meter(),
        };
        self.read(&mut source, &select, &mut rows).map_err(|error| self.explain(error))?;
        let canonical = rows.witness.as_ref().and_then(SourceDigest::sum);
        Ok(SentRows { canonical, ..rows.sent })
    }

    fn set(&self, writer: &mut MyConn, statement: &str) -> Result<()> {
        writer.query_drop(statement).map_err(|error| self.failed(writer.fault(&error), 0))
    }

    fn insert_statement(&self, rows: usize) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let values: Vec<String> =
            self.columns.iter().map(|column| column.store.expression("?")).collect();
        let row = format!("({})", values.join(", "));
        format!(
            "INSERT INTO {} ({}) VALUES {}",
            quote_my(self.into),
            names.join(", "),
            vec![row; rows].join(", "),
        )
    }
}

/// Gathers rows and writes them in statements.
struct InsertBatch<'a> {
    fill: &'a TableWriter<'a>,
    writer: &'a mut MyConn,
    /// All values, row by row.
    values: Vec<Value>,
    /// The gathered bytes up to and with each row.
    ends: Vec<usize>,
    line: Vec<u8>,
    /// The memory that the gathered rows take.
    buffered: usize,
    size: BatchSize,
    sent: SentRows,
    witness: Option<SourceDigest>,
    meter: Meter<'a>,
}

impl InsertBatch<'_> {
    /// Returns how many of the rows from `first` on the next statement takes.
    fn take(&self, first: usize) -> usize {
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        let most = self.fill.replicator.replica.max_allowed_packet() / 2;
        let mut rows = self.size.next(self.ends.len() - first);
        while rows > 1 && self.ends[first + rows - 1] - start > most {
            rows /= 2;
        }
        rows
    }

    fn insert(&mut self, first: usize, rows: usize) -> Result<()> {
        let columns = self.fill.columns.len();
        let values = self.values[first * columns..(first + rows) * columns].to_vec();
        let began = Instant::now();
        let statement = self.fill.insert_statement(rows);
        let done = self.writer.exec_drop(statement, Params::Positional(values));
        done.map_err(|error| self.fill.failed(self.writer.fault(&error), self.sent.arrived))?;
        self.size.learn(rows, began.elapsed());
        self.sent.arrived += self.writer.affected_rows();
        self.sent.warnings += u64::from(self.writer.warnings());
        Ok(())
    }
}

impl RowSink for InsertBatch<'_> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        self.line.clear();
        write_line(self.fill.columns, row, &mut self.line);
        self.sent.sum.add_row(xxh3_128(&self.line));
        self.sent.bytes += self.line.len() as u64;
        if let Some(witness) = &mut self.witness {
            witness.see(row);
        }
        let bytes = self.fill.row_bytes(row);
        self.fill.check_size(self.sent.sum.rows, bytes)?;
        self.buffered += bytes + size_of_val(row);
        self.ends.push(self.buffered);
        let columns = self.fill.columns.iter().zip(row.iter().copied());
        self.values.extend(columns.map(|(column, value)| match value {
            // As text, since the binary form of a date does not carry the impossible ones.
            ValueRef::Date(..) | ValueRef::Time(..) => {
                let mut text = Vec::new();
                spell(column.form, value, &mut text);
                Value::Bytes(text)
            }
            other => other.into(),
        }));
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.buffered
    }

    fn flush(&mut self) -> Result<()> {
        let mut first = 0;
        while first < self.ends.len() {
            let rows = self.take(first);
            self.insert(first, rows)?;
            first += rows;
        }
        fault_point("replicator.filling", &self.fill.job.table.name);
        self.values.clear();
        self.ends.clear();
        self.buffered = 0;
        self.meter.reach(self.sent.arrived, self.sent.bytes);
        Ok(())
    }
}
