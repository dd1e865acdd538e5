//! Servers' errors, without row values.

mod answers;
mod connect;
mod my;
mod pg;
mod sign_in;

pub(crate) use connect::{my_connect, not_connected, pg_connect, pg_unreachable};

use handoff_model::{is_hidden, visible};
use serde::{Serialize, Serializer};
use std::fmt;

/// A result whose error is a [`Fault`].
pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// A database of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The application's database.
    Source,
    /// Our own MySQL between the hops.
    Replica,
    /// The analytics database.
    Target,
}

impl Side {
    /// Returns `source`, `replica` or `target`.
    pub fn name(self) -> &'static str {
        match self {
            Side::Source => "source",
            Side::Replica => "replica",
            Side::Target => "target",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Side {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A driver's error, reduced to what is safe to log.
///
/// Server messages quote row values: MySQL's duplicate key, PostgreSQL's class 22, its DETAIL and
/// COPY's CONTEXT. A message is kept only where the code says that it can hold nothing but names;
/// for the others a sentence of our own stands in, with the constraint, table and column.
///
/// Callers ask ([`Fault::is_transient`], [`Fault::code`]); the text is for people.
///
/// # What is done about it
///
/// | A fault that | for example | is answered by |
/// | --- | --- | --- |
/// | [is transient](Fault::is_transient) | a deadlock, a lock, too many connections | trying the step again, `max_retries` times; then the table fails |
/// | [is a disconnect](Fault::is_disconnect) | a cut connection, a restart | the same over a new connection; then the table fails, and if the server cannot be reached at all no further table is started |
/// | [was cancelled](Fault::is_cancelled) | `KILL QUERY`, a time limit | failing the table; if we asked for it, the run was stopped |
/// | is none of these | a full disk, a missing right, a value that is refused | failing the table |
///
/// One table, `fault/answers.rs`, has the meaning of each error code, with the operator's remedy;
/// it is printed in `docs/operations.md`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {}", .0.side, .0.message)]
pub struct Fault(Box<FaultFacts>);

#[derive(Debug, Clone)]
struct FaultFacts {
    side: Side,
    message: String,
    code: Option<String>,
    names: FaultNames,
    kind: FaultKind,
}

/// The database objects that a server named beside its message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FaultNames {
    constraint: Option<String>,
    table: Option<String>,
    column: Option<String>,
}

/// The meaning of a fault for the step that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    /// The same step fails again.
    Lasting,
    /// The session lives, and the same step may succeed when tried again.
    Transient,
    /// The connection is gone; over a new one the same step may succeed.
    Disconnect,
    /// Somebody ended the statement.
    Cancelled,
}

impl Fault {
    /// Makes a fault of our own finding: `message` must hold no row value.
    pub fn new(side: Side, message: impl Into<String>) -> Fault {
        Fault::build(side, message.into(), None, FaultNames::default(), FaultKind::Lasting)
    }

    /// Makes a fault of our own finding that may pass by itself, such as no free connection.
    pub(crate) fn transient(side: Side, message: impl Into<String>) -> Fault {
        Fault::build(side, message.into(), None, FaultNames::default(), FaultKind::Transient)
    }

    /// Makes a fault of our own finding by which a connection is lost.
    pub(crate) fn disconnect(side: Side, message: impl Into<String>) -> Fault {
        Fault::build(side, message.into(), None, FaultNames::default(), FaultKind::Disconnect)
    }

    /// Reduces an error of the MySQL driver.
    pub fn my(side: Side, error: &mysql::Error) -> Fault {
        my::reduce(side, error)
    }

    /// Reduces an error of the PostgreSQL driver.
    pub fn pg(side: Side, error: &postgres::Error) -> Fault {
        pg::reduce(side, error)
    }

    fn build(
        side: Side,
        message: String,
        code: Option<String>,
        names: FaultNames,
        kind: FaultKind,
    ) -> Fault {
        // A server's message may quote whatever somebody has called a table or a role.
        let message = shown(message);
        Fault(Box::new(FaultFacts { side, message, code, names, kind }))
    }

    /// Returns the same fault with another sentence, which must hold no row value.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Fault {
        self.0.message = shown(message.into());
        self
    }

    /// Returns which database it came from.
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// Returns the sentence alone, without the side.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the server's error code: a number for MySQL, a SQLSTATE for PostgreSQL.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the constraint or key that was violated, where the server names it.
    pub fn constraint(&self) -> Option<&str> {
        self.0.names.constraint.as_deref()
    }

    /// Returns true if a MySQL server found a table of its own damaged, as MyISAM leaves one behind a crash
    /// (`ER_KEY_NOT_FOUND`, `ER_NOT_KEYFILE`, `ER_OLD_KEYFILE`, `ER_CRASHED_ON_USAGE`,
    /// `ER_CRASHED_ON_REPAIR`, `ER_INDEX_CORRUPT`).
    pub fn is_damage(&self) -> bool {
        const CODES: [&str; 10] =
            ["126", "127", "144", "145", "1032", "1034", "1035", "1194", "1195", "1712"];
        self.0.side != Side::Target && self.code().is_some_and(|code| CODES.contains(&code))
    }

    /// Returns the table, where the server names it.
    pub fn table(&self) -> Option<&str> {
        self.0.names.table.as_deref()
    }

    /// Returns the column, where the server names it.
    pub fn column(&self) -> Option<&str> {
        self.0.names.column.as_deref()
    }

    /// Returns true if the same step may succeed when tried again unchanged: a deadlock, a lock
    /// that did not come free, a server that is starting, a connection that was lost.
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, FaultKind::Transient | FaultKind::Disconnect)
    }

    /// Returns true if the connection is gone, or could not be made for a cause that may pass.
    pub fn is_disconnect(&self) -> bool {
        self.0.kind == FaultKind::Disconnect
    }

    /// Returns true if somebody ended the statement: `KILL QUERY`, a cancel request, or a time
    /// limit of the server.
    pub fn is_cancelled(&self) -> bool {
        self.0.kind == FaultKind::Cancelled
    }
}

/// The longest sentence: a server may say as much as it likes.
const LONGEST: usize = 16 * 1024;

fn shown(mut message: String) -> String {
    if message.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&end| message.is_char_boundary(end));
        message.truncate(end.unwrap_or_default());
        message.push('…');
    }
    if message.contains(is_hidden) { visible(&message).into_owned() } else { message }
}

/// Returns true for I/O errors that mean a lost connection rather than a mistake of ours.
fn is_lost(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as K;
    matches!(
        kind,
        K::ConnectionRefused
            | K::ConnectionReset
            | K::ConnectionAborted
            | K::NotConnected
            | K::BrokenPipe
            | K::UnexpectedEof
            | K::TimedOut
            | K::WouldBlock
            | K::Interrupted
            | K::HostUnreachable
            | K::NetworkUnreachable
            | K::NetworkDown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_without_end_is_cut() {
        let fault = Fault::new(Side::Source, "né".repeat(1_000_000));
        assert!(fault.message().len() < LONGEST + 10, "{}", fault.message().len());
        assert!(fault.message().ends_with('…'));
    }
}
