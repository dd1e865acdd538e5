//! Numbers as people read them.

use std::time::Duration;

/// Groups digits: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns `1 table`, `2 tables`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Returns a size: `812 B`, `4.1 MB`, `590 MB`, in powers of 1000.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut scale, mut unit) = (1, 0);
    while number / scale >= 1000 && unit + 1 < UNITS.len() {
        scale *= 1000;
        unit += 1;
    }
    match number / scale {
        whole if unit == 0 => format!("{whole} B"),
        whole if whole < 100 => format!("{whole}.{} {}", number % scale * 10 / scale, UNITS[unit]),
        whole => format!("{} {}", count(whole), UNITS[unit]),
    }
}

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
    fn numbers_are_read_at_a_glance() {
        assert_eq!([0, 999, 1000, 20_500_000].map(count), ["0", "999", "1,000", "20,500,000"]);
        assert_eq!([1, 2].map(|n| counted(n, "table")), ["1 table", "2 tables"]);
        assert_eq!(
            [0, 999, 1000, 4_096_000, 99_900_000, 590_000_000, 4_000_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "4.0 MB", "99.9 MB", "590 MB", "4.0 GB"]
        );
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
}
