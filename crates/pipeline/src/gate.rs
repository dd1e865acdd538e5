//! The gate that every table of a run passes before it starts.

use crate::until::Deadline;
use handoff_model::CancelToken;
use handoff_settings::TimeOfDay;
use jiff::Zoned;
use std::sync::{Arc, OnceLock};

/// The clock of the place, with its time zone.
pub(crate) type Clock = Arc<dyn Fn() -> Zoned + Send + Sync>;

/// Lets tables start until the run is asked to stop, its time is over, or it has ended itself.
pub(crate) struct Gate {
    cancel: CancelToken,
    clock: Clock,
    deadline: Option<Deadline>,
    ended: OnceLock<String>,
}

impl Gate {
    /// Opens the gate of a run that starts now.
    pub(crate) fn open(cancel: CancelToken, clock: Clock, until: Option<TimeOfDay>) -> Gate {
        let deadline = until.map(|time| Deadline::nearest(time, &clock()));
        Gate { cancel, clock, deadline, ended: OnceLock::new() }
    }

    /// Closes it for a reason that is true of every table, such as a server that is gone. The first reason stays.
    pub(crate) fn close(&self, reason: String) {
        let _ = self.ended.set(reason);
    }

    /// Returns why no further table is started, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        if self.cancel.is_cancelled() {
            return Some(self.cancel.reason().unwrap_or("the run was stopped").to_owned());
        }
        if let Some(reason) = self.ended.get() {
            return Some(reason.clone());
        }
        self.deadline.as_ref()?.refusal(&(self.clock)())
    }
}
