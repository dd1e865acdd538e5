//! Hop 2: loads the rows of a MySQL table into PostgreSQL.
//!
//! A load has three parts, and only the middle one varies:
//!
//! 1. **Open.** [`Loader::load`] decides where rows land.
//! 2. **Move.** A [`LoadStrategy`] streams rows out of MySQL and into that table.
//! 3. **Publish.** [`Loader::load`] makes them visible, in one transaction with the
//!    [`PublishHook`](handoff_connect::PublishHook) that records it.
//!
//! | The target table | Rows land in | Published by |
//! | --- | --- | --- |
//! | is not there | the table itself, made in the transaction (several connections: a build table) | its key, its grants (and its name) |
//! | has a key | staging, dropped at the commit | deleting the rows that staging lacks (a full load), changing those that differ to the byte, inserting the new ones |
//! | has no key | staging | `DELETE` and `INSERT … SELECT` |
//!
//! If the keys of the rows that differ are known ([`Loader::load_keys`]), those rows alone are
//! read, merged, and deleted where there is nothing to read. The keys of rows that no filter finds,
//! such as those that are gone, may come with a filter ([`Loader::load_with_keys`]): both are one
//! publication.
//!
//! Before the commit, and before the seal records it, the seal is asked whether this may be published
//! ([`PublishHook::check_target`](handoff_connect::PublishHook::check_target)). It sees the rows in place, and if it
//! refuses, nothing has happened.
//!
//! So readers wait for nothing and see the old rows or the new, views live, and rows that did not
//! change are not written. There is no TRUNCATE (readers with an older snapshot would see an
//! empty table, the others wait), no rename over an existing table (views stay with the old one)
//! and no `ON CONFLICT` (it locks and logs every unchanged row and cannot swap a unique value).
//!
//! | Strategy | How | For |
//! | --- | --- | --- |
//! | [`StreamingLoad`] | one COPY BINARY stream | the default at every size |
//! | [`StandardLoad`] | parameterised multi-row INSERT | targets that refuse COPY, and the baseline |
//! | [`ChunkedLoad`] | one COPY BINARY stream a chunk, committed with a checkpoint | resumes in the middle of a table |
//! | [`ParallelLoad`] | ranges of the key, one COPY BINARY stream each | the largest tables, many cores |
//! | [`CopyCsv`] | a CSV file, then COPY CSV | a file that may be kept, and loaded again ([`SpoolReplay`]) |
//! | [`DiscardLoad`] | reads and encodes, writes nothing | benches |
//!
//! # Example
//!
//! ```no_run
//! use handoff_loader::{LoadJob, Loader, Result, StreamingLoad};
//! # fn example(loader: &Loader, job: &LoadJob<'_>, hook: &dyn handoff_connect::PublishHook) -> Result<()> {
//! let outcome = loader.load(job, &StreamingLoad::default(), hook)?;
//! assert_eq!(outcome.figures.rows, outcome.sum.rows);
//! # Ok(())
//! # }
//! ```
//!
//! # What a failure leaves
//!
//! The target table as it was. [`ChunkedLoad`] leaves the rows that it has loaded in a table `__handoff_…` and how
//! far it came in a table `__handoff_at_…`, both named after the copy that it reads, and takes them up
//! when that copy is loaded again. The second holds the key of the last row loaded, which is why it
//! lives in the target alone, beside the row itself, and goes when the load is done. Another table
//! `__handoff_…` of a strategy with several connections may outlive the process; a later run drops it
//! with [`Loader::drop_leftovers`].
//!
//! A table is refused whatever the strategy if something about it hides rows, rewrites them, or passes
//! a statement of ours on to somebody's rows ([`TargetObstacle`](handoff_schema::TargetObstacle)): its rows could not be known to equal the
//! source's. The transaction that publishes looks once more.
//!
//! # What this crate does not do
//!
//! Choose rows or strategies (`handoff-pipeline`), or remember loads (`handoff-tracking`, through the
//! seal).

#![warn(unreachable_pub)]

mod checkpoint;
mod copy_in;
mod csv;
mod error;
mod job;
mod key_position;
mod key_text;
mod keyed;
mod leftovers;
mod load_origin;
mod loaded_rows;
mod loader;
mod loader_options;
mod merge;
mod publish;
mod read_back;
mod row_source;
mod shared_staging;
mod spool;
mod staging_table;
mod statements;
mod step;
mod strategy;
#[cfg(test)]
mod testing;
mod tuple;
mod tuple_inserter;

pub use copy_in::CopyIn;
pub use error::{Error, Result};
pub use handoff_model::ProgressMeter;
pub use job::{LoadJob, LoadMode, LoadOutcome};
pub use loaded_rows::LoadedRows;
pub use loader::Loader;
pub use loader_options::LoaderOptions;
pub use row_source::RowSource;
pub use shared_staging::SharedStaging;
pub use spool::SpoolSettings;
pub use staging_table::StagingTable;
pub use strategy::{
    ChunkedLoad, CopyCsv, DiscardLoad, LandingMode, LoadInput, LoadStrategy, ParallelLoad,
    SpoolReplay, StandardLoad, StrategySet, StreamingLoad, strategy,
};
pub use tuple_inserter::TupleInserter;
