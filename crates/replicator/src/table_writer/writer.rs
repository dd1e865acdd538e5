//! A writer of rows, and the parts that every way of writing shares.

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

impl TableWriter<'_> {
    pub(super) fn locking(&self) -> Locking {
        row_sum::locking(self.copy.job.table)
    }

    pub(super) fn select(&self) -> Vec<String> {
        row_sum::select(self.columns)
    }

    /// Reads every row that is to be moved into `sink`.
    pub(super) fn read<S: RowSink<Error = Error>>(
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
    pub(super) fn digested(&self) -> (Vec<String>, Option<SourceDigest>) {
        let select = self.select();
        let Some((mapping, values)) = self.copy.job.canonical else { return (select, None) };
        let encoder = Encoder::beside(mapping, values, select);
        (encoder.select_list().to_vec(), Some(SourceDigest::new(encoder)))
    }

    /// Returns the size of a row as it is sent: its longest parts, as far as they are of any
    /// length.
    pub(super) fn row_bytes(&self, row: &[ValueRef<'_>]) -> usize {
        row.iter().take(self.columns.len()).map(value_bytes).sum()
    }

    pub(super) fn reader<'a>(
        &'a self,
        select: &'a [String],
        filter: &'a RowFilter,
    ) -> RowReader<'a> {
        let CopyContext { replicator, job } = self.copy;
        let (table, locking, cancel) = (job.table, self.locking(), &replicator.cancel);
        // One buffer is filled while another is written, and either may have grown to twice its
        // content.
        RowReader::new(ReadSpec { table, select, filter, locking, cancel })
            .room(replicator.memory_bytes / 4)
            .throttle(replicator.throttle.as_ref())
            .clock(self.clock)
    }

    pub(super) fn meter(&self) -> ProgressMeter<'_> {
        ProgressMeter::new(
            &*self.copy.replicator.observer,
            TablePhase::Copy,
            &self.copy.job.table.name,
        )
    }

    /// Names the stage for a fault of the writing connection.
    pub(super) fn failed(&self, fault: Fault, rows: u64) -> Error {
        self.copy.replicator.told(self.copy.at(CopyStage::Write, rows), fault)
    }

    /// Refuses a row that the replica could not hand out again.
    pub(super) fn check_size(&self, row: u64, bytes: usize) -> Result<()> {
        let limit = self.copy.replicator.replica.max_allowed_packet();
        if bytes <= limit { Ok(()) } else { Err(self.too_large(row, bytes, Side::Replica, limit)) }
    }

    fn too_large(&self, row: u64, bytes: usize, side: Side, limit: usize) -> Error {
        let wanted = wanted_packet(bytes, limit);
        Error::RowTooLarge { table: self.copy.job.table.name.clone(), row, side, limit, wanted }
    }

    /// Names the remedy where the source could not send a row.
    pub(super) fn explain(&self, error: Error) -> Error {
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

    pub(super) fn rows_lost(&self, sent: u64, arrived: u64) -> Error {
        Error::RowsLost { table: self.copy.job.table.name.clone(), sent, arrived }
    }

    pub(super) fn values_changed(&self, warnings: u64) -> Error {
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
