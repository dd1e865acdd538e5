//! Ways of moving rows.

mod chunked;
mod copy_csv;
mod discard;
mod parallel;
mod replay;
mod sink;
mod standard;
mod strategies;
mod streaming;

pub use chunked::Chunked;
pub use copy_csv::CopyCsv;
pub use discard::Discard;
pub use parallel::Parallel;
pub use replay::Replay;
pub use standard::Standard;
pub use strategies::{Strategies, strategy};
pub use streaming::Streaming;

use crate::{Landing, Meter, Result, Source};
use handoff_model::{Audit, TableSum};
use std::ops::AddAssign;

/// Where a strategy's rows land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// In the publishing transaction: one connection, and a failure leaves nothing.
    Transaction,
    /// In a table that is there for every connection: several of them, or commits of their own.
    Committed,
    /// In a table as for [`Opening::Committed`], which stays after a failure together with how far
    /// the load has come, so that the next attempt at the same copy goes on from there. The
    /// strategies of this crate alone know how.
    Resumable,
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
    /// What a person should know of the way they went, one sentence each.
    pub notes: Vec<String>,
}

impl AddAssign for Moved {
    fn add_assign(&mut self, other: Moved) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.sum += other.sum;
        self.audit.merge(&other.audit);
        self.notes.extend(other.notes);
    }
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

    /// Returns where the rows of `source` land.
    fn opening(&self, _source: &Source<'_>) -> Opening {
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
