//! A row that is not taken apart yet.

use super::row::{self, Sent};
use crate::value_ref::ValueRef;

/// A row as the server sent it, in the binary protocol. Two servers of one kind send rows of equal
/// columns in equal packets if and only if the rows are equal.
#[derive(Clone, Copy)]
pub struct MyPacket<'p> {
    pub(super) bytes: &'p [u8],
    pub(super) columns: &'p [Sent],
}

impl<'p> MyPacket<'p> {
    /// Returns its bytes.
    pub fn bytes(&self) -> &'p [u8] {
        self.bytes
    }

    /// Takes it apart; [`None`] if it is not made as its columns say. For the few of which the
    /// values are wanted: it allocates.
    pub fn values(&self) -> Option<Vec<ValueRef<'p>>> {
        let mut values = Vec::with_capacity(self.columns.len());
        row::values(self.bytes, self.columns, &mut values).map(|()| values)
    }
}
