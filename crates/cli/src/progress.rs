//! Progress, for a person who watches or for a log.

mod bars;
mod lines;
mod tally;

use crate::{Screen, Verbosity};
use bars::Bars;
use handoff_model::{Observer, RunEvent};
use handoff_pipeline::TableStatus;
use lines::LineObserver;
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

/// Returns true if the status of a finished table says that somebody stopped the table.
fn was_stopped(status: &str) -> bool {
    status == TableStatus::Cancelled.label()
}

/// Logs what a person should know of, in every kind of progress.
fn say(event: &RunEvent) {
    match event {
        // Whoever stopped the run knows; the report counts them.
        RunEvent::TableFinished { status, .. } if was_stopped(status) => {}
        RunEvent::TableFinished { table, status, error: Some(error) } => {
            log::error!("`{table}` {status}: {error}");
        }
        RunEvent::Retrying { table, reason, delay } => {
            log::warn!("`{table}`: {reason}; trying again in {} s", delay.as_secs().max(1));
        }
        RunEvent::Notice { table: Some(table), text } => log::info!("`{table}`: {text}"),
        RunEvent::Notice { table: None, text } => log::info!("{text}"),
        _ => {}
    }
}
