//! The text that PostgreSQL reads as a field of a tuple, type by type.

use handoff_schema::PgType;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Appends the text of a field. It is one that our own encoder wrote, so its shape is known.
pub(super) fn append(pg: &PgType, field: &[u8], out: &mut Vec<u8>) {
    match pg {
        PgType::Boolean => out.push(if field == [1] { b't' } else { b'f' }),
        PgType::SmallInt => put(out, format_args!("{}", i16::from_be_bytes(first(field)))),
        PgType::Integer => put(out, format_args!("{}", i32::from_be_bytes(first(field)))),
        PgType::BigInt => put(out, format_args!("{}", i64::from_be_bytes(first(field)))),
        PgType::Numeric { .. } => numeric(field, out),
        // The shortest digits that are this number and no other.
        PgType::Real => put(out, format_args!("{:e}", f32::from_be_bytes(first(field)))),
        PgType::DoublePrecision => put(out, format_args!("{:e}", f64::from_be_bytes(first(field)))),
        PgType::Bit(_) => bits(field, out),
        PgType::Date => date(i32::from_be_bytes(first(field)).into(), out),
        PgType::Timestamp(_) => timestamp(field, out),
        PgType::TimestampTz(_) => {
            timestamp(field, out);
            out.extend_from_slice(b"+00");
        }
        PgType::Interval | PgType::Time(_) => clock(i64::from_be_bytes(first(field)), out),
        PgType::Text => out.extend_from_slice(field),
        // Behind its version.
        PgType::Jsonb => out.extend_from_slice(&field[1..]),
        PgType::TextArray => array(field, out, |label, out| {
            out.push(b'"');
            for &byte in label {
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b'"');
        }),
        PgType::RealArray => array(field, out, |number, out| {
            put(out, format_args!("{:e}", f32::from_be_bytes(first(number))));
        }),
        PgType::Bytea => {
            out.extend_from_slice(b"\\x");
            hex(field, out);
        }
        PgType::Uuid => hex(field, out),
        PgType::Inet => inet(field, out),
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

/// The first bytes of a field.
fn first<const N: usize>(field: &[u8]) -> [u8; N] {
    *field.first_chunk().expect("the encoder writes whole fields")
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    for &byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Groups of four digits, behind their number, the weight of the first, the sign and the scale.
fn numeric(field: &[u8], out: &mut Vec<u8>) {
    let mut numbers = field.chunks_exact(2).map(|pair| i16::from_be_bytes(first(pair)));
    let [_, weight, sign, scale] = std::array::from_fn(|_| numbers.next().unwrap_or_default());
    let groups: Vec<i16> = numbers.collect();
    if sign != 0 {
        out.push(b'-');
    }
    put(out, format_args!("{}", group(&groups, weight - weight.max(0))));
    for place in (0..weight.max(0)).rev() {
        put(out, format_args!("{:04}", group(&groups, weight - place)));
    }
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + usize::from(scale.unsigned_abs());
        for place in 1..=(scale + 3) / 4 {
            put(out, format_args!("{:04}", group(&groups, weight + place)));
        }
        out.truncate(end);
    }
}

/// Returns a group by its index; the others are zero.
fn group(groups: &[i16], index: i16) -> i16 {
    let found = usize::try_from(index).ok().and_then(|index| groups.get(index));
    found.copied().unwrap_or(0)
}

/// A number of bits, then the bits from the left.
fn bits(field: &[u8], out: &mut Vec<u8>) {
    let count = usize::try_from(i32::from_be_bytes(first(field))).unwrap_or_default();
    out.extend((0..count).map(|at| b'0' + (field[4 + at / 8] >> (7 - at % 8) & 1)));
}

/// Days from 2000-01-01, in the Gregorian calendar throughout.
fn date(days: i64, out: &mut Vec<u8>) {
    // Days from 1 March of the year 0, in years that begin in March, so that the leap day is last.
    let since_march = days + 730_425;
    let (era, of_era) = (since_march.div_euclid(146_097), since_march.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    put(out, format_args!("{:04}-{month:02}-{day:02}", era * 400 + year + later));
}

fn timestamp(field: &[u8], out: &mut Vec<u8>) {
    let micros = i64::from_be_bytes(first(field));
    date(micros.div_euclid(DAY), out);
    out.push(b' ');
    clock(micros.rem_euclid(DAY), out);
}

/// Hours, which may be many, minutes, seconds and microseconds.
fn clock(micros: i64, out: &mut Vec<u8>) {
    if micros < 0 {
        out.push(b'-');
    }
    let (seconds, rest) = (micros.abs() / SECOND, micros.abs() % SECOND);
    let (minutes, hours) = (seconds / 60 % 60, seconds / 3600);
    put(out, format_args!("{hours:02}:{minutes:02}:{:02}.{rest:06}", seconds % 60));
}

/// Family, bits of the mask, "is no network", length, address.
fn inet(field: &[u8], out: &mut Vec<u8>) {
    let address = &field[4..];
    match <[u8; 4]>::try_from(address) {
        Ok(bytes) => put(out, format_args!("{}", Ipv4Addr::from(bytes))),
        Err(_) => put(out, format_args!("{}", Ipv6Addr::from(first::<16>(address)))),
    }
}

/// Dimensions, "holds a NULL", type; for the one dimension length and lower bound; then elements.
fn array(field: &[u8], out: &mut Vec<u8>, element: impl Fn(&[u8], &mut Vec<u8>)) {
    let mut rest = field.get(20..).unwrap_or_default();
    out.push(b'{');
    let mut comma = false;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or_default();
        let (value, behind) = behind.split_at(length);
        if std::mem::replace(&mut comma, true) {
            out.push(b',');
        }
        element(value, out);
        rest = behind;
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pg: &PgType, field: &[u8], expected: &str) {
        let mut out = Vec::new();
        append(pg, field, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn numeric_of(header: [i16; 3], groups: &[i16]) -> Vec<u8> {
        let count = i16::try_from(groups.len()).unwrap();
        let all = [count].into_iter().chain(header).chain(groups.iter().copied());
        all.flat_map(i16::to_be_bytes).collect()
    }

    #[test]
    fn numbers() {
        let kind = PgType::Numeric { precision: 20, scale: 4 };
        check(&kind, &numeric_of([0, 0, 0], &[]), "0");
        check(&kind, &numeric_of([0, 0, 4], &[]), "0.0000");
        check(&kind, &numeric_of([-1, 0, 4], &[1]), "0.0001");
        check(&kind, &numeric_of([-2, 0x4000, 6], &[1200]), "-0.000012");
        check(&kind, &numeric_of([1, 0, 0], &[1]), "10000");
        check(&kind, &numeric_of([1, 0x4000, 2], &[12, 34, 5600]), "-120034.56");
        check(&PgType::Real, &0.1_f32.to_be_bytes(), "1e-1");
        check(&PgType::DoublePrecision, &(-0.0_f64).to_be_bytes(), "-0e0");
        check(&PgType::Bit(10), &[0, 0, 0, 10, 0b1010_1010, 0b1000_0000], "1010101010");
    }

    #[test]
    fn dates() {
        for (days, text) in [
            (0, "2000-01-01"),
            (-1, "1999-12-31"),
            (59, "2000-02-29"),
            (60, "2000-03-01"),
            (-730_119, "0001-01-01"),
            (-36_466, "1900-02-28"),
            (-36_465, "1900-03-01"),
            (2_921_939, "9999-12-31"),
        ] {
            check(&PgType::Date, &i32::to_be_bytes(days), text);
        }
        check(&PgType::Timestamp(6), &i64::to_be_bytes(-1), "1999-12-31 23:59:59.999999");
        check(&PgType::TimestampTz(0), &i64::to_be_bytes(0), "2000-01-01 00:00:00.000000+00");
        let most = -(838 * 3600 + 59 * 60 + 59) * SECOND;
        check(&PgType::Interval, &most.to_be_bytes(), "-838:59:59.000000");
    }

    #[test]
    fn arrays() {
        let none = [0; 12];
        check(&PgType::TextArray, &none, "{}");
        let one = [&[0; 20][..], &[0, 0, 0, 3], b"a\"\\"].concat();
        check(&PgType::TextArray, &one, r#"{"a\"\\"}"#);
        let empty_first = [&[0; 20][..], &[0, 0, 0, 0], &[0, 0, 0, 1], b"b"].concat();
        check(&PgType::TextArray, &empty_first, r#"{"","b"}"#);
        let number = 1.5_f32.to_be_bytes();
        let two = [&[0; 20][..], &[0, 0, 0, 4], &number, &[0, 0, 0, 4], &number].concat();
        check(&PgType::RealArray, &two, "{1.5e0,1.5e0}");
    }
}
