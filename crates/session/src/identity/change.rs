//! A change of source or replica that a run does not go on with by itself, in words.

use super::verdict::IdentityChange;
use handoff_connect::DatabaseIdentity;
use handoff_model::TableName;
use handoff_plan::Hops;
use std::fmt;

/// The most tables that a message names.
const MOST_NAMED: usize = 3;

/// Tables whose data came from elsewhere than a run would bring it from. [`Display`](fmt::Display) says
/// from where to where, and the ways on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The thing that is another one.
    pub change: IdentityChange,
    /// The database that is recorded.
    pub recorded: DatabaseIdentity,
    /// The database that the run has.
    pub now: DatabaseIdentity,
    /// The tables.
    pub tables: Vec<TableName>,
    /// The hops of the run.
    pub hops: Hops,
}

impl SourceChange {
    fn command(&self) -> &'static str {
        match self.hops {
            Hops::Both => "etl run",
            Hops::Copy => "etl replicate",
            Hops::Load => "etl load",
        }
    }

    /// Returns the commands that go on: with everything of the new source, and with what is recorded.
    pub fn remedies(&self) -> [String; 2] {
        ["--new-source", "--same-source"].map(|option| format!("{} {option}", self.command()))
    }

    /// Says what is another one, from what to what.
    pub fn what(&self) -> String {
        let SourceChange { recorded, now, .. } = self;
        let tables = named(&self.tables);
        match (self.change, self.hops) {
            (IdentityChange::Replica, _) => format!(
                "the replica is another one: {tables} were loaded from the replica {recorded}, and \
                 replica.url leads to {now}, where they are of no known source"
            ),
            (IdentityChange::Configuration, _) => format!(
                "another configuration loads into this target: {tables} were loaded from {recorded}, \
                 and this one carries {now}"
            ),
            (_, Hops::Load) => format!(
                "the replica was filled from another source: {tables} were loaded from {recorded}, \
                 and the replica holds rows of {now}"
            ),
            (change, _) => {
                let what = match change {
                    IdentityChange::SourceDatabase => "database",
                    _ => "server",
                };
                format!(
                    "the source is another {what}: {tables} came from {recorded}, and source.url \
                     leads to {now}"
                )
            }
        }
    }
}

impl fmt::Display for SourceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [new, same] = self.remedies();
        write!(
            f,
            "{}; nothing was written. Correct the settings, or give each source a [target] schema and a \
             replica of its own; `{new}` replaces every table in full, and `{same}` goes on where the \
             new one is known to continue the old one, as after a failover",
            self.what()
        )
    }
}

/// Names tables for a sentence: the first few, and how many more there are.
pub(crate) fn named(tables: &[TableName]) -> String {
    let (named, others) = tables.split_at(tables.len().min(MOST_NAMED));
    let named: Vec<String> = named.iter().map(|table| format!("`{table}`")).collect();
    match others.len() {
        0 => named.join(", "),
        1 => format!("{} and 1 other table", named.join(", ")),
        others => format!("{} and {others} other tables", named.join(", ")),
    }
}
