//! The exit codes, which scripts rely on.

use std::process::{ExitCode, Termination};

/// The outcome of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything arrived, and what was to be proved is proved.
    Well = 0,
    /// A table failed, differs or was not started; the others arrived. `etl plan`: a table would
    /// fail. `etl status`: a table does not stand `ok`; with `--stale`, its data is older. Of any
    /// command: its result cannot be printed.
    Incomplete = 1,
    /// The arguments or the configuration cannot be used, or a file cannot be written. Servers may
    /// have been asked, such as for a table that is not there; no table was changed.
    Usage = 2,
    /// A server cannot be reached or refuses, or another run holds the lock; no table was moved.
    /// `etl check`: a run would fail, whatever the fault.
    Unavailable = 3,
    /// Ctrl-C, SIGTERM or SIGHUP ended the command.
    Interrupted = 130,
}

impl Exit {
    /// Returns the number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The outcome of all tables together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReportOutcome {
    /// Every table is as it should be.
    pub(crate) ok: bool,
    /// Somebody asked to stop.
    pub(crate) cancelled: bool,
}

impl From<ReportOutcome> for Exit {
    /// Whoever asked to stop when all was done already is told that all is well.
    fn from(outcome: ReportOutcome) -> Exit {
        match (outcome.ok, outcome.cancelled) {
            (true, _) => Exit::Well,
            (false, true) => Exit::Interrupted,
            (false, false) => Exit::Incomplete,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_scripts_rely_on_never_change() {
        let codes =
            [Exit::Well, Exit::Incomplete, Exit::Usage, Exit::Unavailable, Exit::Interrupted]
                .map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 130]);
    }

    #[test]
    fn a_request_to_stop_that_came_too_late_changes_nothing() {
        let exit = |ok, cancelled| Exit::from(ReportOutcome { ok, cancelled });
        assert_eq!(exit(true, false), Exit::Well);
        assert_eq!(exit(true, true), Exit::Well);
        assert_eq!(exit(false, true), Exit::Interrupted);
        assert_eq!(exit(false, false), Exit::Incomplete);
    }
}
