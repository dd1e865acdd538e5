//! Progress, told a few times a second.

use crate::{Event, Observer, Phase, TableName};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two events of one table.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts what was sent of one table, and tells the observer. Shared by its workers.
pub struct Meter<'a> {
    observer: &'a dyn Observer,
    phase: Phase,
    table: &'a TableName,
    sent: Mutex<Sent>,
}

struct Sent {
    rows: u64,
    bytes: u64,
    told: Instant,
}

impl<'a> Meter<'a> {
    /// Begins to count.
    pub fn new(observer: &'a dyn Observer, phase: Phase, table: &'a TableName) -> Meter<'a> {
        let sent = Mutex::new(Sent { rows: 0, bytes: 0, told: Instant::now() });
        Meter { observer, phase, table, sent }
    }

    /// Adds rows that were handed to the server. Call it once a write, not once a row.
    pub fn add(&self, rows: u64, bytes: u64) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let (rows, bytes) = (sent.rows + rows, sent.bytes + bytes);
        self.tell(sent, rows, bytes);
    }

    /// Says how many rows were handed to the server in all.
    pub fn reach(&self, rows: u64, bytes: u64) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(sent, rows, bytes);
    }

    fn tell(&self, mut sent: MutexGuard<'_, Sent>, rows: u64, bytes: u64) {
        (sent.rows, sent.bytes) = (rows, bytes);
        if sent.told.elapsed() < PAUSE {
            return;
        }
        sent.told = Instant::now();
        let event = Event::Progress { table: self.table.clone(), phase: self.phase, rows, bytes };
        drop(sent);
        self.observer.event(&event);
    }

    /// Returns the number of rows handed to the server so far.
    pub fn rows(&self) -> u64 {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).rows
    }
}
