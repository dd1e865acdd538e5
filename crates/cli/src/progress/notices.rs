//! The events that a person should know of, in every kind of progress.

use handoff_model::RunEvent;
use handoff_pipeline::TableStatus;

/// Returns true if the status of a finished table says that somebody stopped the table.
pub(super) fn was_stopped(status: &str) -> bool {
    status == TableStatus::Cancelled.label()
}

/// Logs what a person should know of, in every kind of progress.
pub(super) fn say(event: &RunEvent) {
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
