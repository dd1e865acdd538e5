//! A time of the day, as people write it.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A minute of the day, on the clock of wherever it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

/// A text is no time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it takes a time from 00:00 to 23:59, such as 05:30")]
pub struct NoTimeOfDay;

impl TimeOfDay {
    /// Returns the hour, 0 to 23.
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// Returns the minute, 0 to 59.
    pub fn minute(self) -> u8 {
        self.minute
    }
}

impl FromStr for TimeOfDay {
    type Err = NoTimeOfDay;

    /// Reads `HH:MM`; the hour may have one digit.
    fn from_str(text: &str) -> Result<TimeOfDay, NoTimeOfDay> {
        let (hour, minute) = text.split_once(':').ok_or(NoTimeOfDay)?;
        Ok(TimeOfDay { hour: number(hour, 1..=2, 24)?, minute: number(minute, 2..=2, 60)? })
    }
}

fn number(text: &str, digits: RangeInclusive<usize>, below: u8) -> Result<u8, NoTimeOfDay> {
    let is_written = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u8>().ok().filter(|number| is_written && *number < below);
    number.ok_or(NoTimeOfDay)
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_times() {
        for (text, time) in
            [("05:30", "05:30"), ("5:30", "05:30"), ("0:00", "00:00"), ("23:59", "23:59")]
        {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), time);
        }
        for text in [
            "", "5", "24:00", "05:60", "05:3", "005:30", "+5:30", "05:30:00", "5.30", " 5:30",
            "-1:00",
        ] {
            assert_eq!(text.parse::<TimeOfDay>(), Err(NoTimeOfDay), "{text}");
        }
    }
}
