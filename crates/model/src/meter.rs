//! Progress, told a few times a second.

use crate::name::TableName;
use crate::observer::{Observer, RunEvent, TablePhase};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two events of one table.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts what was sent of one table, and tells the observer. Shared by its workers.
pub struct ProgressMeter<'a> {
    observer: &'a dyn Observer,
    phase: TablePhase,
    table: &'a TableName,
    sent: Mutex<SentProgress>,
}

struct SentProgress {
    rows: u64,
    bytes: u64,
    told: Instant,
}

impl<'a> ProgressMeter<'a> {
    /// Begins to count.
    pub fn new(
        observer: &'a dyn Observer,
        phase: TablePhase,
        table: &'a TableName,
    ) -> ProgressMeter<'a> {
        let sent = Mutex::new(SentProgress { rows: 0, bytes: 0, told: Instant::now() });
        ProgressMeter { observer, phase, table, sent }
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

    fn tell(&self, mut sent: MutexGuard<'_, SentProgress>, rows: u64, bytes: u64) {
        (sent.rows, sent.bytes) = (rows, bytes);
        if sent.told.elapsed() < PAUSE {
            return;
        }
        sent.told = Instant::now();
        let event =
            RunEvent::Progress { table: self.table.clone(), phase: self.phase, rows, bytes };
        drop(sent);
        self.observer.event(&event);
    }

    /// Returns the number of rows handed to the server so far.
    pub fn rows(&self) -> u64 {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).rows
    }
}
