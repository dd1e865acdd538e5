//! Arguments, logging, progress, printing and exit codes shared by the binaries.
//!
//! Results go to standard output, everything else to standard error. A table that fails is a line
//! of the report and [`Exit::Incomplete`]; a [`Failure`] is what kept a command from its work.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`command`] | what the commands do |
//! | [`args`] | what stands on the command line |
//! | [`exit`] | the exit codes |
//! | [`failure`] | what ends a command early, and how it is said |
//! | [`logging`] | log lines |
//! | [`progress`] | an observer for a terminal or a log |
//! | [`interrupt`] | Ctrl-C |
//! | [`report`] | reports as people read them |
//! | [`screen`] | standard error, shared by log lines and bars; standard output |

#![warn(unreachable_pub)]

pub mod args;
pub mod command;
mod completion;
pub mod exit;
pub mod failure;
mod human;
pub mod interrupt;
pub mod logging;
pub mod progress;
pub mod report;
pub mod screen;
mod shell;

pub use exit::Exit;
pub use failure::Failure;
pub use logging::Verbosity;
pub use screen::Screen;
