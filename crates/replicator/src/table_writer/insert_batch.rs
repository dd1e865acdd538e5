//! Prepared multi-row INSERTs, for a replica that refuses `LOAD DATA LOCAL`.

use crate::copied_column::{CopiedColumn, name_list};
use crate::error::{CopyStage, Error, Result};
use crate::line::{render, write_line};
use crate::source_digest::SourceDigest;
use crate::table_writer::outcome::SentRows;
use crate::table_writer::writer::TableWriter;
use handoff_connect::{MyConn, ValueRef, fault_point, quote_my};
use handoff_model::{BatchSize, ProgressMeter};
use handoff_rows::RowSink;
use mysql::{Params, Value};
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

/// Rows of the first statement; those of the next are measured.
const FIRST_ROWS: usize = 64;

/// The most rows of a statement.
const MOST_ROWS: usize = 4096;

/// Both servers allow this many parameters in a statement.
const MOST_PARAMETERS: usize = 65_535;

impl TableWriter<'_> {
    pub(super) fn prepared_inserts(&self, writer: &mut MyConn) -> Result<SentRows> {
        let begin = self.copy.job.replica_engine().is_transactional() && !self.in_transaction;
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
        let (select, digest) = self.digested();
        let mut source = self.copy.source(CopyStage::Write)?;
        let most = MOST_ROWS.min(MOST_PARAMETERS / self.columns.len().max(1));
        let mut batch = InsertBatch {
            table_writer: self,
            writer,
            values: Vec::new(),
            ends: Vec::new(),
            line: Vec::new(),
            buffered: 0,
            size: BatchSize::new(FIRST_ROWS, most),
            sent: SentRows::default(),
            digest,
            meter: self.meter(),
        };
        self.read(&mut source, &select, &mut batch).map_err(|error| self.explain(error))?;
        let canonical = batch.digest.as_ref().and_then(SourceDigest::sum);
        Ok(SentRows { canonical, ..batch.sent })
    }

    fn set(&self, writer: &mut MyConn, statement: &str) -> Result<()> {
        writer.query_drop(statement).map_err(|error| self.failed(writer.fault(&error), 0))
    }
}

/// Renders the statement that inserts so many rows into the table `into`.
fn insert_statement(columns: &[CopiedColumn], into: &str, rows: usize) -> String {
    let values: Vec<String> = columns.iter().map(|column| column.store.expression("?")).collect();
    let row = format!("({})", values.join(", "));
    format!(
        "INSERT INTO {} ({}) VALUES {}",
        quote_my(into),
        name_list(columns),
        vec![row; rows].join(", "),
    )
}

/// Gathers rows and writes them in statements.
struct InsertBatch<'a> {
    table_writer: &'a TableWriter<'a>,
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
    digest: Option<SourceDigest>,
    meter: ProgressMeter<'a>,
}

impl InsertBatch<'_> {
    /// Returns how many of the rows from `first` on the next statement takes.
    fn take(&self, first: usize) -> usize {
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        let most = self.table_writer.copy.replicator.replica.max_allowed_packet() / 2;
        let mut rows = self.size.next(self.ends.len() - first);
        while rows > 1 && self.ends[first + rows - 1] - start > most {
            rows /= 2;
        }
        rows
    }

    fn insert(&mut self, first: usize, rows: usize) -> Result<()> {
        let width = self.table_writer.columns.len();
        let values = self.values[first * width..(first + rows) * width].to_vec();
        let began = Instant::now();
        let TableWriter { columns, into, .. } = *self.table_writer;
        let statement = insert_statement(columns, into, rows);
        let done = self.writer.exec_drop(statement, Params::Positional(values));
        done.map_err(|error| {
            self.table_writer.failed(self.writer.fault(&error), self.sent.arrived)
        })?;
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
        write_line(self.table_writer.columns, row, &mut self.line);
        self.sent.sum.add_row(xxh3_128(&self.line));
        self.sent.bytes += self.line.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.observe(row);
        }
        let bytes = self.table_writer.row_bytes(row);
        self.table_writer.check_size(self.sent.sum.rows, bytes)?;
        self.buffered += bytes + size_of_val(row);
        self.ends.push(self.buffered);
        let columns = self.table_writer.columns.iter().zip(row.iter().copied());
        self.values.extend(columns.map(|(column, value)| match value {
            // As text, since the binary form of a date does not carry the impossible ones.
            ValueRef::Date(..) | ValueRef::Time(..) => {
                let mut text = Vec::new();
                render(column.format, value, &mut text);
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
        fault_point("replicator.filling", &self.table_writer.copy.job.table.name);
        self.values.clear();
        self.ends.clear();
        self.buffered = 0;
        self.meter.reach(self.sent.arrived, self.sent.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copied_column::copied_columns;
    use handoff_connect::ServerFlavor;
    use handoff_schema::{ColumnSchema, TableSchema};

    #[test]
    fn a_statement_has_a_group_of_parameters_for_each_row() {
        let columns = [("a", "int"), ("e", "enum('x')")];
        let columns = columns.map(|(name, kind)| ColumnSchema::of_type(name, kind).unwrap());
        let table = TableSchema { columns: columns.into(), ..TableSchema::empty("t") };
        let columns = copied_columns(&table, ServerFlavor::MariaDb, |_| false);
        assert_eq!(
            insert_statement(&columns, "new", 2),
            "INSERT INTO `new` (`a`, `e`) VALUES (?, CAST(? AS UNSIGNED)), (?, CAST(? AS UNSIGNED))"
        );
    }
}
