//! Numbers, as PostgreSQL's `numeric` reads and prints them.
//!
//! `numeric` keeps as many digits after the point as were written, less the exponent: `1.50` stays
//! `1.50`, `1.50e1` becomes `15.0`, `1e2` becomes `100`, and `-0` becomes `0`.

use super::tape::{Bad, JsonToken, NO_JSON, NUMBER};
use std::ops::Range;

/// The position of the highest digit before the point, counted from 0, and the most digits behind
/// it (PostgreSQL manual, "Numeric Types").
const MAX_WHOLE: i64 = 131_071;
const MAX_SCALE: i64 = 16_383;
/// `numeric_in` refuses exponents from here on, whatever the digits.
const MAX_EXPONENT: i64 = (i32::MAX / 2) as i64;

/// The parts of a number in a document.
struct NumberParts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: Option<i64>,
}

/// Reads the number at `at`; returns its token and the position behind it.
pub(super) fn read(text: &[u8], at: usize) -> Result<(JsonToken, usize), Bad> {
    let (parts, end) = parts(text, at)?;
    let whole = i64::try_from(parts.whole.len()).map_err(|_| NUMBER)?;
    let exponent = parts.exponent.unwrap_or(0);
    if exponent.abs() >= MAX_EXPONENT || parts.scale() > MAX_SCALE {
        return Err(NUMBER);
    }
    let first = parts.digits().position(|digit| digit != b'0');
    if let Some(first) = first {
        let first = i64::try_from(first).map_err(|_| NUMBER)?;
        if whole - 1 - first + exponent > MAX_WHOLE {
            return Err(NUMBER);
        }
    }
    let same = parts.exponent.is_none() && !(parts.negative && first.is_none());
    let token = if same { JsonToken::Verbatim(at, end) } else { JsonToken::Number(at, end) };
    Ok((token, end))
}

/// Appends the number at `place` as `numeric` prints it.
pub(super) fn print(text: &[u8], place: Range<usize>, out: &mut Vec<u8>) {
    let (parts, _) = parts(text, place.start).expect("the number was read before");
    let zero = parts.digits().all(|digit| digit == b'0');
    if parts.negative && !zero {
        out.push(b'-');
    }
    // Where the point goes, counted in digits as written. The exponent of zero may be anything.
    let point = i64::try_from(parts.whole.len()).unwrap_or(i64::MAX) + parts.exponent.unwrap_or(0);
    let point = if zero { 0 } else { point };
    let begin = out.len();
    for at in 0..point {
        let next = parts.digit(at);
        if next != b'0' || out.len() > begin {
            out.push(next);
        }
    }
    if out.len() == begin {
        out.push(b'0');
    }
    if parts.scale() > 0 {
        out.push(b'.');
        out.extend((point..point + parts.scale()).map(|at| parts.digit(at)));
    }
}

impl NumberParts<'_> {
    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// Returns a digit by its place from the left, as written; the others are zero.
    fn digit(&self, at: i64) -> u8 {
        let found = usize::try_from(at)
            .ok()
            .and_then(|at| self.whole.get(at).or_else(|| self.fraction.get(at - self.whole.len())));
        found.copied().unwrap_or(b'0')
    }

    /// Digits after the point in print.
    fn scale(&self) -> i64 {
        let written = i64::try_from(self.fraction.len()).unwrap_or(i64::MAX);
        written.saturating_sub(self.exponent.unwrap_or(0)).max(0)
    }
}

/// Takes the number at `at` apart: an optional minus, digits without a zero in front, then an
/// optional fraction and an optional exponent.
fn parts(text: &[u8], at: usize) -> Result<(NumberParts<'_>, usize), Bad> {
    let negative = text.get(at) == Some(&b'-');
    let start = at + usize::from(negative);
    let whole = digits(&text[start..])?;
    if whole.len() > 1 && whole[0] == b'0' {
        return Err(NO_JSON);
    }
    let mut end = start + whole.len();
    let mut fraction: &[u8] = &[];
    if text.get(end) == Some(&b'.') {
        fraction = digits(&text[end + 1..])?;
        end += 1 + fraction.len();
    }
    let mut exponent = None;
    if let Some(b'e' | b'E') = text.get(end) {
        end += 1;
        let minus = text.get(end) == Some(&b'-');
        if let Some(b'+' | b'-') = text.get(end) {
            end += 1;
        }
        let written = digits(&text[end..])?;
        end += written.len();
        let size = written.iter().fold(0_i64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
        });
        exponent = Some(if minus { -size } else { size });
    }
    Ok((NumberParts { negative, whole, fraction, exponent }, end))
}

/// Returns the digits, at least one, that `text` begins with.
fn digits(text: &[u8]) -> Result<&[u8], Bad> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(NO_JSON) } else { Ok(&text[..count]) }
}
