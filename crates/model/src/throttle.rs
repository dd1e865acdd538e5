//! A bound on the rows that a run reads in a second.

use crate::cancel::{CancelToken, Cancelled};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most unused time that later rows may use up: enough to make up for the pauses between two
/// batches, too little for a burst that a server would feel.
const CREDIT: Duration = Duration::from_millis(250);

/// A bound on the rows that all threads of a run read from the source in a second. Cheap to clone.
///
/// A reader says what it has read, and waits until that many rows may have been read.
#[derive(Debug, Clone)]
pub struct RowThrottle(Arc<ThrottleState>);

#[derive(Debug)]
struct ThrottleState {
    rows_per_second: NonZeroU32,
    /// The moment at which the rows read so far are paid for.
    paid: Mutex<Instant>,
}

impl RowThrottle {
    /// Allows this many rows a second, from now on.
    pub fn new(rows_per_second: NonZeroU32) -> RowThrottle {
        RowThrottle(Arc::new(ThrottleState { rows_per_second, paid: Mutex::new(Instant::now()) }))
    }

    /// Returns how many rows a reader should read between two waits: a twentieth of a second's, so
    /// that no wait is felt as a stop, and at least one.
    pub fn step(&self) -> u64 {
        u64::from(self.0.rows_per_second.get() / 20).clamp(1, 1_000)
    }

    /// Counts `rows` that were read, and waits for them. Returns how long that was.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] as soon as the run was asked to stop.
    pub fn take(&self, rows: u64, cancel: &CancelToken) -> Result<Duration, Cancelled> {
        let wait = self.pay(rows, Instant::now());
        if wait.is_zero() {
            return cancel.check().map(|()| wait);
        }
        cancel.sleep(wait).map(|()| wait)
    }

    fn pay(&self, rows: u64, now: Instant) -> Duration {
        let mut paid = self.0.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let price = Duration::from_secs(rows) / self.0.rows_per_second.get();
        *paid = (*paid).max(earliest) + price;
        paid.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(rows: u32) -> RowThrottle {
        RowThrottle::new(NonZeroU32::new(rows).unwrap())
    }

    #[test]
    fn all_readers_share_one_rate_and_idle_time_is_not_hoarded() {
        let throttle = throttle(1_000);
        let start = Instant::now() + Duration::from_secs(60);
        let at = |millis| start + Duration::from_millis(millis);
        // A minute went by, of which a quarter of a second counts.
        assert_eq!(throttle.pay(1_000, at(0)), Duration::from_millis(750));
        assert_eq!(throttle.pay(500, at(0)), Duration::from_millis(1_250));
        assert_eq!(throttle.pay(0, at(2_000)), Duration::ZERO);
        assert_eq!(throttle.pay(250, at(2_000)), Duration::ZERO);
        assert_eq!(throttle.pay(1, at(2_000)), Duration::from_millis(1));
    }

    #[test]
    fn a_request_to_stop_ends_the_wait() {
        let (throttle, cancel) = (throttle(1), CancelToken::new());
        let other = cancel.clone();
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            other.cancel();
        });
        assert_eq!(throttle.take(1_000_000, &cancel), Err(Cancelled));
        stopper.join().unwrap();
    }

    #[test]
    fn steps_are_short() {
        assert_eq!([1, 20, 10_000, u32::MAX].map(|rows| throttle(rows).step()), [1, 1, 500, 1_000]);
    }
}
