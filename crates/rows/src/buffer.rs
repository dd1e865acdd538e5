//! Tuples gathered for a COPY.

use crate::encoder::Encoder;
use crate::error::Result;
use crate::sum::hash_row;
use handoff_connect::ValueRef;
use handoff_model::{LossAudit, TableSum};

/// Encodes rows, gathers their tuples, and sums them.
///
/// The memory of a sink: its [`RowSink::row`](crate::RowSink::row) calls [`TupleBuffer::push`], its
/// [`RowSink::flush`](crate::RowSink::flush) writes [`TupleBuffer::bytes`] and calls
/// [`TupleBuffer::clear`].
pub struct TupleBuffer {
    encoder: Encoder,
    bytes: Vec<u8>,
    sum: TableSum,
    /// Bytes and rows of the tuples that were cleared.
    cleared_bytes: u64,
    cleared_rows: u64,
}

impl TupleBuffer {
    /// Makes an empty buffer.
    pub fn new(encoder: Encoder) -> TupleBuffer {
        let (bytes, sum) = (Vec::new(), TableSum::default());
        TupleBuffer { encoder, bytes, sum, cleared_bytes: 0, cleared_rows: 0 }
    }

    /// Appends the tuple of one row and adds its hash to the sum.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Value`](crate::Error::Value) if a value cannot be moved; the buffer and
    /// the sum are then as before.
    pub fn push(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        let start = self.bytes.len();
        self.encoder.encode(row, &mut self.bytes)?;
        self.sum.add_row(hash_row(&self.bytes[start..]));
        Ok(())
    }

    /// Returns the tuples gathered since the last [`TupleBuffer::clear`], without the header and
    /// trailer of a COPY.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of tuples gathered since the last [`TupleBuffer::clear`].
    pub fn pending(&self) -> u64 {
        self.sum.rows - self.cleared_rows
    }

    /// Forgets the tuples, once they are written; the sum and the audit go on, and the memory stays.
    pub fn clear(&mut self) {
        self.cleared_bytes += self.bytes.len() as u64;
        self.cleared_rows = self.sum.rows;
        self.bytes.clear();
    }

    /// Returns the sum of every row pushed so far.
    pub fn sum(&self) -> TableSum {
        self.sum
    }

    /// Returns the bytes of every tuple pushed so far.
    pub fn total_bytes(&self) -> u64 {
        self.cleared_bytes + self.bytes.len() as u64
    }

    /// Returns how often each policy changed a value so far.
    pub fn audit(&self) -> &LossAudit {
        self.encoder.audit()
    }

    /// Returns the expressions to select.
    pub fn select_list(&self) -> &[String] {
        self.encoder.select_list()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{ColumnSchema, TableMapping, TableSchema};
    use handoff_settings::{TableSettings, ValuePolicies};

    #[test]
    fn the_sum_goes_on_when_the_tuples_are_cleared() {
        let columns = vec![ColumnSchema::of_type("a", "int").unwrap()];
        let table = TableSchema { columns, ..TableSchema::empty("t") };
        let mapping =
            TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default())
                .unwrap();
        let mut buffer = TupleBuffer::new(Encoder::new(&mapping, &ValuePolicies::default()));
        buffer.push(&[ValueRef::Int(1)]).unwrap();
        let (one, sum) = (buffer.bytes().to_vec(), buffer.sum());
        assert_eq!((one.len(), sum.rows, buffer.pending()), (10, 1, 1));
        buffer.clear();
        assert!(buffer.bytes().is_empty() && buffer.pending() == 0);
        buffer.push(&[ValueRef::Int(1)]).unwrap();
        assert_eq!(buffer.bytes(), one);
        assert_eq!((buffer.sum(), buffer.total_bytes()), (sum + sum, 20));
        // A value that cannot be moved leaves everything as it was.
        buffer.push(&[ValueRef::Int(i64::MAX)]).unwrap_err();
        assert_eq!((buffer.bytes(), buffer.sum().rows, buffer.pending()), (&one[..], 2, 1));
    }
}
