//! Pools of PostgreSQL connections.

use crate::{Fault, PoolOptions, Result};
use handoff_settings::PgServer;
use std::ops::{Deref, DerefMut};

/// A pool of connections to the target database. Cheap to clone.
#[derive(Clone)]
pub struct PgPool {}

impl PgPool {
    /// Connects once, to learn the server's version and encoding, and opens the pool.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] that names the server and the remedy if it cannot be reached, refuses
    /// the account, does not know the database, or the database is not in UTF8.
    pub fn open(_server: &PgServer, _options: &PoolOptions) -> Result<PgPool> {
        todo!()
    }

    /// Takes a connection.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if no connection can be had.
    pub fn get(&self) -> Result<PgConn> {
        todo!()
    }

    /// Returns the server's version number as `server_version_num` gives it, such as 150018.
    pub fn version_num(&self) -> u32 {
        todo!()
    }

    /// Asks the server to cancel what the owner of `token` is running, over the pool's TLS.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached.
    pub fn cancel(&self, _token: &postgres::CancelToken) -> Result<()> {
        todo!()
    }
}

/// A connection out of a [`PgPool`]; dereferences to the driver's client.
pub struct PgConn {}

impl PgConn {
    /// Closes the connection instead of giving it back.
    pub fn close(self) {
        todo!()
    }

    /// Reduces an error of this connection's driver.
    pub fn fault(&self, error: &postgres::Error) -> Fault {
        Fault::pg(crate::Side::Target, error)
    }
}

impl Deref for PgConn {
    type Target = postgres::Client;
    fn deref(&self) -> &postgres::Client {
        todo!()
    }
}

impl DerefMut for PgConn {
    fn deref_mut(&mut self) -> &mut postgres::Client {
        todo!()
    }
}
