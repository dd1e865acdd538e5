//! Reading canonical values of single types; [`None`] for bytes that are none, and for dates beyond
//! the years 9999.

use handoff_schema::PgType;
use jiff::Span;
use jiff::civil::{Date, DateTime, date};

/// The day from which PostgreSQL counts.
const EPOCH: Date = date(2000, 1, 1);

/// Prints `numeric`: number of groups of four digits, weight of the first, sign, scale, the groups.
pub fn numeric(value: &[u8]) -> Option<String> {
    let parts: Vec<i16> = value
        .chunks(2)
        .map(|pair| Some(i16::from_be_bytes(pair.try_into().ok()?)))
        .collect::<Option<_>>()?;
    let [_, weight, sign, scale, groups @ ..] = &parts[..] else { return None };
    let mut whole: String =
        (0..=*weight).map(|index| format!("{:04}", group(groups, index))).collect();
    whole = whole.trim_start_matches('0').to_owned();
    if whole.is_empty() {
        whole.push('0');
    }
    let scale = usize::try_from(*scale).ok()?;
    let fractions = i16::try_from(scale.div_ceil(4)).ok()?;
    let mut fraction: String =
        (1..=fractions).map(|index| format!("{:04}", group(groups, weight + index))).collect();
    fraction.truncate(scale);
    let sign = if *sign == 0x4000 { "-" } else { "" };
    let point = if scale == 0 { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// Returns a group of digits by its index; the others are zero.
fn group(groups: &[i16], index: i16) -> i16 {
    let found = usize::try_from(index).ok().and_then(|index| groups.get(index));
    found.copied().unwrap_or(0)
}

/// Prints `uuid`.
pub fn uuid(value: &[u8]) -> Option<String> {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    (hex.len() == 32)
        .then(|| [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// Reads a date or a timestamp.
pub fn moment(kind: &PgType, value: &[u8]) -> Option<DateTime> {
    let span = match kind {
        PgType::Date => Span::new().try_days(i32::from_be_bytes(value.try_into().ok()?)).ok()?,
        PgType::Timestamp(_) | PgType::TimestampTz(_) => {
            Span::new().try_microseconds(i64::from_be_bytes(value.try_into().ok()?)).ok()?
        }
        _ => return None,
    };
    EPOCH.at(0, 0, 0, 0).checked_add(span).ok()
}
