//! Streams rows out of MySQL in their canonical form: the PostgreSQL COPY BINARY tuple.
//!
//! The bytes of a row are, one for one, those that `COPY (SELECT …) TO STDOUT (FORMAT binary)` of the
//! target prints for it. So the same bytes feed a COPY, are hashed, and are compared with the rows
//! that are read back ([`target_sum`]).
//!
//! * An [`Encoder`] knows the expressions to select for each column of a mapping and turns a row into a
//!   tuple. A value that PostgreSQL cannot hold falls under a policy of the settings, which is
//!   counted, or is an [`Error::Value`]; it is never changed in silence, and in a key never at all.
//! * A [`RowReader`] runs the statement, or the statements, and hands each row to a [`RowSink`]. It
//!   knows how long a table may be locked.
//! * A [`TupleBuffer`] is the memory of most sinks: the encoder, the tuples not yet written, their sum.
//!
//! ```no_run
//! use handoff_connect::{MyConn, ValueRef};
//! use handoff_model::{CancelToken, RowFilter};
//! use handoff_rows::{Encoder, Error, Locking, ReadSpec, RowReader, RowSink, TupleBuffer};
//! use handoff_schema::{TableMapping, TableSchema};
//! use handoff_settings::ValuePolicies;
//!
//! /// Reads everything and writes nothing.
//! struct Discard(TupleBuffer);
//!
//! impl RowSink for Discard {
//!     type Error = Error;
//!
//!     fn row(&mut self, row: &[ValueRef<'_>]) -> Result<(), Error> {
//!         self.0.push(row)
//!     }
//!
//!     fn buffered(&self) -> usize {
//!         self.0.bytes().len()
//!     }
//!
//!     fn flush(&mut self) -> Result<(), Error> {
//!         self.0.clear();
//!         Ok(())
//!     }
//! }
//!
//! # fn example(conn: &mut MyConn, table: &TableSchema, mapping: &TableMapping) -> Result<(), Error> {
//! let mut sink = Discard(TupleBuffer::new(Encoder::new(mapping, &ValuePolicies::default())));
//! let select = sink.0.select_list().to_vec();
//! let (filter, cancel) = (RowFilter::All, CancelToken::new());
//! let locking = Locking::Snapshot;
//! let spec = ReadSpec { table, select: &select, filter: &filter, locking, cancel: &cancel };
//! let rows = RowReader::new(spec).read(conn, &mut sink)?;
//! assert_eq!(sink.0.sum().rows, rows);
//! # Ok(())
//! # }
//! ```

#![warn(unreachable_pub)]

mod buffer;
pub mod canonical;
mod codec;
mod copy_format;
mod encoder;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod json;
mod key_list;
mod key_value;
mod reader;
mod refusal;
mod shown_key;
mod sum;
mod target_keys;
mod tuples;

pub use buffer::TupleBuffer;
pub use copy_format::{COPY_HEADER, COPY_TRAILER};
pub use encoder::Encoder;
pub use error::{Error, Result};
pub use key_list::{KeyBatch, KeyList};
pub use key_value::{has_key_values, key_value};
pub use reader::{
    Locking, ReadChunk, ReadSpec, RowReader, RowSink, force_key_index, key_operands, key_parameter,
    where_clause,
};
pub use shown_key::shown_key;
pub use sum::{hash_row, target_sum, target_sum_in, target_tuples};
pub use target_keys::target_tuples_of;
pub use tuples::tuples;
