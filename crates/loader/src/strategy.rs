//! Ways of moving rows.

mod discard;
mod standard;
mod streaming;

pub use discard::Discard;
pub use standard::Standard;
pub use streaming::Streaming;

use crate::{Landing, Meter, Result, Source};
use handoff_model::{Audit, Strategy, TableSum};

/// Where a strategy's rows land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// In the publishing transaction: one connection, and a failure leaves nothing.
    Transaction,
    /// In a table that is there for every connection: several of them, or commits of their own.
    Committed,
    /// Nowhere: nothing is opened, nothing published, and the seal is not called.
    Nowhere,
}

/// What a strategy is given.
pub struct Move<'a, 'c> {
    /// The rows.
    pub source: &'a Source<'a>,
    /// Where they go.
    pub landing: &'a mut Landing<'c>,
    /// To be told what was sent.
    pub meter: &'a Meter<'a>,
}

/// What a strategy moved.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    /// Rows read.
    pub rows: u64,
    /// Bytes of their canonical form.
    pub bytes: u64,
    /// Their sum.
    pub sum: TableSum,
    /// Values that could not be carried unchanged.
    pub audit: Audit,
}

/// A way of moving rows from MySQL into PostgreSQL.
///
/// A strategy moves rows and nothing else. It does not create tables, choose rows, resolve
/// conflicts or record progress; [`Loader::load`](crate::Loader::load) and its callers do. So
/// every strategy works with every way of publishing, and can be measured alone.
///
/// # Contract
///
/// * Every row of [`Source::filter`] lands exactly once, as [`Tuples`](crate::Tuples) encodes it,
///   or [`Landing::holds`] said that it is there already, or there was none.
/// * Rows are streamed. Memory does not grow with the table.
/// * The request to stop ([`Source::cancel`]) is heeded between batches; [`Source::read`] does.
/// * [`Moved`] counts rows that the server has confirmed.
/// * On `Err`, a strategy that opens in the transaction need not clean up. One that opens
///   [`Opening::Committed`] need not either: the loader drops the table.
///
/// Strategies are stateless and shared between threads. Options belong in their fields.
pub trait LoadStrategy: Send + Sync {
    /// Returns the name used in settings, logs and reports, such as `streaming`.
    fn name(&self) -> &'static str;

    /// Returns where the rows land.
    fn opening(&self) -> Opening {
        Opening::Transaction
    }

    /// Returns how many connections to the target are used at once, so that pools can be sized.
    fn connections(&self) -> usize {
        1
    }

    /// Moves the rows.
    ///
    /// # Errors
    ///
    /// Returns an error if either server fails, a value cannot be carried, or the run is
    /// cancelled.
    fn load(&self, moving: Move<'_, '_>) -> Result<Moved>;
}

/// Returns the strategy of that name with its defaults; [`None`] if this version has it not.
pub fn strategy(which: Strategy) -> Option<Box<dyn LoadStrategy>> {
    match which {
        Strategy::Standard => Some(Box::new(Standard::default())),
        Strategy::Streaming => Some(Box::new(Streaming::default())),
        Strategy::Discard => Some(Box::new(Discard)),
        Strategy::Chunked | Strategy::Parallel | Strategy::CopyCsv => None,
    }
}
