//! Hop 1: copies tables from the source MySQL into the replica MySQL, byte for byte.
//!
//! A [`Replicator`] stands for one pair of databases and is made once a run; making it checks that
//! the two go together. A table is copied in two steps, so that the caller can record its intent in
//! between:
//!
//! 1. [`Replicator::open`] decides the [`PublishMode`] and, for [`PublishMode::Swap`], makes the empty shadow
//!    `__handoff_new_<copy_id>`.
//! 2. [`PreparedCopy::finish`] fills the table, compares the rows that arrived with those sent, builds the indexes,
//!    renames it into place, has the copy sealed and drops the old table.
//!
//! Some rows of a table ([`CopyJob::filter`]) are merged instead ([`PublishMode::Merge`]): they are gathered
//! in a staging table, and those of which a byte differs replace the replica's rows of the same keys.
//! Merging the same rows twice changes nothing. Rows that are gone from the source are not found so;
//! [`Replicator::counts`] tells that there are some, and a full copy removes them. Where the keys of
//! the rows that differ are known ([`Replicator::open_keys`]), those rows are merged or deleted; the
//! keys of rows that no filter finds may come with one ([`Replicator::open_with_keys`]), and both are
//! one publication. One of them may hold a unique value that a changed row has now:
//! [`Error::is_merge_conflict`] asks for a full copy.
//!
//! Rows are moved by the first of these that the pair allows:
//!
//! | Way in | For |
//! | --- | --- |
//! | `insert_select` | a source without locks (InnoDB) on the same server |
//! | `load_data_local` | everything else |
//! | `prepared_inserts` | a replica that refuses `LOAD DATA LOCAL` |
//!
//! # What a failure leaves behind
//!
//! The replica's table as it was, whole, but for a merge into a table without transactions, which is
//! to be repeated ([`PublishMode::Merge`]). A shadow or an old table may outlive a crash; they are
//! found by [`Replicator::leftovers`]. A shadow that is gone although its copy was never sealed
//! means that the rename happened. On a server whose RENAME of two tables is not atomic, its crash may
//! leave the old table alone: [`Replicator::restore_old`] puts it back.
//!
//! # What this crate does not do
//!
//! Choose tables, retry, or remember copies.

#![warn(unreachable_pub)]

mod compare;
mod copied_column;
mod copy_context;
mod definition;
mod described;
mod error;
mod finish;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod job;
mod labels;
mod left_out;
mod leftover;
mod line;
mod merge;
mod merge_sql;
mod pair;
mod prepare;
mod prepared_copy;
mod publish_mode;
mod restore;
mod row_sum;
mod shadow;
mod shadow_guard;
mod source_digest;
mod staged_keys;
mod swap;
mod table_writer;
mod transaction;

pub use compare::{RowCounts, SideSums};
pub use error::{CopyStage, Error, Result};
pub use job::{CopyJob, CopyOutcome, PublishMode};
pub use leftover::{Leftover, LeftoverKind, drop_leftover, list_leftovers};
pub use pair::Replicator;
pub use prepared_copy::PreparedCopy;
pub use restore::restore_leftover;
