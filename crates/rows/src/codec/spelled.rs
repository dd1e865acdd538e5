//! Values of other types in a `text` column, spelled as MySQL prints them.

use super::cell::{close, open};
use crate::refusal::Refusal;
use handoff_connect::ValueRef;
use std::io::{self, Write};

/// How a value of another type is spelled in a `text` column.
///
/// FLOAT and DOUBLE are left out: no two versions of MySQL print them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
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
pub(super) fn spelled(
    value: ValueRef<'_>,
    spelling: Spelling,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let start = open(out);
    let written = match (spelling, value) {
        (Spelling::Plain, ValueRef::Bytes(text)) => out.write_all(text),
        (Spelling::Plain, ValueRef::Int(number)) => write!(out, "{number}"),
        (Spelling::Plain, ValueRef::UInt(number)) => write!(out, "{number}"),
        (Spelling::Date, ValueRef::Date(year, month, day, ..)) => {
            write!(out, "{year:04}-{month:02}-{day:02}")
        }
        (
            Spelling::DateTime(digits),
            ValueRef::Date(year, month, day, hour, minute, second, micro),
        ) => write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            .and_then(|()| fraction(micro, digits, out)),
        (
            Spelling::Time(digits),
            ValueRef::Time(negative, days, hours, minutes, seconds, micro),
        ) => {
            let sign = if negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}")
                .and_then(|()| fraction(micro, digits, out))
        }
        _ => return Err(Refusal::unexpected()),
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
    fn check(value: ValueRef<'_>, spelling: Spelling, expected: &str) {
        let mut out = Vec::new();
        spelled(value, spelling, &mut out).unwrap();
        assert_eq!(&out[4..], expected.as_bytes());
    }

    #[test]
    fn values_are_spelled_as_mysql_prints_them() {
        check(ValueRef::Int(-5), Spelling::Plain, "-5");
        check(ValueRef::Date(0, 0, 0, 0, 0, 0, 0), Spelling::Date, "0000-00-00");
        let date = ValueRef::Date(2024, 2, 9, 1, 2, 3, 45_000);
        check(date, Spelling::DateTime(0), "2024-02-09 01:02:03");
        check(date, Spelling::DateTime(3), "2024-02-09 01:02:03.045");
        check(ValueRef::Time(true, 34, 22, 59, 59, 7), Spelling::Time(6), "-838:59:59.000007");
    }
}
