//! Ways of moving rows.

mod chunked;
mod copy_csv;
mod discard;
mod parallel;
mod replay;
mod standard;
mod strategy_set;
mod streaming;
mod tuple_sink;

pub use chunked::ChunkedLoad;
pub use copy_csv::CopyCsv;
pub use discard::DiscardLoad;
pub use parallel::ParallelLoad;
pub use replay::SpoolReplay;
pub use standard::StandardLoad;
pub use strategy_set::{StrategySet, strategy};
pub use streaming::StreamingLoad;

use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::row_source::RowSource;
use crate::staging_table::StagingTable;
use handoff_model::ProgressMeter;

/// The place in which a strategy's rows land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandingMode {
    /// In the publishing transaction: one connection, and a failure leaves nothing.
    Transaction,
    /// In a table that is there for every connection: several of them, or commits of their own.
    Committed,
    /// In a table as for [`LandingMode::Committed`], which stays after a failure together with how far
    /// the load has come, so that the next attempt at the same copy goes on from there. The
    /// strategies of this crate alone know how.
    Resumable,
    /// Nowhere: nothing is opened, nothing published, and the seal is not called.
    Nowhere,
}

/// The input of a strategy.
pub struct LoadInput<'a, 'c> {
    /// The rows.
    pub source: &'a RowSource<'a>,
    /// The table in which they land.
    pub landing: &'a mut StagingTable<'c>,
    /// The meter of the rows that were sent.
    pub meter: &'a ProgressMeter<'a>,
}

/// A way of moving rows from MySQL into PostgreSQL.
///
/// A strategy moves rows and nothing else. It does not create tables, choose rows, resolve
/// conflicts or record progress; [`Loader::load`](crate::Loader::load) and its callers do. So
/// every strategy works with every way of publishing, and can be measured alone.
///
/// # Contract
///
/// * Every row of [`RowSource::filter`] lands exactly once, as [`TupleBuffer`](handoff_rows::TupleBuffer) encodes it,
///   or [`StagingTable::holds`] said that it is there already, or there was none.
/// * Rows are streamed. Memory does not grow with the table.
/// * The request to stop ([`RowSource::cancel`]) is heeded between batches; [`RowSource::read`] does.
/// * [`LoadedRows`] counts rows that the server has confirmed.
/// * On `Err`, a strategy that opens in the transaction need not clean up. One that opens
///   [`LandingMode::Committed`] need not either: the loader drops the table.
///
/// Strategies are stateless and shared between threads. Options belong in their fields.
pub trait LoadStrategy: Send + Sync {
    /// Returns the name used in settings, logs and reports, such as `streaming`.
    fn name(&self) -> &'static str;

    /// Returns the place in which the rows of `source` land.
    fn opening(&self, _source: &RowSource<'_>) -> LandingMode {
        LandingMode::Transaction
    }

    /// Returns the number of connections to the target that are used at once, so that pools can be sized.
    fn connections(&self) -> usize {
        1
    }

    /// Moves the rows.
    ///
    /// # Errors
    ///
    /// Returns an error if either server fails, a value cannot be moved, or the run is
    /// cancelled.
    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows>;
}
