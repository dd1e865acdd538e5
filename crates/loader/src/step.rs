//! Failures of the steps around a strategy.

use crate::Error;
use crate::statements::Statements;
use handoff_connect::{Fault, Side};

/// Returns a function that makes a failed statement an error of the load.
pub(crate) fn step(
    statements: &Statements,
    step: &'static str,
) -> impl FnOnce(postgres::Error) -> Error + use<> {
    let table = statements.table();
    move |error| Error::Step { table, step, fault: fault(&error) }
}

/// Reduces a driver's error, and says what a lock that did not come free means.
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
