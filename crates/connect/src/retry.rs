//! Trying again what may pass by itself.

use crate::fault::Fault;
use handoff_model::CancelToken;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// An error that knows whether trying again has a chance.
pub trait TransientError {
    /// Returns true if the same step may succeed when tried again unchanged.
    fn is_transient(&self) -> bool;
}

impl TransientError for Fault {
    fn is_transient(&self) -> bool {
        Fault::is_transient(self)
    }
}

/// The number of attempts, and the waits between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included.
    pub attempts: u32,
    /// The wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts over about half a minute: a server's restart, or a VPN that reconnects.
    fn default() -> RetryPolicy {
        RetryPolicy {
            attempts: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(15),
        }
    }
}

impl RetryPolicy {
    /// Returns the longest wait after the attempt with this number, counted from one.
    fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(factor).min(self.longest_wait)
    }
}

/// A step that is tried again: the reason and the wait.
#[derive(Debug)]
pub struct RetryNotice<'a, E> {
    /// The number of the attempt that failed, counted from one.
    pub attempt: u32,
    /// The wait before the next.
    pub wait: Duration,
    /// The error.
    pub error: &'a E,
}

/// Runs `op` until it succeeds, fails for good, or has failed `policy.attempts` times.
///
/// Waits are between half and all of a doubling ceiling, so that workers that failed together do
/// not come back together. `on_retry` is told before each wait. A request to stop ends the wait,
/// and the last error is returned: ask `cancel` to tell the two apart.
///
/// # Errors
///
/// Returns the last error of `op`.
pub fn retry<T, E: TransientError>(
    policy: &RetryPolicy,
    cancel: &CancelToken,
    mut on_retry: impl FnMut(RetryNotice<'_, E>),
    mut op: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut attempt = 1;
    loop {
        let error = match op() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if attempt >= policy.attempts || !error.is_transient() || cancel.is_cancelled() {
            return Err(error);
        }
        let wait = jittered(policy.ceiling(attempt));
        on_retry(RetryNotice { attempt, wait, error: &error });
        if cancel.sleep(wait).is_err() {
            return Err(error);
        }
        attempt += 1;
    }
}

/// Returns a random time between half of `ceiling` and all of it.
fn jittered(ceiling: Duration) -> Duration {
    // The standard library's only source of randomness; a crate for one number is too much.
    let random = RandomState::new().hash_one(0_u8) >> 32;
    let share = 0.5 + 0.5 * (random as f64 / f64::from(u32::MAX));
    ceiling.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Side;
    use std::time::Instant;

    const QUICK: RetryPolicy = RetryPolicy {
        attempts: 4,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(3),
    };

    fn passing() -> Fault {
        Fault::transient(Side::Replica, "busy")
    }

    #[test]
    fn a_transient_fault_is_tried_again_until_it_passes() {
        let (mut calls, mut told) = (0, Vec::new());
        let done = retry(
            &QUICK,
            &CancelToken::new(),
            |retry| told.push(retry.attempt),
            || {
                calls += 1;
                if calls < 3 { Err(passing()) } else { Ok(calls) }
            },
        );
        assert_eq!(done.unwrap(), 3);
        assert_eq!(told, [1, 2]);
    }

    #[test]
    fn attempts_are_bounded_and_lasting_faults_are_not_repeated() {
        #[track_caller]
        fn check(fault: &Fault, expected: u32) {
            let mut calls = 0;
            let done: Result<(), Fault> = retry(
                &QUICK,
                &CancelToken::new(),
                |_| {},
                || {
                    calls += 1;
                    Err(fault.clone())
                },
            );
            assert!(done.is_err());
            assert_eq!(calls, expected);
        }
        check(&passing(), 4);
        check(&Fault::new(Side::Replica, "no"), 1);
    }

    #[test]
    fn a_request_to_stop_ends_the_wait() {
        let slow = RetryPolicy { first_wait: Duration::from_secs(60), ..RetryPolicy::default() };
        let slow = RetryPolicy { longest_wait: Duration::from_secs(60), ..slow };
        let cancel = CancelToken::new();
        let other = cancel.clone();
        let start = Instant::now();
        let done: Result<(), Fault> = retry(
            &slow,
            &cancel,
            move |_| {
                let other = other.clone();
                std::thread::spawn(move || other.cancel());
            },
            || Err(passing()),
        );
        assert!(done.is_err());
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let waits: Vec<u64> = (1..=6).map(|n| policy.ceiling(n).as_millis() as u64).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 15000]);
        assert_eq!(policy.ceiling(90), policy.longest_wait);
        for _ in 0..100 {
            let wait = jittered(Duration::from_millis(100));
            assert!((50..=100).contains(&wait.as_millis()), "{wait:?}");
        }
    }
}
