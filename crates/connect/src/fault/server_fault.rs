//! A server's error, reduced to what is safe to log.

use super::kind::FaultKind;
use crate::fault::side::Side;
use handoff_model::{is_hidden, visible};

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
pub struct Fault(pub(super) Box<FaultFacts>);

#[derive(Debug, Clone)]
pub(super) struct FaultFacts {
    pub(super) side: Side,
    pub(super) message: String,
    pub(super) code: Option<String>,
    pub(super) names: FaultNames,
    pub(super) kind: FaultKind,
}

/// The database objects that a server named beside its message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FaultNames {
    pub(super) constraint: Option<String>,
    pub(super) table: Option<String>,
    pub(super) column: Option<String>,
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

    pub(super) fn build(
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
pub(super) const LONGEST: usize = 16 * 1024;

pub(super) fn shown(mut message: String) -> String {
    if message.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&end| message.is_char_boundary(end));
        message.truncate(end.unwrap_or_default());
        message.push('…');
    }
    if message.contains(is_hidden) { visible(&message).into_owned() } else { message }
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
