//! Summing rows in their canonical form while they are copied.

use handoff_connect::ValueRef;
use handoff_model::TableSum;
use handoff_rows::{Encoder, hash_row};

/// The sum that hop 2 takes of the same rows, so that the two can be compared.
///
/// A row that has no canonical form ends the sum and not the copy: hop 2 refuses
/// that row, and names it.
pub(crate) struct SourceDigest {
    encoder: Encoder,
    tuple: Vec<u8>,
    sum: Option<TableSum>,
}

impl SourceDigest {
    /// Makes the digest of rows that [`Encoder::select_list`] selects.
    pub(crate) fn new(encoder: Encoder) -> SourceDigest {
        SourceDigest { encoder, tuple: Vec::new(), sum: Some(TableSum::default()) }
    }

    /// Takes in a row.
    pub(crate) fn observe(&mut self, row: &[ValueRef<'_>]) {
        let Some(sum) = &mut self.sum else { return };
        self.tuple.clear();
        match self.encoder.encode(row, &mut self.tuple) {
            Ok(()) => sum.add_row(hash_row(&self.tuple)),
            Err(_) => self.sum = None,
        }
    }

    /// Returns the sum, if every row has a canonical form.
    pub(crate) fn sum(&self) -> Option<TableSum> {
        self.sum
    }
}
