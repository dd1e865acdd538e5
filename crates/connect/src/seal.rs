//! The hook by which a mover's result and its tracking become one.

use crate::Result;
use handoff_model::{Audit, TableSum, Waits};

/// What a mover is about to publish, or has just swapped in.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// Rows the published table now has from this move: all of them for a full move.
    pub rows: u64,
    /// Rows that were not there before.
    pub inserted: u64,
    /// Rows that were there and changed.
    pub updated: u64,
    /// Rows that were there and are gone.
    pub deleted: u64,
    /// Bytes moved.
    pub bytes: u64,
    /// The strategy that moved them.
    pub strategy: &'static str,
    /// The sum of the canonical rows, where they were encoded (hop 2).
    pub sum: Option<TableSum>,
    /// Values that could not be carried unchanged.
    pub audit: Audit,
    /// Where the time went so far.
    pub waits: Waits,
}

/// Records a published table where the data is.
///
/// A mover knows no tracking: it is handed a `Seal` and calls it as the last statement of the
/// publishing transaction, or after the swap where the server has no such transaction. Each
/// method belongs to one server.
///
/// # Contract
///
/// * Called exactly once for each publication, after every row is in place.
/// * An error must make the mover roll back where it can (PostgreSQL, InnoDB).
/// * The seal runs statements only; it never commits.
pub trait Seal: Sync {
    /// Records a copy in the replica, on the connection that published it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the server refuses.
    fn on_replica(&self, conn: &mut mysql::Conn, published: &Published) -> Result<()>;

    /// Records a load in the target, inside the transaction that publishes it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the server refuses.
    fn on_target(&self, tx: &mut postgres::Transaction<'_>, published: &Published) -> Result<()>;
}
