//! The text of values, and lines of them for `LOAD DATA`.

use crate::copied_column::{CopiedColumn, TextFormat};
use handoff_connect::ValueRef;
use std::io::Write;

/// Appends one row as `LOAD DATA … FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY
/// '\n'` reads it.
pub(crate) fn write_line(columns: &[CopiedColumn], row: &[ValueRef<'_>], out: &mut Vec<u8>) {
    for (index, (column, value)) in columns.iter().zip(row.iter().copied()).enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        match value {
            ValueRef::Null => out.extend_from_slice(b"\\N"),
            ValueRef::Bytes(bytes) => escape(bytes, out),
            // Digits, signs, points and blanks need no escape.
            other => render(column.format, other, out),
        }
    }
    out.push(b'\n');
}

/// Appends a value other than NULL.
pub(crate) fn render(format: TextFormat, value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Bytes(bytes) => out.extend_from_slice(bytes),
        ValueRef::Int(number) if format == TextFormat::Year => {
            append(out, format_args!("{number:04}"));
        }
        ValueRef::UInt(number) if format == TextFormat::Year => {
            append(out, format_args!("{number:04}"));
        }
        ValueRef::Int(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
        ValueRef::UInt(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
        // As a double, so that the server rounds to single precision once, and exactly.
        ValueRef::Float(number) => append(out, format_args!("{:e}", f64::from(number))),
        ValueRef::Double(number) => append(out, format_args!("{number:e}")),
        ValueRef::Date(year, month, day, hour, minute, second, micros) => {
            padded(year.into(), 4, b'-', out);
            padded(month.into(), 2, b'-', out);
            padded(day.into(), 2, b' ', out);
            if format == TextFormat::Date {
                out.pop();
                return;
            }
            clock(hour.into(), [minute, second], format, micros, out);
        }
        ValueRef::Time(negative, days, hours, minutes, seconds, micros) => {
            if negative {
                out.push(b'-');
            }
            clock(days * 24 + u32::from(hours), [minutes, seconds], format, micros, out);
        }
    }
}

/// Appends a time of day, or one that is longer, with as many digits of a second as the format has.
fn clock(hours: u32, rest: [u8; 2], format: TextFormat, micros: u32, out: &mut Vec<u8>) {
    let [minutes, seconds] = rest;
    padded(hours, 2, b':', out);
    padded(minutes.into(), 2, b':', out);
    padded(seconds.into(), 2, b'.', out);
    let digits = match format {
        TextFormat::DateTime(digits) | TextFormat::Time(digits) => usize::from(digits.min(6)),
        _ => 0,
    };
    padded(micros, 6, b' ', out);
    // Of the seven bytes behind the point none is kept where there are no digits, nor is the point.
    out.truncate(out.len() - if digits == 0 { 8 } else { 7 - digits });
}

/// Appends a number with at least `width` digits, of which 10 is the most, and the byte behind it.
fn padded(mut number: u32, width: usize, behind: u8, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 11];
    digits[10] = behind;
    let mut at = 10;
    while number > 0 {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[at.min(10 - width)..]);
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a write to memory succeeds");
}

/// The letter that stands for a byte after a backslash; 0 for a byte that needs none.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    table[b'\\' as usize] = b'\\';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0] = b'0';
    table
};

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| ESCAPES[usize::from(byte)] != 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', ESCAPES[usize::from(rest[at])]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copied_column::{ByteImage, StoreAs};

    #[track_caller]
    fn check(format: TextFormat, value: ValueRef<'_>, expected: &str) {
        let name = "`a`".to_owned();
        let (store, image) = (StoreAs::Bytes, ByteImage::Value);
        let column =
            CopiedColumn { select: name.clone(), name, format, store, image, numbered: false };
        let mut line = Vec::new();
        write_line(&[column], &[value], &mut line);
        assert_eq!(line, format!("{expected}\n").into_bytes());
    }

    #[test]
    fn bytes_that_mean_something_are_escaped() {
        check(
            TextFormat::Plain,
            ValueRef::Bytes(b"a\tb\nc\\d\0e\r\x1a"),
            "a\\tb\\nc\\\\d\\0e\r\x1a",
        );
        check(TextFormat::Plain, ValueRef::Bytes(b"\\N"), "\\\\N");
        check(TextFormat::Plain, ValueRef::Bytes(b""), "");
        check(TextFormat::Plain, ValueRef::Null, "\\N");
    }

    #[test]
    fn numbers_lose_nothing() {
        check(TextFormat::Plain, ValueRef::UInt(u64::MAX), "18446744073709551615");
        check(TextFormat::Plain, ValueRef::Int(i64::MIN), "-9223372036854775808");
        check(TextFormat::Plain, ValueRef::Double(-0.0), "-0e0");
        check(TextFormat::Plain, ValueRef::Double(5e-324), "5e-324");
        check(TextFormat::Plain, ValueRef::Float(f32::MAX), "3.4028234663852886e38");
        check(TextFormat::Year, ValueRef::UInt(0), "0000");
    }

    #[test]
    fn dates_and_times_are_spelled_in_full() {
        check(TextFormat::Date, ValueRef::Date(0, 0, 0, 0, 0, 0, 0), "0000-00-00");
        check(TextFormat::Date, ValueRef::Date(2023, 2, 31, 0, 0, 0, 0), "2023-02-31");
        check(TextFormat::DateTime(0), ValueRef::Date(1, 1, 1, 0, 0, 0, 0), "0001-01-01 00:00:00");
        check(
            TextFormat::DateTime(3),
            ValueRef::Date(9999, 12, 31, 23, 59, 59, 999_000),
            "9999-12-31 23:59:59.999",
        );
        check(TextFormat::Time(0), ValueRef::Time(true, 34, 22, 59, 59, 0), "-838:59:59");
        check(TextFormat::Time(6), ValueRef::Time(false, 0, 0, 0, 0, 5), "00:00:00.000005");
        check(TextFormat::Time(1), ValueRef::Time(false, 4_000, 9, 8, 7, 654_321), "96009:08:07.6");
    }
}
