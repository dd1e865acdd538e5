//! A table of ours in the target, and the kinds of such tables.

use crate::copy_in::CopyIn;
use crate::error::Result;
use crate::statements::{LoadStatements, TableAge};
use crate::step::{connect_failed, step};
use handoff_connect::{PgConn, PgPool};
use handoff_model::CancelToken;
use postgres::Transaction;

/// The table that rows land in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StagingKind {
    /// The published table itself, which nobody sees before the commit.
    Target,
    /// A logged table, to be renamed to the published one.
    Build,
    /// Staging that only the transaction sees.
    Temporary,
    /// Staging in the target's schema.
    Unlogged,
}

/// Runs `work` in a transaction on `conn` that ends with the request to stop.
pub(crate) fn guarded<T>(
    conn: &mut PgConn,
    cancel: &CancelToken,
    statements: &LoadStatements,
    work: impl FnOnce(Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let guard = conn.pool().cancel_guard(conn, cancel);
    let begun = conn.transaction().map_err(step(statements, "begin to load"));
    let done = begun.and_then(work);
    drop(guard);
    // A cancel request may still be under way: it must not meet the next statement.
    if done.is_err() || cancel.is_cancelled() {
        conn.mark_broken();
    }
    done
}

/// A landing table that every connection sees. Shared by the workers of one load.
#[derive(Clone, Copy)]
pub struct SharedStaging<'c> {
    /// The connections to write through.
    pub pool: &'c PgPool,
    pub(crate) statements: &'c LoadStatements,
    pub(crate) cancel: &'c CancelToken,
}

impl SharedStaging<'_> {
    /// Returns the landing table, quoted.
    pub fn table(&self) -> String {
        self.statements.own()
    }

    /// Runs `work` in a transaction of its own, on a connection taken for it, and commits. The
    /// request to stop ends its statement.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, which is then rolled back, or of the server.
    pub fn in_transaction<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let taken = self.pool.get();
        let mut conn = taken.map_err(connect_failed(self.statements))?;
        guarded(&mut conn, self.cancel, self.statements, |mut tx| {
            let done = work(&mut tx)?;
            tx.commit().map_err(step(self.statements, "commit rows of"))?;
            Ok(done)
        })
    }

    /// Starts a COPY BINARY into the landing table.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses.
    pub fn copy_binary<'a>(&self, tx: &'a mut Transaction<'_>) -> Result<CopyIn<'a>> {
        CopyIn::begin(
            tx,
            &self.statements.table(),
            &self.statements.copy_in(&self.table(), TableAge::Any),
        )
    }
}
