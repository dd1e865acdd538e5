//! One row of the binary protocol (manual, "Binary Protocol Resultset Row").

use crate::value_ref::ValueRef;
use mysql::consts::{ColumnFlags, ColumnType};

/// The type in which the values of a column are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Null,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Float,
    Double,
    Date,
    Time,
    Bytes,
}

impl Sent {
    pub(super) fn of(kind: ColumnType, flags: ColumnFlags) -> Sent {
        use ColumnType as C;
        let unsigned = flags.contains(ColumnFlags::UNSIGNED_FLAG);
        match kind {
            C::MYSQL_TYPE_TINY if unsigned => Sent::UInt8,
            C::MYSQL_TYPE_TINY => Sent::Int8,
            C::MYSQL_TYPE_SHORT | C::MYSQL_TYPE_YEAR if unsigned => Sent::UInt16,
            C::MYSQL_TYPE_SHORT | C::MYSQL_TYPE_YEAR => Sent::Int16,
            C::MYSQL_TYPE_LONG | C::MYSQL_TYPE_INT24 if unsigned => Sent::UInt32,
            C::MYSQL_TYPE_LONG | C::MYSQL_TYPE_INT24 => Sent::Int32,
            C::MYSQL_TYPE_LONGLONG if unsigned => Sent::UInt64,
            C::MYSQL_TYPE_LONGLONG => Sent::Int64,
            C::MYSQL_TYPE_FLOAT => Sent::Float,
            C::MYSQL_TYPE_DOUBLE => Sent::Double,
            C::MYSQL_TYPE_DATE
            | C::MYSQL_TYPE_NEWDATE
            | C::MYSQL_TYPE_DATETIME
            | C::MYSQL_TYPE_TIMESTAMP => Sent::Date,
            C::MYSQL_TYPE_TIME => Sent::Time,
            C::MYSQL_TYPE_NULL => Sent::Null,
            _ => Sent::Bytes,
        }
    }
}

/// Takes a row apart into `values`; [`None`] if it is not made as the columns say.
pub(super) fn values<'p>(
    packet: &'p [u8],
    columns: &[Sent],
    values: &mut Vec<ValueRef<'p>>,
) -> Option<()> {
    values.clear();
    // The bits of the NULLs come first, behind two that are not used.
    let (nulls, rest) = packet.get(1..)?.split_at_checked((columns.len() + 9) / 8)?;
    let mut rest = Bytes(rest);
    for (index, &column) in columns.iter().enumerate() {
        let bit = index + 2;
        let is_null = nulls[bit / 8] >> (bit % 8) & 1 == 1;
        values.push(if is_null { ValueRef::Null } else { rest.value(column)? });
    }
    rest.0.is_empty().then_some(())
}

/// The part of a packet that was not read yet.
pub(super) struct Bytes<'p>(pub(super) &'p [u8]);

impl<'p> Bytes<'p> {
    #[inline]
    fn value(&mut self, column: Sent) -> Option<ValueRef<'p>> {
        Some(match column {
            Sent::Null => ValueRef::Null,
            Sent::Int8 => ValueRef::Int(i8::from_le_bytes(self.fixed()?).into()),
            Sent::UInt8 => ValueRef::Int(u8::from_le_bytes(self.fixed()?).into()),
            Sent::Int16 => ValueRef::Int(i16::from_le_bytes(self.fixed()?).into()),
            Sent::UInt16 => ValueRef::Int(u16::from_le_bytes(self.fixed()?).into()),
            Sent::Int32 => ValueRef::Int(i32::from_le_bytes(self.fixed()?).into()),
            Sent::UInt32 => ValueRef::Int(u32::from_le_bytes(self.fixed()?).into()),
            Sent::Int64 => ValueRef::Int(i64::from_le_bytes(self.fixed()?)),
            Sent::UInt64 => {
                let number = u64::from_le_bytes(self.fixed()?);
                i64::try_from(number).map_or(ValueRef::UInt(number), ValueRef::Int)
            }
            Sent::Float => ValueRef::Float(f32::from_le_bytes(self.fixed()?)),
            Sent::Double => ValueRef::Double(f64::from_le_bytes(self.fixed()?)),
            Sent::Date => self.date()?,
            Sent::Time => self.time()?,
            Sent::Bytes => ValueRef::Bytes(self.text()?),
        })
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads a number of two bytes.
    pub(super) fn number(&mut self) -> Option<u16> {
        self.fixed().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'p [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads a "length-encoded integer".
    #[inline]
    pub(super) fn length(&mut self) -> Option<u64> {
        Some(match self.fixed::<1>()? {
            [0xfc] => u16::from_le_bytes(self.fixed()?).into(),
            [0xfd] => {
                let [a, b, c] = self.fixed()?;
                u32::from_le_bytes([a, b, c, 0]).into()
            }
            [0xfe] => u64::from_le_bytes(self.fixed()?),
            [0xfb | 0xff] => return None,
            [length] => length.into(),
        })
    }

    /// Reads a "length-encoded string".
    #[inline]
    pub(super) fn text(&mut self) -> Option<&'p [u8]> {
        let length = usize::try_from(self.length()?).ok()?;
        self.take(length)
    }

    /// Reads what is as long as its parts that are not 0 need.
    fn date(&mut self) -> Option<ValueRef<'p>> {
        let [length] = self.fixed()?;
        let mut parts = Bytes(self.take(length.into())?);
        let (mut date, mut time, mut micro) = ([0; 4], [0; 3], [0; 4]);
        if length > 0 {
            date = parts.fixed()?;
        }
        if length > 4 {
            time = parts.fixed()?;
        }
        if length > 7 {
            micro = parts.fixed()?;
        }
        let [y0, y1, month, day] = date;
        let [hour, minute, second] = time;
        let (year, micro) = (u16::from_le_bytes([y0, y1]), u32::from_le_bytes(micro));
        parts.0.is_empty().then_some(ValueRef::Date(year, month, day, hour, minute, second, micro))
    }

    fn time(&mut self) -> Option<ValueRef<'p>> {
        let [length] = self.fixed()?;
        let mut parts = Bytes(self.take(length.into())?);
        let (mut negative, mut days, mut time, mut micro) = ([0; 1], [0; 4], [0; 3], [0; 4]);
        if length > 0 {
            (negative, days, time) = (parts.fixed()?, parts.fixed()?, parts.fixed()?);
        }
        if length > 8 {
            micro = parts.fixed()?;
        }
        let [hours, minutes, seconds] = time;
        let (days, micro) = (u32::from_le_bytes(days), u32::from_le_bytes(micro));
        let negative = negative == [1];
        parts.0.is_empty().then_some(ValueRef::Time(negative, days, hours, minutes, seconds, micro))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(columns: &[Sent], row: &[u8], expected: Option<&[ValueRef<'_>]>) {
        let mut found = Vec::new();
        let done = values(row, columns, &mut found);
        assert_eq!(done.map(|()| &found[..]), expected);
    }

    #[test]
    fn values_of_every_width_are_read() {
        use ValueRef as V;
        let columns = [
            Sent::Int8,
            Sent::UInt8,
            Sent::Int16,
            Sent::UInt16,
            Sent::Int32,
            Sent::UInt32,
            Sent::Int64,
            Sent::UInt64,
            Sent::UInt64,
        ];
        let mut row = vec![0, 0, 0, 0xff, 0xff];
        row.extend([[0xfe, 0xff], [0xff, 0xff]].concat());
        row.extend([[0xfd, 0xff, 0xff, 0xff], [0xff; 4]].concat());
        row.extend([(-4_i64).to_le_bytes(), 5_i64.to_le_bytes(), [0xff; 8]].concat());
        let numbers = [-1, 255, -2, 65_535, -3, 4_294_967_295, -4, 5].map(V::Int);
        let expected = [&numbers[..], &[V::UInt(u64::MAX)]].concat();
        check(&columns, &row, Some(&expected));
        for end in 0..row.len() {
            check(&columns, &row[..end], None);
        }
    }

    #[test]
    fn nulls_and_lengths_are_read() {
        use ValueRef as V;
        let texts = [Sent::Bytes; 7];
        let mut row = vec![0, 0b0000_1000, 0b0000_0001, 0, 1, b'a'];
        row.extend([&[0xfc, 2, 0][..], b"bc", &[0xfd, 1, 0, 0], b"d"].concat());
        row.extend([&[0xfe, 1, 0, 0, 0, 0, 0, 0, 0][..], b"e"].concat());
        let bytes = [&b""[..], b"a", b"bc", b"d", b"e"].map(V::Bytes);
        let [a, b, c, d, e] = bytes;
        check(&texts, &row, Some(&[a, V::Null, b, c, d, e, V::Null]));
        row.push(0);
        check(&texts, &row, None);
    }

    #[test]
    fn dates_and_times_are_as_long_as_they_need() {
        use ValueRef as V;
        let columns = [Sent::Date, Sent::Date, Sent::Date, Sent::Time, Sent::Time];
        let mut row = vec![0, 0];
        row.extend([4, 0xe8, 7, 2, 29]);
        row.push(0);
        row.extend([11, 0xe8, 7, 2, 29, 23, 59, 58, 1, 0, 0, 0]);
        row.extend([8, 1, 34, 0, 0, 0, 22, 59, 59]);
        row.extend([12, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
        let expected = [
            V::Date(2024, 2, 29, 0, 0, 0, 0),
            V::Date(0, 0, 0, 0, 0, 0, 0),
            V::Date(2024, 2, 29, 23, 59, 58, 1),
            V::Time(true, 34, 22, 59, 59, 0),
            V::Time(false, 0, 0, 0, 0, 2),
        ];
        // ValueRef prints its kind only, so that a failure says little: compare for equality.
        check(&columns, &row, Some(&expected));
        check(&columns[..1], &[0, 0, 3, 1, 1, 1], None);
    }
}
