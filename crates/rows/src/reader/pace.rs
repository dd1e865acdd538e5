//! The size of the next range.

use handoff_schema::TableSchema;
use std::time::{Duration, Instant};

/// The time that a range should take: well under the 200 ms that a writer may be kept waiting, since the
/// next one may meet a busier server.
const TARGET: Duration = Duration::from_millis(80);
/// The time after which a range is given up, to go on after its last row.
const LIMIT: Duration = Duration::from_millis(250);

/// The most bytes gathered before they are written.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// The bounds of the first range, when nothing is known but the catalogue.
const FIRST_ROWS: u64 = 10_000;
const FIRST_BYTES: usize = 1 << 20;

/// No range grows by more, since its rows may differ from those before.
const GROWTH: u64 = 4;

/// The number of rows between two looks at the clock.
const CLOCK_EVERY: u64 = 64;

/// Sizes the ranges of one read: the first by the catalogue, the others by measurement.
#[derive(Debug)]
pub(super) struct RangePace {
    rows: u64,
    /// The bytes that a range should bring: below the most, since the next one may have longer rows.
    bytes: u64,
}

/// One range that is being read.
#[derive(Debug)]
pub(super) struct RangeLap {
    began: Instant,
    rows: u64,
    most: usize,
}

impl RangePace {
    /// Begins to read a table, of which `most` bytes may be gathered.
    pub(super) fn new(table: &TableSchema, most: usize) -> RangePace {
        let row = (table.data_bytes / table.rows.max(1)).max(1);
        let first = FIRST_BYTES.min(most / 2) as u64;
        RangePace { rows: (first / row).clamp(1, FIRST_ROWS), bytes: most as u64 / 8 * 5 }
    }

    /// Returns the number of rows that the next range may have.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Learns from a range: `rows` passed under the lock, and `bytes` were gathered.
    pub(super) fn learn(&mut self, rows: u64, elapsed: Duration, bytes: usize) {
        if rows == 0 {
            return;
        }
        let by_time = scale(rows, TARGET.as_micros(), elapsed.as_micros());
        let by_bytes = scale(rows, self.bytes.into(), bytes as u128);
        let most = rows.max(self.rows).saturating_mul(GROWTH);
        self.rows = by_time.min(by_bytes).clamp(1, most);
    }
}

/// Returns `rows * target / measured`.
fn scale(rows: u64, target: u128, measured: u128) -> u64 {
    u64::try_from(u128::from(rows) * target / measured.max(1)).unwrap_or(u64::MAX)
}

impl RangeLap {
    pub(super) fn begin(most: usize) -> RangeLap {
        RangeLap { began: Instant::now(), rows: 0, most }
    }

    /// Counts a row; returns true if the range has become too long or too large.
    pub(super) fn is_over(&mut self, buffered: usize) -> bool {
        self.rows += 1;
        buffered >= self.most
            || (self.rows.is_multiple_of(CLOCK_EVERY) && self.began.elapsed() > LIMIT)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_what_was_measured() {
        let table = TableSchema { rows: 1_000, ..TableSchema::empty("t") };
        let mut pace = RangePace { rows: 1_000, ..RangePace::new(&table, MOST_BYTES) };
        pace.learn(1_000, Duration::from_millis(1), 1);
        assert_eq!(pace.rows(), 4_000);
        pace.learn(4_000, Duration::from_millis(160), 1);
        assert_eq!(pace.rows(), 2_000);
        pace.learn(2_000, Duration::from_millis(80), 50 << 20);
        assert_eq!(pace.rows(), 200);
        pace.learn(3, Duration::from_millis(80), 64 << 20);
        assert_eq!(pace.rows(), 1);
    }

    #[test]
    fn ranges_are_as_short_as_there_is_room() {
        let table =
            TableSchema { rows: 100_000, data_bytes: 10_000_000, ..TableSchema::empty("t") };
        let mut pace = RangePace::new(&table, 100_000);
        assert_eq!(pace.rows(), 500);
        pace.learn(500, Duration::from_millis(1), 50_000);
        assert_eq!(pace.rows(), 625);
        let mut lap = RangeLap::begin(100_000);
        assert_eq!([99_999, 100_000].map(|bytes| lap.is_over(bytes)), [false, true]);
    }
}
