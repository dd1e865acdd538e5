//! Taking a tuple apart.

/// The fields of one COPY BINARY tuple, each with the four bytes of its length before it; a NULL is
/// those four bytes alone.
pub(crate) struct TupleFields<'a>(&'a [u8]);

/// Iterates over the fields of a whole tuple.
pub(crate) fn fields(tuple: &[u8]) -> TupleFields<'_> {
    TupleFields(tuple.get(2..).unwrap_or_default())
}

/// Iterates over fields that follow each other, without the count that begins a tuple.
pub(crate) fn parts(fields: &[u8]) -> TupleFields<'_> {
    TupleFields(fields)
}

impl<'a> Iterator for TupleFields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let &length = self.0.first_chunk::<4>()?;
        // -1 is NULL; the stream was split by these lengths, so no other is out of range.
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(0);
        let (field, rest) = self.0.split_at_checked(4 + length)?;
        self.0 = rest;
        Some(field)
    }
}

/// Returns the value of a field without its length; [`None`] for NULL.
pub(crate) fn value(field: &[u8]) -> Option<&[u8]> {
    let (length, value) = field.split_first_chunk::<4>()?;
    (*length != [0xff; 4]).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_told_apart() {
        let tuple = [0, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 7];
        let values: Vec<_> = fields(&tuple).map(value).collect();
        assert_eq!(values, [None, Some(&[][..]), Some(&[7][..])]);
    }
}
