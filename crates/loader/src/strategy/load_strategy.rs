//! The contract of a way of moving rows.

use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::row_source::RowSource;
use crate::strategy::load_input::{LandingMode, LoadInput};

/// A way of moving rows from MySQL into PostgreSQL.
///
/// A strategy moves rows and nothing else. It does not create tables, choose rows, resolve
/// conflicts or record progress; [`Loader::load`](crate::Loader::load) and its callers do. So
/// every strategy works with every way of publishing, and can be measured alone.
///
/// # Contract
///
/// * Every row of [`RowSource::filter`] lands exactly once, as [`TupleBuffer`](handoff_rows::TupleBuffer) encodes it,
///   or [`StagingTable::holds`](crate::StagingTable::holds) said that it is there already, or there was none.
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
