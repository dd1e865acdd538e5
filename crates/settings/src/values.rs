//! The policies for values that PostgreSQL cannot hold.

/// Zero dates, partial ones (`2020-00-00`), year 0 and impossible days (`2023-02-31`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroDates {
    /// Becomes NULL.
    #[default]
    Null,
    /// Fails the table.
    Fail,
    /// Becomes this date: year, month, day.
    Date(i16, u8, u8),
}

/// NUL bytes in texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NulBytes {
    /// Left out.
    #[default]
    Strip,
    /// Become U+FFFD.
    Replace,
    /// Fail the table.
    Fail,
}

/// Texts that are not valid in their character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadText {
    /// Invalid sequences become U+FFFD.
    Replace,
    /// Fail the table.
    #[default]
    Fail,
}

/// JSON documents that jsonb refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadJson {
    /// Become NULL.
    Null,
    /// Fail the table.
    #[default]
    Fail,
}

/// The policies of `[values]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValuePolicies {
    /// `zero_dates`
    pub zero_dates: ZeroDates,
    /// `nul_bytes`
    pub nul_bytes: NulBytes,
    /// `bad_text`
    pub bad_text: BadText,
    /// `bad_json`
    pub bad_json: BadJson,
}

impl ValuePolicies {
    /// Writes every policy by its name in the settings, in a fixed order: for hashes that are stored.
    pub fn canonical(&self) -> String {
        let ValuePolicies { zero_dates, nul_bytes, bad_text, bad_json } = self;
        let zero_dates = match zero_dates {
            ZeroDates::Null => "null".to_owned(),
            ZeroDates::Fail => "fail".to_owned(),
            ZeroDates::Date(year, month, day) => format!("{year:04}-{month:02}-{day:02}"),
        };
        let nul_bytes = match nul_bytes {
            NulBytes::Strip => "strip",
            NulBytes::Replace => "replace",
            NulBytes::Fail => "fail",
        };
        let bad_text = match bad_text {
            BadText::Replace => "replace",
            BadText::Fail => "fail",
        };
        let bad_json = match bad_json {
            BadJson::Null => "null",
            BadJson::Fail => "fail",
        };
        format!(
            "zero_dates={zero_dates} nul_bytes={nul_bytes} bad_text={bad_text} bad_json={bad_json}"
        )
    }
}

impl NulBytes {
    pub(crate) const NAMES: &'static [(&'static str, NulBytes)] =
        &[("strip", NulBytes::Strip), ("replace", NulBytes::Replace), ("fail", NulBytes::Fail)];
}

impl BadText {
    pub(crate) const NAMES: &'static [(&'static str, BadText)] =
        &[("fail", BadText::Fail), ("replace", BadText::Replace)];
}

impl BadJson {
    pub(crate) const NAMES: &'static [(&'static str, BadJson)] =
        &[("fail", BadJson::Fail), ("null", BadJson::Null)];
}

impl ZeroDates {
    /// Reads `null`, `fail` or a day of the calendar such as `0001-01-01`.
    pub(crate) fn by_name(text: &str) -> Option<ZeroDates> {
        match text {
            "null" => Some(ZeroDates::Null),
            "fail" => Some(ZeroDates::Fail),
            _ => day(text).map(|(year, month, day)| ZeroDates::Date(year, month, day)),
        }
    }
}

/// Reads a number of exactly so many digits.
fn number(part: &str, digits: usize) -> Option<i16> {
    let is_number = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
    if is_number { part.parse().ok() } else { None }
}

/// Reads `YYYY-MM-DD` where there is such a day in the years 1 to 9999.
fn day(text: &str) -> Option<(i16, u8, u8)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let exists = parts.next().is_none() && year >= 1 && (1..=days).contains(&day);
    exists.then_some((year, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_must_be_a_day_of_the_calendar() {
        assert_eq!(ZeroDates::by_name("0001-01-01"), Some(ZeroDates::Date(1, 1, 1)));
        assert_eq!(ZeroDates::by_name("2024-02-29"), Some(ZeroDates::Date(2024, 2, 29)));
        for text in
            ["2023-02-29", "1900-02-29", "0000-01-01", "2024-13-01", "2024-1-1", "2024-04-31", ""]
        {
            assert_eq!(ZeroDates::by_name(text), None, "{text}");
        }
    }

    #[test]
    fn the_canonical_text_is_pinned_since_its_hash_is_stored() {
        assert_eq!(
            ValuePolicies::default().canonical(),
            "zero_dates=null nul_bytes=strip bad_text=fail bad_json=fail"
        );
        let other = ValuePolicies {
            zero_dates: ZeroDates::Date(1, 2, 3),
            nul_bytes: NulBytes::Replace,
            bad_text: BadText::Replace,
            bad_json: BadJson::Null,
        };
        assert_eq!(
            other.canonical(),
            "zero_dates=0001-02-03 nul_bytes=replace bad_text=replace bad_json=null"
        );
        let strict =
            ValuePolicies { zero_dates: ZeroDates::Fail, nul_bytes: NulBytes::Fail, ..other };
        assert!(strict.canonical().starts_with("zero_dates=fail nul_bytes=fail "));
    }
}
