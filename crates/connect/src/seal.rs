//! The hook by which a mover's result and its tracking become one.

use crate::fault::Result;
use crate::my_rows::MyClient;
use handoff_model::{LossAudit, TableSum, WaitTimes};

/// The figures of a table that a mover is about to publish, or has just swapped in.
#[derive(Debug, Clone, Default)]
pub struct PublishedRows {
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
    /// Rows that were there before the move, where the mover counted them.
    pub before: Option<u64>,
    /// The sum of the canonical rows, where they were encoded (hop 2).
    pub sum: Option<TableSum>,
    /// The sum of those of them that the job's filter selects: without the rows that were looked up
    /// by their keys beside it.
    pub filter_sum: Option<TableSum>,
    /// True if the table was read and held these very rows already, so that nothing was written.
    pub unchanged: bool,
    /// Values that could not be carried unchanged.
    pub audit: LossAudit,
    /// The times waited so far.
    pub waits: WaitTimes,
}

/// Checks and records a published table where the data is.
///
/// A mover knows no tracking: it is handed a `PublishHook`, asks it once the rows are in place whether they
/// may be published, and calls it as the last statement of the publishing transaction, or after the
/// swap where the server has no such transaction. Each method belongs to one server.
///
/// # Contract
///
/// * A check is made exactly once for each publication, after every row is in place: in the
///   publishing transaction, or before the swap. Rows that were merged into a table without
///   transactions are visible by then, and their copy is not recorded if the check fails.
/// * A record is made exactly once for each publication that passed its check.
/// * An error of either must make the mover leave everything as it was, where it can (PostgreSQL,
///   InnoDB, a swap that is to come).
/// * The seal runs statements only; it never commits.
pub trait PublishHook: Sync {
    /// Makes sure that the replica may be written to still, right before a swap: a record comes after it, and so too
    /// late.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if it may not; nothing is swapped then.
    fn before_swap(&self) -> Result<()> {
        Ok(())
    }

    /// Decides whether a copy may be published, on the connection that publishes it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if it may not, or the server refuses.
    fn check_replica(&self, _conn: &mut MyClient, _published: &PublishedRows) -> Result<()> {
        Ok(())
    }

    /// Decides whether a load may be published, inside the transaction that publishes it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if it may not, or the server refuses.
    fn check_target(
        &self,
        _tx: &mut postgres::Transaction<'_>,
        _published: &PublishedRows,
    ) -> Result<()> {
        Ok(())
    }

    /// Records a copy in the replica, on the connection that published it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the server refuses.
    fn on_replica(&self, conn: &mut MyClient, published: &PublishedRows) -> Result<()>;

    /// Records a load in the target, inside the transaction that publishes it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the server refuses.
    fn on_target(
        &self,
        tx: &mut postgres::Transaction<'_>,
        published: &PublishedRows,
    ) -> Result<()>;
}
