//! Spelling values, and lines of them for `LOAD DATA`.

use crate::carried::{Carried, Form};
use mysql::Value;
use std::io::Write;

/// Appends one row as `LOAD DATA … FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY
/// '\n'` reads it.
pub(crate) fn write_line(columns: &[Carried], row: &[Value], out: &mut Vec<u8>) {
    if row.is_empty() {
        // A table whose columns are all generated.
        out.push(b'0');
    }
    for (index, (column, value)) in columns.iter().zip(row).enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        match value {
            Value::NULL => out.extend_from_slice(b"\\N"),
            Value::Bytes(bytes) => escape(bytes, out),
            // Digits, signs, points and blanks need no escape.
            other => spell(column.form, other, out),
        }
    }
    out.push(b'\n');
}

/// Appends a value other than NULL.
pub(crate) fn spell(form: Form, value: &Value, out: &mut Vec<u8>) {
    match *value {
        Value::NULL => {}
        Value::Bytes(ref bytes) => out.extend_from_slice(bytes),
        Value::Int(number) if form == Form::Year => append(out, format_args!("{number:04}")),
        Value::UInt(number) if form == Form::Year => append(out, format_args!("{number:04}")),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::UInt(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        // As a double, so that the server rounds to single precision once, and exactly.
        Value::Float(number) => append(out, format_args!("{:e}", f64::from(number))),
        Value::Double(number) => append(out, format_args!("{number:e}")),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            append(out, format_args!("{year:04}-{month:02}-{day:02}"));
            if form != Form::Date {
                append(out, format_args!(" {hour:02}:{minute:02}:{second:02}"));
                fraction(form, micros, out);
            }
        }
        Value::Time(negative, days, hours, minutes, seconds, micros) => {
            let sign = if negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            append(out, format_args!("{sign}{hours:02}:{minutes:02}:{seconds:02}"));
            fraction(form, micros, out);
        }
    }
}

fn fraction(form: Form, micros: u32, out: &mut Vec<u8>) {
    let (Form::DateTime(digits) | Form::Time(digits)) = form else { return };
    let digits = usize::from(digits.min(6));
    if digits > 0 {
        let end = out.len() + 1 + digits;
        append(out, format_args!(".{micros:06}"));
        out.truncate(end);
    }
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
    use crate::carried::{Image, Store};

    #[track_caller]
    fn check(form: Form, value: Value, expected: &str) {
        let name = "`a`".to_owned();
        let (store, image) = (Store::Bytes, Image::Value);
        let column = Carried { select: name.clone(), name, form, store, image, numbered: false };
        let mut line = Vec::new();
        write_line(&[column], &[value], &mut line);
        assert_eq!(line, format!("{expected}\n").into_bytes());
    }

    #[test]
    fn bytes_that_mean_something_are_escaped() {
        check(
            Form::Plain,
            Value::Bytes(b"a\tb\nc\\d\0e\r\x1a".to_vec()),
            "a\\tb\\nc\\\\d\\0e\r\x1a",
        );
        check(Form::Plain, Value::Bytes(b"\\N".to_vec()), "\\\\N");
        check(Form::Plain, Value::Bytes(Vec::new()), "");
        check(Form::Plain, Value::NULL, "\\N");
    }

    #[test]
    fn numbers_lose_nothing() {
        check(Form::Plain, Value::UInt(u64::MAX), "18446744073709551615");
        check(Form::Plain, Value::Int(i64::MIN), "-9223372036854775808");
        check(Form::Plain, Value::Double(-0.0), "-0e0");
        check(Form::Plain, Value::Double(5e-324), "5e-324");
        check(Form::Plain, Value::Float(f32::MAX), "3.4028234663852886e38");
        check(Form::Year, Value::UInt(0), "0000");
    }

    #[test]
    fn dates_and_times_are_spelled_in_full() {
        check(Form::Date, Value::Date(0, 0, 0, 0, 0, 0, 0), "0000-00-00");
        check(Form::Date, Value::Date(2023, 2, 31, 0, 0, 0, 0), "2023-02-31");
        check(Form::DateTime(0), Value::Date(1, 1, 1, 0, 0, 0, 0), "0001-01-01 00:00:00");
        check(
            Form::DateTime(3),
            Value::Date(9999, 12, 31, 23, 59, 59, 999_000),
            "9999-12-31 23:59:59.999",
        );
        check(Form::Time(0), Value::Time(true, 34, 22, 59, 59, 0), "-838:59:59");
        check(Form::Time(6), Value::Time(false, 0, 0, 0, 0, 5), "00:00:00.000005");
    }
}
