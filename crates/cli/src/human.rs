//! Numbers and times as people read them.

pub(crate) use handoff_model::human::{bytes, counted, grouped as count};
use std::time::Duration;

/// Returns a time: `40 ms`, `1.2 s`, `48 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.as_millis());
    match seconds {
        0 => format!("{millis} ms"),
        1..10 => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Returns an age, in the unit that says enough: `45 s`, `90 min`, `30 h`, `3 days`.
pub(crate) fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", count(seconds / 86_400)),
    }
}

/// Returns how many there are in a second.
pub(crate) fn per_second(number: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    number.saturating_mul(1000) / millis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!(
            [40, 1_250, 48_000, 200_000, 7_500_000].map(|ms| duration(Duration::from_millis(ms))),
            ["40 ms", "1.2 s", "48 s", "3 min 20 s", "2 h 5 min"]
        );
        assert_eq!(
            [45, 5_400, 108_000, 259_200].map(|seconds| age(Duration::from_secs(seconds))),
            ["45 s", "90 min", "30 h", "3 days"]
        );
        assert_eq!(per_second(3_500_000, Duration::from_millis(6_100)), 573_770);
    }

    #[test]
    fn units_change_where_the_smaller_one_says_too_much() {
        assert_eq!(duration(Duration::from_millis(999)), "999 ms");
        assert_eq!(duration(Duration::from_millis(9_999)), "9.9 s");
        assert_eq!(duration(Duration::from_secs(119)), "119 s");
        assert_eq!(duration(Duration::from_secs(7_199)), "119 min 59 s");
        assert_eq!(age(Duration::from_secs(172_799)), "47 h");
        assert_eq!(age(Duration::from_secs(172_800)), "2 days");
    }

    #[test]
    fn a_rate_over_no_time_is_that_of_a_millisecond() {
        assert_eq!(per_second(5, Duration::ZERO), 5_000);
    }
}
