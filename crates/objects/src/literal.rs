//! Constants that mean the same in both dialects.

use jiff::civil::{Date, Time};

/// Returns true for a day that there is, as `2000-01-31`.
pub(crate) fn is_date(text: &str) -> bool {
    has_shape(text, "0000-00-00") && text.parse::<Date>().is_ok_and(|date| date.year() > 0)
}

/// Returns true for a day that there is with a time of it, as `2000-01-31 10:00:00.5`.
pub(crate) fn is_datetime(text: &str) -> bool {
    let Some((date, time)) = text.split_once(' ') else { return is_date(text) };
    let (clock, _) = fraction(time);
    is_date(date)
        && has_fraction(time)
        && has_shape(clock, "00:00:00")
        && clock.parse::<Time>().is_ok()
}

/// Returns true for a length of time, as `-838:59:59`.
pub(crate) fn is_time(text: &str) -> bool {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (clock, _) = fraction(bare);
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return false };
    let are_small = [minutes, seconds].iter().all(|part| has_shape(part, "00") && **part < "60");
    matches!(hours.len(), 2 | 3) && are_digits(hours) && are_small && has_fraction(bare)
}

/// Returns true for a number without an exponent, as `-1.50`.
pub(crate) fn is_decimal(text: &str) -> bool {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = fraction(bare);
    are_digits(whole) && fraction.is_none_or(are_digits)
}

fn are_digits(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true for a number in floating point, as `1e-10`.
pub(crate) fn is_float(text: &str) -> bool {
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_plain = text.bytes().all(|byte| b"0123456789.eE+-".contains(&byte));
    has_digits && is_plain && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn fraction(text: &str) -> (&str, Option<&str>) {
    text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)))
}

/// Returns true if a time has no fraction, or one of at most six digits.
fn has_fraction(text: &str) -> bool {
    fraction(text).1.is_none_or(|part| part.len() <= 6 && are_digits(part))
}

/// Returns true if digits stand where the shape has them, and other characters are the same.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(one, other)| match other {
            b'0' => one.is_ascii_digit(),
            other => one == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_good: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is_good(text), "{text}");
        }
        for text in bad {
            assert!(!is_good(text), "{text}");
        }
    }

    #[test]
    fn only_what_both_dialects_read_alike_is_taken() {
        let no_days =
            ["0000-00-00", "2000-00-00", "2000-02-30", "0000-01-01", "2000-1-1", "", "now"];
        check(is_date, &["2000-02-29", "0001-01-01"], &no_days);
        let no_times = ["2000-01-01 24:00:00", "2000-01-01 00:00", "2000-01-01 00:00:00.1234567"];
        check(is_datetime, &["2000-01-01 23:59:59.5", "2000-01-01"], &no_times);
        check(
            is_datetime,
            &[],
            &["0000-00-00 00:00:00", "2000-01-01T00:00:00", "2000-01-01 00:00:00."],
        );
        check(
            is_time,
            &["-838:59:59", "00:00:00.000001"],
            &["1:00:00", "00:60:00", "00:00", "--00:00:00"],
        );
        check(is_decimal, &["0", "-1.50", "007"], &["", "-", "1e5", ".5", "1.", "+1", "NaN"]);
        check(is_float, &["1e-10", "0.5", "-3"], &["inf", "nan", "1e999", "e", ""]);
    }
}
