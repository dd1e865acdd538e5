//! The exit codes, which scripts rely on.

use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything arrived, and what was to be proved is proved.
    Well = 0,
    /// A table failed, differs or was not started. The others arrived.
    Incomplete = 1,
    /// The arguments or the configuration cannot be used; no server was asked.
    Usage = 2,
    /// A server cannot be reached or refuses, or another run holds the lock; nothing was started.
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

/// What a report says of all tables together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Every table is as it should be.
    pub(crate) ok: bool,
    /// Somebody asked to stop.
    pub(crate) cancelled: bool,
}

impl From<Outcome> for Exit {
    /// Whoever asked to stop when all was done already is told that all is well.
    fn from(outcome: Outcome) -> Exit {
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
