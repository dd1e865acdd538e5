//! The beginning and the end of a COPY BINARY stream.

/// The header of a COPY BINARY stream: signature, flags, no extension (PostgreSQL manual, COPY,
/// "Binary Format").
pub const COPY_HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The trailer of a COPY BINARY stream.
pub const COPY_TRAILER: [u8; 2] = [0xff, 0xff];
