//! Moving rows of one table into an empty one.

mod insert_batch;
mod insert_select;
mod line_buffer;
mod load_data;
mod local_file;
mod read_back;

use crate::copied_column::CopiedColumn;
use crate::copy_context::CopyContext;
use crate::error::{CopyStage, Error, Result, cancelled};
use crate::row_sum;
use crate::source_digest::SourceDigest;
use crate::staged_keys::StagedKeys;
use handoff_connect::{Fault, MyConn, Side, ValueRef};
use handoff_model::{ProgressMeter, RowFilter, TablePhase, TableSum, WaitClock};
use handoff_rows::{Encoder, Locking, ReadSpec, RowReader, RowSink};

/// A writer of rows of the source into one table of the replica.
pub(crate) struct TableWriter<'a> {
    pub(crate) copy: CopyContext<'a>,
    pub(crate) columns: &'a [CopiedColumn],
    /// The rows to move, where they are given by their keys.
    pub(crate) keys: Option<&'a StagedKeys<'a>>,
    /// The replica's table to write to, unquoted.
    pub(crate) into: &'a str,
    /// The sum of the lines of the rows that are in it already.
    pub(crate) there: TableSum,
    /// True if the caller has begun a transaction on the writing connection.
    pub(crate) in_transaction: bool,
    /// The clock of reading, encoding and writing.
    pub(crate) clock: &'a WaitClock,
}

/// The outcome of writing rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WriteOutcome {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) strategy: &'static str,
    /// True if the rows were compared because the replica had warned.
    pub(crate) checked: bool,
    /// The sum of the canonical rows, if it was asked for and could be taken.
    pub(crate) sum: Option<TableSum>,
    /// The sum of the lines that were sent; [`None`] where a server moved the rows itself.
    pub(crate) lines: Option<TableSum>,
}

impl WriteOutcome {
    /// Returns the outcome of reading no row.
    pub(crate) fn nothing() -> WriteOutcome {
        let (strategy, sum, lines) = ("", Some(TableSum::default()), Some(TableSum::default()));
        WriteOutcome { rows: 0, bytes: 0, strategy, checked: false, sum, lines }
    }

    /// Adds the rows that were looked up by their keys afterwards.
    pub(crate) fn and(self, later: WriteOutcome) -> WriteOutcome {
        WriteOutcome {
            rows: self.rows + later.rows,
            bytes: self.bytes + later.bytes,
            strategy: self.strategy,
            checked: self.checked || later.checked,
            sum: self.sum.zip(later.sum).map(|(one, other)| one + other),
            lines: self.lines.zip(later.lines).map(|(one, other)| one + other),
        }
    }
}

/// The rows that were sent, and the server's counts.
#[derive(Debug, Clone, Copy, Default)]
struct SentRows {
    /// Rows sent, and the sum of their lines.
    sum: TableSum,
    /// The sum of their canonical form.
    canonical: Option<TableSum>,
    bytes: u64,
    /// Rows that the server says it took.
    arrived: u64,
    warnings: u64,
}

impl TableWriter<'_> {
    /// Moves the rows of the filter by the first strategy that the pair allows, and compares the rows that arrived with
    /// those that were sent: their number always, the rows themselves if the replica warned.
    pub(crate) fn run(&self, writer: &mut MyConn) -> Result<WriteOutcome> {
        if let Some(filled) = self.within_one_server(writer)? {
            return Ok(filled);
        }
        let (strategy, sent) = self.through_us(writer)?;
        if sent.arrived != sent.sum.rows {
            return Err(self.rows_lost(sent.sum.rows, sent.arrived));
        }
        let checked = sent.warnings > 0;
        if checked && self.read_back(writer)? != self.there + sent.sum {
            return Err(self.values_changed(sent.warnings));
        }
        let SentRows { sum: lines, canonical: sum, bytes, .. } = sent;
        Ok(WriteOutcome { rows: lines.rows, bytes, strategy, checked, sum, lines: Some(lines) })
    }

    /// Has the server move the rows itself, where that locks nobody out.
    fn within_one_server(&self, writer: &mut MyConn) -> Result<Option<WriteOutcome>> {
        let fits = self.keys.is_none()
            && self.copy.replicator.is_one_server()
            && self.copy.replicator.throttle.is_none()
            && self.locking() == Locking::Snapshot;
        if !fits {
            return Ok(None);
        }
        match self.insert_select(writer) {
            Err(error) if error.is_denied() => {
                self.copy.replicator.forget_one_server();
                Ok(None)
            }
            done => done,
        }
    }

    fn through_us(&self, writer: &mut MyConn) -> Result<(&'static str, SentRows)> {
        if self.copy.replicator.takes_local() {
            match self.load_data(writer) {
                Err(error) if error.is_local_refused() => self.copy.replicator.forget_local(),
                done => return done.map(|sent| ("load_data_local", sent)),
            }
        }
        self.prepared_inserts(writer).map(|sent| ("prepared_inserts", sent))
    }

    fn locking(&self) -> Locking {
        row_sum::locking(self.copy.job.table)
    }

    fn select(&self) -> Vec<String> {
        row_sum::select(self.columns)
    }

    /// Reads every row that is to be moved into `sink`.
    fn read<S: RowSink<Error = Error>>(
        &self,
        source: &mut MyConn,
        select: &[String],
        sink: &mut S,
    ) -> Result<u64> {
        let Some(keys) = self.keys else {
            return self.reader(select, self.copy.job.filter).read(source, sink);
        };
        let mut rows = 0;
        keys.filters(|filter| {
            rows += self.reader(select, filter).read(source, sink)?;
            Ok(())
        })?;
        Ok(rows)
    }

    /// Returns the expressions to read for a copy through us, and the digest of the rows on their way.
    fn digested(&self) -> (Vec<String>, Option<SourceDigest>) {
        let select = self.select();
        let Some((mapping, values)) = self.copy.job.canonical else { return (select, None) };
        let encoder = Encoder::beside(mapping, values, select);
        (encoder.select_list().to_vec(), Some(SourceDigest::new(encoder)))
    }

    /// Returns the size of a row as it is sent: its longest parts, as far as they are of any
    /// length.
    fn row_bytes(&self, row: &[ValueRef<'_>]) -> usize {
        row.iter().take(self.columns.len()).map(value_bytes).sum()
    }

    fn reader<'a>(&'a self, select: &'a [String], filter: &'a RowFilter) -> RowReader<'a> {
        let CopyContext { replicator, job } = self.copy;
        let (table, locking, cancel) = (job.table, self.locking(), &replicator.cancel);
        // One buffer is filled while another is written, and either may have grown to twice its
        // content.
        RowReader::new(ReadSpec { table, select, filter, locking, cancel })
            .room(replicator.memory_bytes / 4)
            .throttle(replicator.throttle.as_ref())
            .clock(self.clock)
    }

    fn meter(&self) -> ProgressMeter<'_> {
        ProgressMeter::new(
            &*self.copy.replicator.observer,
            TablePhase::Copy,
            &self.copy.job.table.name,
        )
    }

    /// Names the stage for a fault of the writing connection.
    fn failed(&self, fault: Fault, rows: u64) -> Error {
        self.copy.replicator.told(self.copy.at(CopyStage::Write, rows), fault)
    }

    /// Refuses a row that the replica could not hand out again.
    fn check_size(&self, row: u64, bytes: usize) -> Result<()> {
        let limit = self.copy.replicator.replica.max_allowed_packet();
        if bytes <= limit { Ok(()) } else { Err(self.too_large(row, bytes, Side::Replica, limit)) }
    }

    fn too_large(&self, row: u64, bytes: usize, side: Side, limit: usize) -> Error {
        let wanted = wanted_packet(bytes, limit);
        Error::RowTooLarge { table: self.copy.job.table.name.clone(), row, side, limit, wanted }
    }

    /// Names the remedy where the source could not send a row.
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::Rows(handoff_rows::Error::Read { rows, ref fault, .. })
                if matches!(fault.code(), Some("1153" | "1301")) =>
            {
                let limit = self.copy.replicator.source.max_allowed_packet();
                self.too_large(rows + 1, 0, Side::Source, limit)
            }
            Error::Rows(handoff_rows::Error::Cancelled(stop)) => {
                cancelled(&self.copy.job.table.name)(stop)
            }
            other => other,
        }
    }

    fn rows_lost(&self, sent: u64, arrived: u64) -> Error {
        Error::RowsLost { table: self.copy.job.table.name.clone(), sent, arrived }
    }

    fn values_changed(&self, warnings: u64) -> Error {
        Error::ValuesChanged { table: self.copy.job.table.name.clone(), warnings }
    }
}

fn value_bytes(value: &ValueRef<'_>) -> usize {
    if let ValueRef::Bytes(bytes) = value { bytes.len() } else { 8 }
}

/// Returns the max_allowed_packet to set for a row of so many bytes: both servers allow 1 GiB at most.
fn wanted_packet(bytes: usize, limit: usize) -> u64 {
    (bytes.max(limit + 1) as u64).next_power_of_two().min(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;
    fn outcome(rows: u64, checked: bool) -> WriteOutcome {
        let sum = Some(TableSum { rows, hash: u128::from(rows) });
        WriteOutcome { rows, bytes: 10 * rows, strategy: "a", checked, sum, lines: sum }
    }

    #[test]
    fn rows_that_are_looked_up_are_added_to_those_of_the_filter() {
        let both = outcome(2, false).and(outcome(3, true));
        assert_eq!((both.rows, both.bytes, both.checked), (5, 50, true));
        assert_eq!(both.sum, Some(TableSum { rows: 5, hash: 5 }));
        let unsummed = outcome(2, false).and(WriteOutcome { sum: None, ..outcome(3, false) });
        assert_eq!((unsummed.sum, unsummed.checked), (None, false));
        assert_eq!(unsummed.lines, Some(TableSum { rows: 5, hash: 5 }));
    }

    #[test]
    fn the_packet_to_set_is_the_next_power_of_two() {
        assert_eq!(wanted_packet(5_000, 4_096), 8_192);
        // The source does not tell how long its row is, only that the limit was too low.
        assert_eq!(wanted_packet(0, 1 << 20), 2 << 20);
        assert_eq!(wanted_packet(3 << 30, 1 << 29), 1 << 30);
    }

    #[test]
    fn only_values_of_any_length_count_with_their_length() {
        assert_eq!(value_bytes(&ValueRef::Bytes(b"text")), 4);
        assert_eq!(value_bytes(&ValueRef::Int(1)), 8);
        assert_eq!(value_bytes(&ValueRef::Null), 8);
    }
}
