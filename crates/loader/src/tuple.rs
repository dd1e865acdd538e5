//! Taking COPY BINARY tuples apart.

/// Returns the fields of the tuple that `bytes` begins with, and the bytes behind it; [`None`] at the
/// trailer or at bytes that are no tuple.
pub(crate) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = i16::from_be_bytes(*bytes.first_chunk()?);
    let mut at = 2;
    for _ in 0..u16::try_from(count).ok()? {
        let length = i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
        // NULL has the length -1 and no bytes.
        at += 4 + usize::try_from(length).unwrap_or(0);
    }
    (at <= bytes.len()).then(|| bytes.split_at(at))
}

/// Iterates over the fields of one tuple; [`None`] is NULL.
pub(crate) fn fields(tuple: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = tuple.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (field, behind) = behind.split_at_checked(length.unwrap_or(0))?;
        rest = behind;
        Some(length.map(|_| field))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = b"\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\0";

    #[test]
    fn null_and_empty_are_told_apart() {
        let fields: Vec<_> = fields(ROW).collect();
        assert_eq!(fields, [Some(&b"a"[..]), None, Some(&b""[..])]);
    }

    #[test]
    fn tuples_are_split_until_the_trailer() {
        let stream = [ROW, ROW, b"\xff\xff"].concat();
        let (first, rest) = split(&stream).unwrap();
        assert_eq!(first, ROW);
        let (second, rest) = split(rest).unwrap();
        assert_eq!(second, ROW);
        assert_eq!(split(rest), None);
        assert_eq!(split(&ROW[..ROW.len() - 2]), None);
    }
}
