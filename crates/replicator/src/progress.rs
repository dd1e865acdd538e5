//! Telling the observer, a few times a second.

use handoff_model::{Event, Observer, Phase, TableName};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(250);

/// What one table's copy tells.
pub(crate) struct Progress<'a> {
    observer: &'a dyn Observer,
    table: &'a TableName,
    last: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, table: &'a TableName) -> Progress<'a> {
        Progress { observer, table, last: Instant::now() }
    }

    /// Tells how far the copy is, unless it was told just before.
    pub(crate) fn tell(&mut self, rows: u64, bytes: u64) {
        if self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        let (table, phase) = (self.table.clone(), Phase::Copy);
        self.observer.event(&Event::Progress { table, phase, rows, bytes });
    }
}
