//! Times as the tracking tables keep them: UTC, with microseconds.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Prints a time as both servers take it for a DATETIME(6) or a timestamptz in UTC.
pub(crate) fn print(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// Reads what [`print`] printed, and what the servers print of it.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_microseconds() {
        let moment: Timestamp = "2026-01-31T23:00:00.000042Z".parse().unwrap();
        assert_eq!(print(moment), "2026-01-31 23:00:00.000042");
        assert_eq!(parse("2026-01-31 23:00:00.000042"), Some(moment));
        assert_eq!(parse("yesterday"), None);
    }
}
