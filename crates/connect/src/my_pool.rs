//! Pools of MySQL connections.

use crate::{Fault, PoolOptions, Result, ServerVersion, Side};
use handoff_settings::MySqlServer;
use std::ops::{Deref, DerefMut};

/// The session variables a piece of work needs. Changing the profile of a pooled connection costs
/// one statement, keeping it none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Reading for hop 2 and the catalogue: results in utf8mb4 but for what is asked raw.
    Read,
    /// Reading for hop 1: `character_set_results = NULL`, every text in its column's own bytes.
    RawRead,
    /// Writing to the replica: checks off, nothing strict.
    Write,
}

/// A pool of connections to one MySQL or MariaDB database. Cheap to clone.
#[derive(Clone)]
pub struct MyPool {
    side: Side,
}

impl MyPool {
    /// Connects once, to learn the server's version, and opens the pool.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] that names the server and the remedy if it cannot be reached, refuses
    /// the account or does not know the database.
    pub fn open(_server: &MySqlServer, _side: Side, _options: &PoolOptions) -> Result<MyPool> {
        todo!()
    }

    /// Takes a connection whose session is set up for `profile`.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if no connection can be had.
    pub fn get(&self, _profile: Profile) -> Result<MyConn> {
        todo!()
    }

    /// Returns which database of the pipeline this is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Returns the name of the database.
    pub fn database(&self) -> &str {
        todo!()
    }

    /// Returns the server's kind and version.
    pub fn version(&self) -> &ServerVersion {
        todo!()
    }

    /// Ends the statement that connection `id` is running, from a connection of its own.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached or refuses.
    pub fn kill_query(&self, _id: u32) -> Result<()> {
        todo!()
    }

    /// Reduces an error of this side's driver.
    pub fn fault(&self, error: &mysql::Error) -> Fault {
        Fault::my(self.side, error)
    }
}

/// A connection out of a [`MyPool`]; dereferences to the driver's connection.
pub struct MyConn {
    side: Side,
}

impl MyConn {
    /// Which database of the pipeline this is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Sets the session up for another profile, if it is not already.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server refuses.
    pub fn set_profile(&mut self, _profile: Profile) -> Result<()> {
        todo!()
    }

    /// Closes the connection instead of giving it back, such as after a result that was not read
    /// to its end.
    pub fn close(self) {
        todo!()
    }

    /// Reduces an error of this connection's driver.
    pub fn fault(&self, error: &mysql::Error) -> Fault {
        Fault::my(self.side, error)
    }
}

impl Deref for MyConn {
    type Target = mysql::Conn;
    fn deref(&self) -> &mysql::Conn {
        todo!()
    }
}

impl DerefMut for MyConn {
    fn deref_mut(&mut self) -> &mut mysql::Conn {
        todo!()
    }
}
