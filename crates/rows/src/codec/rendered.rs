//! Values of other types in a `text` column, as MySQL prints them.

use super::cell::{close, open};
use crate::refusal::ValueRefusal;
use handoff_connect::ValueRef;
use std::io::{self, Write};

/// The text format of a value of another type in a `text` column.
///
/// FLOAT and DOUBLE are left out: no two versions of MySQL print them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RenderFormat {
    /// As the server sends it: integers, DECIMAL, UUID, INET4, INET6.
    Plain,
    /// A date alone.
    Date,
    /// A date and time with so many digits of fraction.
    DateTime(u8),
    /// A time with so many digits of fraction.
    Time(u8),
}

/// Appends a value as text.
pub(super) fn rendered(
    value: ValueRef<'_>,
    format: RenderFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueRefusal> {
    let start = open(out);
    let written = match (format, value) {
        (RenderFormat::Plain, ValueRef::Bytes(text)) => out.write_all(text),
        (RenderFormat::Plain, ValueRef::Int(number)) => write!(out, "{number}"),
        (RenderFormat::Plain, ValueRef::UInt(number)) => write!(out, "{number}"),
        (RenderFormat::Date, ValueRef::Date(year, month, day, ..)) => {
            write!(out, "{year:04}-{month:02}-{day:02}")
        }
        (
            RenderFormat::DateTime(digits),
            ValueRef::Date(year, month, day, hour, minute, second, micro),
        ) => write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            .and_then(|()| fraction(micro, digits, out)),
        (
            RenderFormat::Time(digits),
            ValueRef::Time(negative, days, hours, minutes, seconds, micro),
        ) => {
            let sign = if negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}")
                .and_then(|()| fraction(micro, digits, out))
        }
        _ => return Err(ValueRefusal::unexpected()),
    };
    written.expect("a Vec takes every byte");
    close(out, start);
    Ok(())
}

fn fraction(micro: u32, digits: u8, out: &mut Vec<u8>) -> io::Result<()> {
    if digits == 0 {
        return Ok(());
    }
    let (width, cut) = (usize::from(digits), 10_u32.pow(6 - u32::from(digits.min(6))));
    write!(out, ".{:0width$}", micro / cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: ValueRef<'_>, format: RenderFormat, expected: &str) {
        let mut out = Vec::new();
        rendered(value, format, &mut out).unwrap();
        assert_eq!(&out[4..], expected.as_bytes());
    }

    #[test]
    fn values_are_printed_as_mysql_prints_them() {
        check(ValueRef::Int(-5), RenderFormat::Plain, "-5");
        check(ValueRef::Date(0, 0, 0, 0, 0, 0, 0), RenderFormat::Date, "0000-00-00");
        let date = ValueRef::Date(2024, 2, 9, 1, 2, 3, 45_000);
        check(date, RenderFormat::DateTime(0), "2024-02-09 01:02:03");
        check(date, RenderFormat::DateTime(3), "2024-02-09 01:02:03.045");
        check(ValueRef::Time(true, 34, 22, 59, 59, 7), RenderFormat::Time(6), "-838:59:59.000007");
    }
}
