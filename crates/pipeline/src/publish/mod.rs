//! One publication a table.
//!
//! Everything that a run does to a table in a database becomes visible at once, together with its
//! record: the window, the rows that are gone, those that no window found. What would refuse it is
//! asked before: how many rows would be deleted, whether the numbers of rows are the same, whether
//! the rows that were read are those that were sent. A refusal leaves data and record as they were.

mod copy_checks;
mod judged;
mod load_checks;
mod progress;
mod recovery;

pub(crate) use copy_checks::{CopyChecks, likely_rows};
pub(crate) use judged::{Judged, Relay};
pub(crate) use load_checks::{Counting, LoadChecks, ReadRows};
pub(crate) use progress::Progress;
pub(crate) use recovery::{Recovery, after_error};
