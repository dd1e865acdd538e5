//! How an attempt stands.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the last attempt at a phase of a table stands, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has begun. If no run holds the lock, the run that began it was interrupted.
    Running,
    /// It arrived.
    Success,
    /// It failed, and nothing was changed.
    Failed,
    /// Somebody stopped it, and nothing was changed.
    Cancelled,
    /// Its run died, and a later one undid it.
    Interrupted,
    /// Its turn never came. Only in `etl_runs`: the tables of state keep what came before.
    NotStarted,
}

impl Status {
    const ALL: [Status; 6] = [
        Status::Running,
        Status::Success,
        Status::Failed,
        Status::Cancelled,
        Status::Interrupted,
        Status::NotStarted,
    ];

    /// Returns the name used in the tracking tables.
    pub fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Success => "success",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
            Status::Interrupted => "interrupted",
            Status::NotStarted => "not_started",
        }
    }

    /// Finds a status by its [`name`](Self::name).
    pub fn by_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
