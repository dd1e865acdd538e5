//! Work that ends: by itself, at somebody's request, or when its time is over.

use crate::builder::Pipeline;
use crate::error::{Error, Result};
use handoff_model::{CancelToken, Cancelled};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

impl Pipeline {
    /// Does the work of a command, and stops it when its longest duration is over.
    pub(crate) fn in_time<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _limit = self.time_limit()?;
        self.until_stopped(work)
    }

    /// Stops what this pipeline does when its longest duration is over, unless the result is dropped before.
    pub(crate) fn time_limit(&self) -> Result<TimeLimit> {
        TimeLimit::start(&self.cancel, self.settings.run.max_duration)
    }

    /// Does `work`, and returns the request to stop in place of an error that followed from it.
    pub(crate) fn until_stopped<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        work().map_err(|error| match (self.cancel.is_cancelled(), self.cancel.reason()) {
            (false, _) => error,
            (true, None) => Error::Cancelled(Cancelled),
            (true, Some(reason)) => Error::OverTime(reason.to_owned()),
        })
    }

    /// Returns true if somebody outside asked to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.cancel.is_cancelled() && self.cancel.reason().is_none()
    }
}

/// Stops a command that takes too long, unless this is dropped before.
pub(crate) struct TimeLimit {
    _ended: Sender<()>,
}

impl TimeLimit {
    fn start(cancel: &CancelToken, most: Duration) -> Result<TimeLimit> {
        let (ended, wait) = mpsc::channel::<()>();
        let cancel = cancel.clone();
        let watch = move || {
            if wait.recv_timeout(most) == Err(RecvTimeoutError::Timeout) {
                cancel.cancel_because(over_time(most));
            }
        };
        let named = thread::Builder::new().name("time-limit".to_owned());
        named.spawn(watch).map_err(Error::Thread)?;
        Ok(TimeLimit { _ended: ended })
    }
}

/// Says that a command took longer than `max_duration`.
pub fn over_time(most: Duration) -> String {
    let seconds = most.as_secs();
    let length = match (seconds % 3600, seconds % 60) {
        (0, _) => format!("{} h", seconds / 3600),
        (_, 0) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    };
    format!("the command took longer than {length} (max_duration in [run])")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_takes_too_long_is_stopped_with_its_own_reason() {
        let cancel = CancelToken::new();
        let limit = TimeLimit::start(&cancel, Duration::from_millis(5)).unwrap();
        while !cancel.is_cancelled() {
            thread::yield_now();
        }
        drop(limit);
        assert!(cancel.reason().unwrap().contains("max_duration"));
        let other = CancelToken::new();
        drop(TimeLimit::start(&other, Duration::from_secs(60)).unwrap());
        assert!(!other.is_cancelled());
    }

    #[test]
    fn lengths_are_written_as_short_as_they_can_be() {
        for (seconds, shown) in [(86_400, "24 h"), (5400, "90 min"), (90, "90 s"), (5, "5 s")] {
            assert!(over_time(Duration::from_secs(seconds)).contains(&format!(" {shown} (")));
        }
    }
}
