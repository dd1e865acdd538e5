//! One table's way through a run.
//!
//! The plan says which rows are to be moved. [`steps`] makes of it a list of steps, [`TableRun`] makes one
//! after the other, and [`after_error`](recovery::after_error) decides on the way on from one that failed. All
//! that is seen of the table is [`Evidence`], and only that decides the verdict.

mod actions;
mod attempt;
mod compared_tables;
mod delete_limit;
mod difference;
mod evidence;
mod movers;
mod moves;
mod probe;
mod publication;
mod recovery;
mod roles;
mod run;
mod run_scope;
mod steps;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod tools;

pub(crate) use attempt::Attempt;
pub(crate) use compared_tables::{ComparedTables, StructureMismatch};
pub(crate) use delete_limit::{DeleteLimit, DeleteLimits, GuardedCommand};
pub(crate) use difference::TableDifference;
pub(crate) use evidence::ProofRule;
pub(crate) use recovery::full_instead;
pub(crate) use run::TableRun;
pub(crate) use run_scope::{RetryCounts, RunScope};
pub(crate) use steps::{Between, Stages, repair_steps, steps};
pub(crate) use tools::{MOST_LISTED, RunTools};
