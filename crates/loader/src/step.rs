//! Failures of the steps around a strategy.

use crate::error::Error;
use crate::statements::LoadStatements;
use handoff_connect::{Fault, Side};

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
