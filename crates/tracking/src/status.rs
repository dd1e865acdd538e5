//! The status of an attempt.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The status or the outcome of the last attempt at a phase of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
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

impl AttemptStatus {
    const ALL: [AttemptStatus; 6] = [
        AttemptStatus::Running,
        AttemptStatus::Success,
        AttemptStatus::Failed,
        AttemptStatus::Cancelled,
        AttemptStatus::Interrupted,
        AttemptStatus::NotStarted,
    ];

    /// Returns the name used in the tracking tables.
    pub fn name(self) -> &'static str {
        match self {
            AttemptStatus::Running => "running",
            AttemptStatus::Success => "success",
            AttemptStatus::Failed => "failed",
            AttemptStatus::Cancelled => "cancelled",
            AttemptStatus::Interrupted => "interrupted",
            AttemptStatus::NotStarted => "not_started",
        }
    }

    /// Finds a status by its [`name`](Self::name).
    pub fn by_name(name: &str) -> Option<AttemptStatus> {
        AttemptStatus::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for AttemptStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_found_by_its_name_and_written_so() {
        for status in AttemptStatus::ALL {
            assert_eq!(AttemptStatus::by_name(status.name()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
        assert_eq!(AttemptStatus::by_name("done"), None);
    }
}
