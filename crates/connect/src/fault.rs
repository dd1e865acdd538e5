//! Servers' errors, without row values.

mod answers;
mod connect;
mod kind;
mod my;
mod pg;
mod server_fault;
mod side;
mod sign_in;

pub(crate) use connect::{my_connect, not_connected, pg_connect, pg_unreachable};
pub use server_fault::Fault;
pub use side::Side;

/// A result whose error is a [`Fault`].
pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// Reduces an error of the MySQL driver.
    pub fn my(side: Side, error: &mysql::Error) -> Fault {
        my::reduce(side, error)
    }

    /// Reduces an error of the PostgreSQL driver.
    pub fn pg(side: Side, error: &postgres::Error) -> Fault {
        pg::reduce(side, error)
    }
}
