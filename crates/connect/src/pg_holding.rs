//! A session of PostgreSQL that holds a lock.

use crate::fault::{Fault, Result, Side};
use crate::pg_link::PgConnState;

/// A session that holds an advisory lock.
pub(crate) struct PgHolding {
    /// The server's process.
    pub(crate) process: u32,
    pub(crate) link: Box<PgConnState>,
}

impl PgHolding {
    pub(crate) fn check(&mut self) -> Result<()> {
        // Where the session holds the lock in a transaction, that takes no further lock for this. The lock
        // cannot be lost but with the session or the transaction.
        let asked = self.link.client.simple_query("SELECT 1");
        asked.map(drop).map_err(|error| Fault::pg(Side::Target, &error))
    }
}
