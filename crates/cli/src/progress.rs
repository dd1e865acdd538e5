//! Progress, for a person who watches or for a log.

mod bars;
mod lines;
mod notices;
mod tally;

use crate::logging::Verbosity;
use crate::screen::Screen;
use bars::Bars;
use handoff_model::{Observer, RunEvent};
use lines::LineObserver;
use notices::say;
use std::sync::Arc;

/// Returns the observer that suits: bars on a terminal, lines in a log, with `-q` neither.
///
/// `hops` is how many times each row is moved: two with a replica, one without.
pub fn observer(screen: &Screen, verbosity: Verbosity, hops: u8) -> Arc<dyn Observer> {
    match (verbosity, screen.is_terminal()) {
        (Verbosity::Quiet, _) => Arc::new(Quiet),
        (_, true) => Arc::new(Bars::new(screen, hops)),
        (_, false) => Arc::new(LineObserver::new(hops)),
    }
}

/// Says no more than what failed.
struct Quiet;

impl Observer for Quiet {
    fn event(&self, event: &RunEvent) {
        say(event);
    }
}
