//! Progress in a log: a line every few seconds.

use super::notices::say;
use super::tally::RunTally;
use handoff_model::{Observer, RunEvent};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Far enough apart for a night's log to be read.
const EVERY: Duration = Duration::from_secs(10);

/// Logs the state of the run whenever something happens and the last line is old enough.
pub(super) struct LineObserver(Mutex<(RunTally, Instant)>);

impl LineObserver {
    pub(super) fn new(hops: u8) -> LineObserver {
        LineObserver(Mutex::new((RunTally::new(hops), Instant::now())))
    }

    fn due_line(&self, event: &RunEvent) -> Option<String> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tally, last) = &mut *state;
        tally.note(event);
        let due = last.elapsed() >= EVERY;
        due.then(|| {
            *last = Instant::now();
            tally.line()
        })
    }
}

impl Observer for LineObserver {
    fn event(&self, event: &RunEvent) {
        say(event);
        if let Some(line) = self.due_line(event) {
            log::info!("{line}");
        }
    }
}
