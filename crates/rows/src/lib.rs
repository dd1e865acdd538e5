//! Streams rows out of MySQL in their canonical form: the PostgreSQL COPY BINARY tuple.

mod buffer;
mod codec;
mod encoder;
mod error;
mod json;
mod reader;
mod refusal;
mod sum;
mod tuples;

pub use buffer::TupleBuffer;
pub use encoder::Encoder;
pub use error::{Error, Result};
pub use reader::{Locking, ReadSpec, Reader, RowSink};
pub use sum::{hash_row, target_sum};
pub use tuples::tuples;

/// The header of a COPY BINARY stream: signature, flags, no extension (PostgreSQL manual, COPY,
/// "Binary Format").
pub const COPY_HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The trailer of a COPY BINARY stream.
pub const COPY_TRAILER: [u8; 2] = [0xff, 0xff];
