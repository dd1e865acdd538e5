//! Lengths of time, as people write them.

use jiff::{Span, SpanRelativeTo};
use std::time::Duration;

/// Reads `90s`, `5m`, `24h` or `3d`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let span = text.parse::<Span>().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_are_a_length_of_time() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("24h", 86_400), ("3d", 259_200)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "m", "-5m", "5 lightyears", "3mo"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
