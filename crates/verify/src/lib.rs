//! Compares a table across databases and names every missing, stale and phantom row.
//!
//! Rows are compared in their canonical form, the COPY BINARY tuple: that of the encoder for a
//! MySQL row, and that of `COPY … TO STDOUT (FORMAT binary)` for a PostgreSQL row. Equality is
//! equality of bytes, and no timestamp, log or trigger is needed.
//!
//! 1. **One read a side**, all sides at the same time, in whatever order the server finds fastest.
//!    Each row goes into a sum and a sketch: an invertible Bloom lookup table. Equal sums are equal
//!    tables, and that is the end of it. The difference of two sketches names the rows that differ,
//!    by hash.
//! 2. **A second look** at those rows finds their keys and the columns that differ. A row that is equal now
//!    was a row on its way. Where a table may be written to, a row that changed between two looks
//!    is looked at a third time, and called moving if it changes still.
//! 3. **Where more differs than a sketch can name**, all rows are read once more. The first sketch of a
//!    large table is a small one, which stays in the processor's cache; rows that it cannot name go
//!    into a larger one. Where that is too small as well, or is known to be, the hashes of all rows
//!    go to a temporary file, in buckets of about 50,000 rows, which are compared one by one: the
//!    counts are exact, and the first rows are listed.
//!
//! If source and replica alone are compared, both of one kind and with rows that lie in the order of
//! their key (InnoDB), ranges of the key come first: a row then costs the hash of the packet that
//! carried it, and only the ranges that differ go into a sketch. Or their own servers sum such
//! ranges, and nothing but the sums travels ([`VerifyOptions::sums`]).
//!
//! Any key will do, whatever the two servers think of its order; a table without one is compared as
//! a multiset of rows. Memory depends on the options, not on the table.
//!
//! # What this crate does not do
//!
//! It writes nothing to any database, and decides nothing about the rows it finds. A value that a
//! policy of `[values]` changes on its way counts as what it becomes: source and replica are told
//! apart only as far as the target could tell them apart. One that can't be carried at all fails the
//! comparison wherever its row is encoded: not where source and replica are found equal without that.

#![warn(unreachable_pub)]

mod at_once;
mod compared_table;
mod differences;
mod element;
mod error;
mod fields;
mod image;
mod key;
mod meter;
mod mysql_side;
mod packet_sums;
mod range_sums;
mod server_sums;
mod show;
mod side_view;
mod sketch;
mod spill;
mod verifier;

pub use compared_table::ComparedTable;
pub use differences::{DifferenceKind, PairDifferences, RowDifference, TableComparison};
pub use error::{Error, Result};
pub use key::RowKey;
pub use show::ShowKeys;
pub use verifier::{Verifier, VerifyJob, VerifyOptions};
