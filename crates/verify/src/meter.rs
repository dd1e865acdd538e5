//! Progress, told a few times a second.

use handoff_model::{Observer, RunEvent, TableName, TablePhase};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two events of one table.
const PAUSE: Duration = Duration::from_millis(250);

/// The number of rows that a side reads between two looks at the clock.
const STEP: u64 = 1024;

/// Counts the rows that were read on all sides, and tells the observer.
pub(crate) struct ComparisonMeter<'a> {
    observer: &'a dyn Observer,
    table: &'a TableName,
    rows: AtomicU64,
    told: Mutex<Instant>,
}

/// The part of one side, which is added up now and then.
pub(crate) struct MeterPart<'a> {
    meter: &'a ComparisonMeter<'a>,
    rows: u64,
}

impl<'a> ComparisonMeter<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, table: &'a TableName) -> ComparisonMeter<'a> {
        ComparisonMeter {
            observer,
            table,
            rows: AtomicU64::new(0),
            told: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn part(&'a self) -> MeterPart<'a> {
        MeterPart { meter: self, rows: 0 }
    }

    fn add(&self, rows: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() < PAUSE {
            return;
        }
        *told = Instant::now();
        drop(told);
        let (table, phase) = (self.table.clone(), TablePhase::Verify);
        self.observer.event(&RunEvent::Progress { table, phase, rows, bytes: 0 });
    }
}

impl MeterPart<'_> {
    /// Counts one row.
    pub(crate) fn row(&mut self) {
        self.rows(1);
    }

    /// Counts rows.
    pub(crate) fn rows(&mut self, rows: u64) {
        self.rows += rows;
        if self.rows >= STEP {
            self.meter.add(std::mem::take(&mut self.rows));
        }
    }
}

impl Drop for MeterPart<'_> {
    fn drop(&mut self) {
        self.meter.add(self.rows);
    }
}
