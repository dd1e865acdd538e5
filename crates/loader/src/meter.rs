//! Progress, told a few times a second.

use handoff_model::{Event, Observer, Phase, TableName};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two events of one table.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts what was sent, and tells the observer. Shared by the workers of one load.
pub struct Meter<'a> {
    observer: &'a dyn Observer,
    table: &'a TableName,
    sent: Mutex<Sent>,
}

struct Sent {
    rows: u64,
    bytes: u64,
    told: Instant,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, table: &'a TableName) -> Meter<'a> {
        let sent = Mutex::new(Sent { rows: 0, bytes: 0, told: Instant::now() });
        Meter { observer, table, sent }
    }

    /// Adds rows that were handed to the server. Call it once a write, not once a row.
    pub fn add(&self, rows: u64, bytes: u64) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.rows += rows;
        sent.bytes += bytes;
        if sent.told.elapsed() < PAUSE {
            return;
        }
        sent.told = Instant::now();
        let event = Event::Progress {
            table: self.table.clone(),
            phase: Phase::Load,
            rows: sent.rows,
            bytes: sent.bytes,
        };
        drop(sent);
        self.observer.event(&event);
    }

    /// Returns the number of rows handed to the server so far.
    pub fn rows(&self) -> u64 {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).rows
    }
}
