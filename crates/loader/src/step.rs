//! The steps around a strategy: their failures and their counts.

use crate::error::Error;
use crate::statements::LoadStatements;
use handoff_connect::{Fault, Side};
use postgres::SimpleQueryMessage;

/// Making the table that rows land in.
pub(crate) const MAKE: &str = "make a table for the rows of";
/// Giving that table its published name.
pub(crate) const NAME: &str = "name";

/// Returns true if the error says that a table of the published name is there after all.
///
/// Two sessions that make it at once meet in a unique index of the catalogue itself.
pub(crate) fn is_taken(error: &Error) -> bool {
    let Error::Step { step: MAKE | NAME, fault, .. } = error else { return false };
    match fault.code() {
        Some("42P07") => true,
        Some("23505") => fault.constraint().is_some_and(|name| name.starts_with("pg_")),
        _ => false,
    }
}

/// Returns a function that makes a failed statement an error of the load.
pub(crate) fn step(
    statements: &LoadStatements,
    step: &'static str,
) -> impl FnOnce(postgres::Error) -> Error + use<> {
    let table = statements.table();
    move |error| Error::Step { table, step, fault: fault(&error) }
}

/// Returns a function that makes a target that cannot be reached an error of the load.
pub(crate) fn connect_failed(statements: &LoadStatements) -> impl FnOnce(Fault) -> Error + use<> {
    let table = statements.table();
    move |fault| Error::Step { table, step: "connect to the target for", fault }
}

/// Reduces a driver's error, and explains a lock that did not come free.
fn fault(error: &postgres::Error) -> Fault {
    let fault = Fault::pg(Side::Target, error);
    if fault.code() == Some("55P03") {
        fault.saying(
            "another session held a lock on the table for longer than lock_timeout allows \
             (SQLSTATE 55P03)",
        )
    } else {
        fault
    }
}

/// Returns the number of rows that the last statement of a script concerned.
pub(crate) fn last_count(answers: &[SimpleQueryMessage]) -> u64 {
    let counts = answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::CommandComplete(count) => Some(*count),
        _ => None,
    });
    counts.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_last_statement_of_a_script_is_counted() {
        let done = SimpleQueryMessage::CommandComplete;
        assert_eq!(last_count(&[done(3), done(5)]), 5);
        assert_eq!(last_count(&[]), 0);
    }
}
