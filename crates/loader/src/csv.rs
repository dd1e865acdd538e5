//! Canonical tuples as CSV that COPY reads back to the same bytes.
//!
//! Every value is quoted and NULL is a bare empty field, which no value can look like: COPY takes
//! the marker of NULL only where it is not quoted. (The writer of the `csv` crate quotes all fields
//! of a record or those that need it, so that it cannot tell NULL from an empty text.)

mod text;

use crate::tuple;
use handoff_schema::TableMapping;

/// Appends a line with the names of the columns.
pub(crate) fn header(mapping: &TableMapping, out: &mut Vec<u8>) {
    for (index, column) in mapping.columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        quote(column.pg_name.as_bytes(), out);
    }
    out.push(b'\n');
}

/// Writes lines, with memory of its own for the texts on their way.
pub(crate) struct CsvLines<'a> {
    mapping: &'a TableMapping,
    text: Vec<u8>,
}

impl<'a> CsvLines<'a> {
    pub(crate) fn new(mapping: &'a TableMapping) -> CsvLines<'a> {
        CsvLines { mapping, text: Vec::new() }
    }

    /// Appends the line of one tuple.
    pub(crate) fn append(&mut self, row: &[u8], out: &mut Vec<u8>) {
        let columns = self.mapping.columns.iter();
        for (index, (field, column)) in tuple::fields(row).zip(columns).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let Some(field) = field else { continue };
            self.text.clear();
            text::append(&column.pg, field, &mut self.text);
            quote(&self.text, out);
        }
        out.push(b'\n');
    }
}

/// Appends a text in quotes, those in it doubled.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for (index, part) in text.split(|&byte| byte == b'"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nothing_else_changes() {
        for (text, expected) in [
            ("", "\"\""),
            ("\\N", "\"\\N\""),
            ("\"", "\"\"\"\""),
            ("a\n\\.\n\"b\",", "\"a\n\\.\n\"\"b\"\",\""),
        ] {
            let mut out = Vec::new();
            quote(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
