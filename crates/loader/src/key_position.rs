//! A position in the order of a key, as bytes.
//!
//! A position is a row's key, and is kept in the target beside the rows themselves, and nowhere else.

use handoff_model::KeyValue;

/// Renders a position: for each value a letter for its kind, then its bytes.
pub(crate) fn to_bytes(position: &[KeyValue]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in position {
        match value {
            KeyValue::Int(number) => put(&mut out, b'i', &[&number.to_be_bytes()]),
            KeyValue::UInt(number) => put(&mut out, b'u', &[&number.to_be_bytes()]),
            KeyValue::Float(number) => put(&mut out, b'f', &[&number.to_be_bytes()]),
            KeyValue::Double(number) => put(&mut out, b'd', &[&number.to_be_bytes()]),
            KeyValue::Bytes(bytes) => {
                put(&mut out, b'b', &[&(bytes.len() as u64).to_be_bytes(), bytes]);
            }
            KeyValue::DateTime(year, month, day, hour, minute, second, micro) => put(
                &mut out,
                b't',
                &[
                    &year.to_be_bytes(),
                    &[*month, *day, *hour, *minute, *second],
                    &micro.to_be_bytes(),
                ],
            ),
            KeyValue::Time(negative, days, hours, minutes, seconds, micro) => put(
                &mut out,
                b'h',
                &[
                    &[u8::from(*negative)],
                    &days.to_be_bytes(),
                    &[*hours, *minutes, *seconds],
                    &micro.to_be_bytes(),
                ],
            ),
        }
    }
    out
}

fn put(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    out.push(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Reads the bytes of [`to_bytes`]; [`None`] for any others.
pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<Vec<KeyValue>> {
    let mut position = Vec::new();
    while let Some((&kind, rest)) = bytes.split_first() {
        let mut from = PositionReader(rest);
        position.push(match kind {
            b'i' => KeyValue::Int(i64::from_be_bytes(from.take()?)),
            b'u' => KeyValue::UInt(u64::from_be_bytes(from.take()?)),
            b'f' => KeyValue::Float(f32::from_be_bytes(from.take()?)),
            b'd' => KeyValue::Double(f64::from_be_bytes(from.take()?)),
            b'b' => {
                let length = usize::try_from(u64::from_be_bytes(from.take()?)).ok()?;
                let (text, rest) = from.0.split_at_checked(length)?;
                from.0 = rest;
                KeyValue::Bytes(text.to_vec())
            }
            b't' => {
                let year = u16::from_be_bytes(from.take()?);
                let [month, day, hour, minute, second] = from.take()?;
                let micro = u32::from_be_bytes(from.take()?);
                KeyValue::DateTime(year, month, day, hour, minute, second, micro)
            }
            b'h' => {
                let [negative] = from.take()?;
                let days = u32::from_be_bytes(from.take()?);
                let [hours, minutes, seconds] = from.take()?;
                let micro = u32::from_be_bytes(from.take()?);
                KeyValue::Time(negative == 1, days, hours, minutes, seconds, micro)
            }
            _ => return None,
        });
        bytes = from.0;
    }
    Some(position)
}

struct PositionReader<'a>(&'a [u8]);

impl PositionReader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_spelled() {
        let position = vec![
            KeyValue::Int(-1),
            KeyValue::UInt(u64::MAX),
            KeyValue::Float(-0.0),
            KeyValue::Double(5e-324),
            KeyValue::Bytes(Vec::new()),
            KeyValue::Bytes(b"i\0'\xff".to_vec()),
            KeyValue::DateTime(9999, 12, 31, 23, 59, 59, 999_999),
            KeyValue::Time(true, 34, 22, 59, 59, 1),
        ];
        let bytes = to_bytes(&position);
        assert_eq!(from_bytes(&bytes), Some(position));
        for end in [1, 5, bytes.len() - 1] {
            assert_eq!(from_bytes(&bytes[..end]), None);
        }
        assert_eq!(from_bytes(b"x"), None);
    }
}
