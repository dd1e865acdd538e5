//! The time that a move spent, by cause.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The times that a move waited. The times of several workers are added, and may exceed the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitTimes {
    /// The rows of the server they are read from.
    pub source: Duration,
    /// Our own encoding.
    pub encoder: Duration,
    /// The server that is written to: sending, merging, indexes, the commit.
    pub target: Duration,
    /// `max_rows_per_second`.
    pub throttle: Duration,
}

impl WaitTimes {
    /// Returns the sum of all.
    pub fn total(&self) -> Duration {
        self.source + self.encoder + self.target + self.throttle
    }

    /// Gives the server that is written to what is left of `whole`: opening, ending and publishing
    /// are its work.
    #[must_use]
    pub fn of_whole(mut self, whole: Duration) -> WaitTimes {
        self.target += whole.saturating_sub(self.total());
        self
    }
}

impl std::ops::AddAssign for WaitTimes {
    fn add_assign(&mut self, more: WaitTimes) {
        self.source += more.source;
        self.encoder += more.encoder;
        self.target += more.target;
        self.throttle += more.throttle;
    }
}

/// Gathers the waits of the workers of one move.
#[derive(Debug, Default)]
pub struct WaitClock(Mutex<WaitTimes>);

impl WaitClock {
    /// Adds what one worker waited for.
    pub fn add(&self, waits: WaitTimes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += waits;
    }

    /// Returns what was waited for so far.
    pub fn waits(&self) -> WaitTimes {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures of a move of rows, or of several of one table together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MoveFigures {
    /// Rows that were read and sent.
    pub rows: u64,
    /// Rows that were not there before.
    pub inserted: u64,
    /// Rows that were there with other values.
    pub updated: u64,
    /// Rows that were there and are gone.
    pub deleted: u64,
    /// Bytes that were sent.
    pub bytes: u64,
    /// The time from the start to the end.
    pub duration: Duration,
    /// The parts of that time.
    pub waits: WaitTimes,
}

impl MoveFigures {
    /// Returns the duration in whole milliseconds.
    pub fn millis(&self) -> u64 {
        millis(self.duration)
    }

    /// Returns the speed, and the time spent waiting and encoding.
    pub fn performance(&self) -> MovePerformance {
        MovePerformance::new(self.rows, self.bytes, self.duration, &self.waits)
    }
}

impl std::ops::AddAssign for MoveFigures {
    fn add_assign(&mut self, more: MoveFigures) {
        self.rows += more.rows;
        self.inserted += more.inserted;
        self.updated += more.updated;
        self.deleted += more.deleted;
        self.bytes += more.bytes;
        self.duration += more.duration;
        self.waits += more.waits;
    }
}

/// The speed of a move and its waits, in the units of reports. Later versions add fields and never
/// rename one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MovePerformance {
    /// Rows moved in a second.
    pub rows_per_second: u64,
    /// Megabytes (1,000,000 bytes) moved in a second.
    pub mb_per_second: f64,
    /// Milliseconds that were spent waiting for rows.
    pub source_ms: u64,
    /// Milliseconds that were spent encoding them.
    pub encoder_ms: u64,
    /// Milliseconds that were spent waiting for the server that is written to.
    pub target_ms: u64,
    /// Milliseconds that `max_rows_per_second` cost.
    pub throttle_ms: u64,
}

impl MovePerformance {
    /// Tells how `rows` and `bytes` were moved in `took`.
    pub fn new(rows: u64, bytes: u64, took: Duration, waits: &WaitTimes) -> MovePerformance {
        let micros = u128::from(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
        MovePerformance {
            rows_per_second: per_second(rows, micros),
            // Two digits behind the point; far below the 53 bits of an f64.
            mb_per_second: (per_second(bytes, micros) / 10_000) as f64 / 100.0,
            source_ms: millis(waits.source),
            encoder_ms: millis(waits.encoder),
            target_ms: millis(waits.target),
            throttle_ms: millis(waits.throttle),
        }
    }

    /// Joins this with a later step of the same table: together they moved `rows` and `bytes` in `took`.
    #[must_use]
    pub fn and(
        &self,
        later: &MovePerformance,
        rows: u64,
        bytes: u64,
        took: Duration,
    ) -> MovePerformance {
        let both = |of: fn(&MovePerformance) -> u64| Duration::from_millis(of(self) + of(later));
        let waits = WaitTimes {
            source: both(|one| one.source_ms),
            encoder: both(|one| one.encoder_ms),
            target: both(|one| one.target_ms),
            throttle: both(|one| one.throttle_ms),
        };
        MovePerformance::new(rows, bytes, took, &waits)
    }

    /// Returns what took the most of the time, and how many milliseconds that was.
    pub fn longest_wait(&self) -> (&'static str, u64) {
        let waits = [
            ("target", self.target_ms),
            ("source", self.source_ms),
            ("encoder", self.encoder_ms),
            ("throttle", self.throttle_ms),
        ];
        waits.into_iter().rev().max_by_key(|(_, millis)| *millis).expect("there are four")
    }
}

fn per_second(number: u64, micros: u128) -> u64 {
    u64::try_from(u128::from(number) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// Returns the whole milliseconds of a time.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_the_whole_is_the_targets() {
        let clock = WaitClock::default();
        let of = |source, encoder| WaitTimes {
            source: Duration::from_millis(source),
            encoder: Duration::from_millis(encoder),
            ..WaitTimes::default()
        };
        clock.add(of(500, 200));
        clock.add(of(100, 0));
        let whole = Duration::from_secs(2);
        let waits = clock.waits().of_whole(whole);
        let performance = MovePerformance::new(3_000, 1_234_567, whole, &waits);
        assert_eq!((performance.rows_per_second, performance.mb_per_second), (1_500, 0.61));
        assert_eq!((performance.source_ms, performance.encoder_ms), (600, 200));
        assert_eq!(performance.longest_wait(), ("target", 1_200));
        assert_eq!(waits.of_whole(Duration::ZERO), waits);
    }

    #[test]
    fn two_steps_of_a_table_are_one_performance() {
        let waits = |source, target| WaitTimes {
            source: Duration::from_millis(source),
            target: Duration::from_millis(target),
            ..WaitTimes::default()
        };
        let second = Duration::from_secs(1);
        let first = MovePerformance::new(100, 1_000, second, &waits(300, 100));
        let later = MovePerformance::new(300, 3_000, second, &waits(50, 900));
        let both = first.and(&later, 400, 4_000, second * 2);
        assert_eq!(both.rows_per_second, 200);
        assert_eq!((both.source_ms, both.target_ms), (350, 1_000));
    }

    #[test]
    fn a_move_that_took_no_time_has_a_speed_all_the_same() {
        let waits = WaitTimes::default();
        let performance = MovePerformance::new(u64::MAX, 1, Duration::ZERO, &waits);
        assert_eq!(performance.rows_per_second, u64::MAX);
        assert_eq!(performance.longest_wait(), ("target", 0));
    }
}
