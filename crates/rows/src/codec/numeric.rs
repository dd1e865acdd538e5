//! `numeric`: groups of four decimal digits.
//!
//! The field is `ndigits, weight, sign, dscale` (16 bits each), then the groups. PostgreSQL keeps
//! no zero group at either end, and zero has no groups, weight 0 and sign +.

use super::cell::{close, open};
use crate::refusal::ValueRefusal;
use handoff_connect::ValueRef;

const NEGATIVE: u16 = 0x4000;
const HEADER: usize = 8;

/// Appends a DECIMAL, which MySQL sends as its digits.
pub(super) fn decimal(
    text: &[u8],
    whole_digits: u8,
    scale: u8,
    out: &mut Vec<u8>,
) -> Result<(), ValueRefusal> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|&b| b == b'.').unwrap_or(digits.len());
    let (padded, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    if digits.is_empty() || !is_plain(padded) || !is_plain(fraction) {
        return Err(ValueRefusal::unexpected());
    }
    // ZEROFILL puts zeros in front.
    let whole = &padded[padded.iter().take_while(|&&b| b == b'0').count()..];
    let kept = fraction.iter().rposition(|&b| b != b'0').map_or(0, |last| last + 1);
    if whole.len() > whole_digits.into() || kept > scale.into() {
        return Err(too_wide());
    }
    let mut number = NumericField::begin(out, whole.len().div_ceil(4));
    let (first, rest) = whole.split_at(whole.len() % 4);
    if !first.is_empty() {
        number.group(value_of(first));
    }
    rest.chunks_exact(4).for_each(|group| number.group(value_of(group)));
    fraction[..kept].chunks(4).for_each(|group| {
        let missing = u32::try_from(4 - group.len()).unwrap_or_default();
        number.group(value_of(group) * 10_u16.pow(missing));
    });
    number.finish(negative, scale);
    Ok(())
}

/// Appends an integer.
pub(super) fn integer(
    value: ValueRef<'_>,
    whole_digits: u8,
    scale: u8,
    out: &mut Vec<u8>,
) -> Result<(), ValueRefusal> {
    let (negative, mut rest) = match value {
        ValueRef::Int(number) => (number < 0, number.unsigned_abs()),
        ValueRef::UInt(number) => (false, number),
        _ => return Err(ValueRefusal::unexpected()),
    };
    if 10_u64.checked_pow(whole_digits.into()).is_some_and(|limit| rest >= limit) {
        return Err(too_wide());
    }
    let mut groups = [0_u16; 5];
    for group in groups.iter_mut().rev() {
        *group = u16::try_from(rest % 10_000).expect("a group is below 10,000");
        rest /= 10_000;
    }
    let mut number = NumericField::begin(out, groups.len());
    groups.into_iter().for_each(|group| number.group(group));
    number.finish(negative, scale);
    Ok(())
}

fn is_plain(part: &[u8]) -> bool {
    part.iter().all(u8::is_ascii_digit)
}

fn too_wide() -> ValueRefusal {
    ValueRefusal::of_type("a number with more digits than the column's type")
}

fn value_of(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))
}

/// A field that is being appended.
struct NumericField<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    weight: i16,
}

impl<'a> NumericField<'a> {
    /// Begins a number with so many groups before the point.
    fn begin(out: &'a mut Vec<u8>, whole_groups: usize) -> NumericField<'a> {
        let start = open(out);
        out.extend_from_slice(&[0; HEADER]);
        let weight = i16::try_from(whole_groups).expect("MySQL has 65 digits at most") - 1;
        NumericField { out, start, weight }
    }

    fn group(&mut self, group: u16) {
        if group == 0 && self.is_zero() {
            self.weight -= 1;
        } else {
            self.out.extend_from_slice(&group.to_be_bytes());
        }
    }

    fn is_zero(&self) -> bool {
        self.out.len() == self.start + HEADER
    }

    fn finish(self, negative: bool, scale: u8) {
        while !self.is_zero() && self.out.ends_with(&[0, 0]) {
            self.out.truncate(self.out.len() - 2);
        }
        let zero = self.is_zero();
        let groups = (self.out.len() - self.start - HEADER) / 2;
        let groups = u16::try_from(groups).expect("MySQL has 65 digits at most");
        let weight = if zero { 0 } else { self.weight };
        let sign = if negative && !zero { NEGATIVE } else { 0 };
        let header = &mut self.out[self.start..self.start + HEADER];
        header[0..2].copy_from_slice(&groups.to_be_bytes());
        header[2..4].copy_from_slice(&weight.to_be_bytes());
        header[4..6].copy_from_slice(&sign.to_be_bytes());
        header[6..8].copy_from_slice(&u16::from(scale).to_be_bytes());
        close(self.out, self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Length, ndigits, weight, sign, dscale, groups.
    type Expected<'a> = (u16, i16, u16, u16, &'a [u16]);

    #[track_caller]
    fn check(text: &str, (whole, scale): (u8, u8), expected: Expected<'_>) {
        let mut out = Vec::new();
        decimal(text.as_bytes(), whole, scale, &mut out).unwrap();
        assert_eq!(out, bytes(expected), "{text}");
    }

    fn bytes((ndigits, weight, sign, dscale, groups): Expected<'_>) -> Vec<u8> {
        let mut field = Vec::new();
        field.extend(u32::try_from(8 + 2 * groups.len()).unwrap().to_be_bytes());
        field.extend(ndigits.to_be_bytes());
        field.extend(weight.to_be_bytes());
        field.extend(sign.to_be_bytes());
        field.extend(dscale.to_be_bytes());
        groups.iter().for_each(|group| field.extend(group.to_be_bytes()));
        field
    }

    #[test]
    fn no_zero_group_stands_at_either_end() {
        check("0", (5, 0), (0, 0, 0, 0, &[]));
        check("-0.00", (5, 2), (0, 0, 0, 2, &[]));
        check("1", (5, 0), (1, 0, 0, 0, &[1]));
        check("10000", (5, 0), (1, 1, 0, 0, &[1]));
        check("-12345.6", (5, 2), (3, 1, NEGATIVE, 2, &[1, 2345, 6000]));
        check("00012.50", (5, 2), (2, 0, 0, 2, &[12, 5000]));
        check("0.00012", (1, 5), (2, -1, 0, 5, &[1, 2000]));
        check("0.00000001", (1, 8), (1, -2, 0, 8, &[1]));
        check(".5", (0, 1), (1, -1, 0, 1, &[5000]));
        check("100000000.0000", (9, 4), (1, 2, 0, 4, &[1]));
    }

    #[test]
    fn integers_are_the_same_numbers() {
        let mut out = Vec::new();
        integer(ValueRef::UInt(u64::MAX), 20, 0, &mut out).unwrap();
        assert_eq!(out, bytes((5, 4, 0, 0, &[1844, 6744, 737, 955, 1615])));
        out.clear();
        integer(ValueRef::Int(-20_000), 20, 0, &mut out).unwrap();
        assert_eq!(out, bytes((1, 1, NEGATIVE, 0, &[2])));
    }

    #[test]
    fn digits_are_never_cut() {
        let mut out = Vec::new();
        decimal(b"123456", 5, 0, &mut out).unwrap_err();
        decimal(b"1.25", 5, 1, &mut out).unwrap_err();
        decimal(b"1.20", 5, 1, &mut out).unwrap();
        integer(ValueRef::Int(100), 2, 0, &mut out).unwrap_err();
    }
}
