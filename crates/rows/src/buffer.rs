//! Tuples gathered for a COPY.

use crate::encoder::Encoder;
use crate::error::Result;
use crate::sum::hash_row;
use handoff_connect::ValueRef;
use handoff_model::{Audit, TableSum};

/// Encodes rows, gathers their tuples, and sums them.
///
/// The memory of a sink: its [`RowSink::row`](crate::RowSink::row) calls [`TupleBuffer::push`], its
/// [`RowSink::flush`](crate::RowSink::flush) writes [`TupleBuffer::bytes`] and calls
/// [`TupleBuffer::clear`].
pub struct TupleBuffer {
    encoder: Encoder,
    bytes: Vec<u8>,
    sum: TableSum,
    cleared: u64,
}

impl TupleBuffer {
    /// Makes an empty buffer.
    pub fn new(encoder: Encoder) -> TupleBuffer {
        TupleBuffer { encoder, bytes: Vec::new(), sum: TableSum::default(), cleared: 0 }
    }

    /// Appends the tuple of one row and adds its hash to the sum.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Value`](crate::Error::Value) if a value cannot be carried; the buffer and
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

    /// Forgets the tuples, once they are written; the sum and the audit go on, and the memory stays.
    pub fn clear(&mut self) {
        self.cleared += self.bytes.len() as u64;
        self.bytes.clear();
    }

    /// Returns the sum of every row pushed so far.
    pub fn sum(&self) -> TableSum {
        self.sum
    }

    /// Returns the bytes of every tuple pushed so far.
    pub fn total_bytes(&self) -> u64 {
        self.cleared + self.bytes.len() as u64
    }

    /// Returns how often each policy changed a value so far.
    pub fn audit(&self) -> &Audit {
        self.encoder.audit()
    }

    /// Returns the expressions to select.
    pub fn select_list(&self) -> &[String] {
        self.encoder.select_list()
    }
}
