//! Dates and times.
//!
//! PostgreSQL counts days and microseconds from 2000-01-01, in the calendar that MySQL has too:
//! Gregorian, also before it was invented.

use super::cell::{CellWriter, put8};
use crate::refusal::ValueRefusal;
use handoff_connect::ValueRef;
use handoff_model::LossPolicy;
use handoff_settings::ZeroDates;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Appends a DATE.
pub(super) fn date(value: ValueRef<'_>, cell: &mut CellWriter<'_>) -> Result<(), ValueRefusal> {
    let ValueRef::Date(year, month, day, ..) = value else {
        return Err(ValueRefusal::unexpected());
    };
    let days = match days(year, month, day) {
        Some(days) => Some(days),
        None => substitute(year, month, day, cell)?,
    };
    match days {
        Some(days) => cell.put4(days.to_be_bytes()),
        None => cell.null(),
    }
    Ok(())
}

/// Appends a DATETIME or TIMESTAMP; the latter is in UTC, as the session is.
pub(super) fn timestamp(
    value: ValueRef<'_>,
    cell: &mut CellWriter<'_>,
) -> Result<(), ValueRefusal> {
    let ValueRef::Date(year, month, day, hour, minute, second, micro) = value else {
        return Err(ValueRefusal::unexpected());
    };
    let micros = match days(year, month, day) {
        Some(days) => {
            let seconds = clock(hour.into(), minute, second);
            i64::from(days) * DAY + seconds * SECOND + i64::from(micro)
        }
        None => match substitute(year, month, day, cell)? {
            Some(days) => i64::from(days) * DAY,
            None => {
                cell.null();
                return Ok(());
            }
        },
    };
    cell.put8(micros.to_be_bytes());
    Ok(())
}

/// Appends a TIME as an interval of microseconds alone, as PostgreSQL reads `838:59:59`.
pub(super) fn interval(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let mut field = [0; 20];
    field[3] = 16;
    field[4..12].copy_from_slice(&micros(value)?.to_be_bytes());
    out.extend_from_slice(&field);
    Ok(())
}

/// Appends a TIME as a time of day.
pub(super) fn time(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let of_day = micros(value)?;
    if !(0..=DAY).contains(&of_day) {
        return Err(ValueRefusal::of_type("a time that is no time of day"));
    }
    put8(out, of_day.to_be_bytes());
    Ok(())
}

fn micros(value: ValueRef<'_>) -> Result<i64, ValueRefusal> {
    let ValueRef::Time(negative, days, hours, minutes, seconds, micros) = value else {
        return Err(ValueRefusal::unexpected());
    };
    let hours = i64::from(days) * 24 + i64::from(hours);
    let micros = clock(hours, minutes, seconds) * SECOND + i64::from(micros);
    Ok(if negative { -micros } else { micros })
}

fn clock(hours: i64, minutes: u8, seconds: u8) -> i64 {
    (hours * 60 + i64::from(minutes)) * 60 + i64::from(seconds)
}

/// Applies `zero_dates` to a date that is not in the calendar: returns the day to write
/// instead, [`None`] for NULL.
fn substitute(
    year: u16,
    month: u8,
    day: u8,
    cell: &mut CellWriter<'_>,
) -> Result<Option<i32>, ValueRefusal> {
    let instead = match cell.policies.zero_dates {
        ZeroDates::Fail => {
            let problem = match (year, month, day) {
                (0, 0, 0) => "a zero date",
                (0, ..) | (_, 0, _) | (_, _, 0) => "a date with a zero in it",
                _ => "a date that is not in the calendar",
            };
            return Err(ValueRefusal::policy(LossPolicy::ZeroDates, problem));
        }
        ZeroDates::Null => None,
        ZeroDates::Date(year, month, day) => {
            u16::try_from(year).ok().and_then(|year| days(year, month, day))
        }
    };
    cell.uses.count(LossPolicy::ZeroDates);
    Ok(instead)
}

/// Returns the days from 2000-01-01; [`None`] if there is no such day.
fn days(year: u16, month: u8, day: u8) -> Option<i32> {
    if !is_day(year, month, day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last.
    let (year, month) = match month {
        1 | 2 => (i32::from(year) - 1, i32::from(month) + 9),
        _ => (i32::from(year), i32::from(month) - 3),
    };
    let (century, of_century) = (year / 100, year % 100);
    // 730,425 days lie between 1 March of the year 0 and 1 January 2000.
    Some(
        century * 146_097 / 4 + of_century * 1_461 / 4 + (153 * month + 2) / 5 + i32::from(day)
            - 1
            - 730_425,
    )
}

fn is_day(year: u16, month: u8, day: u8) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=9999).contains(&year) && (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_2000() {
        // As `SELECT date '…' - date '2000-01-01'` answers.
        for (date, expected) in [
            ((2000, 1, 1), 0),
            ((1999, 12, 31), -1),
            ((2000, 2, 29), 59),
            ((2000, 3, 1), 60),
            ((1970, 1, 1), -10_957),
            ((1, 1, 1), -730_119),
            ((1900, 2, 28), -36_466),
            ((1900, 3, 1), -36_465),
            ((9999, 12, 31), 2_921_939),
        ] {
            let (year, month, day) = date;
            assert_eq!(days(year, month, day), Some(expected), "{date:?}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut expected = -730_119;
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = days(year, month, day) {
                        assert_eq!(days, expected);
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(expected, 2_921_940);
    }

    #[test]
    fn what_is_not_in_the_calendar_has_no_day() {
        for (year, month, day) in
            [(0, 0, 0), (0, 1, 1), (2020, 0, 1), (2020, 1, 0), (2023, 2, 29), (2023, 4, 31)]
        {
            assert_eq!(days(year, month, day), None);
        }
    }
}
