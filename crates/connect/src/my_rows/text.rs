//! Answers of the text protocol (manual, "Text Resultset").

use super::answer::{LOCAL_INFILE, OK, Outcome, malformed, ok};
use super::row::Bytes;
use mysql::Value;

/// The byte that stands for NULL.
const NULL: u8 = 0xfb;

/// The first packet of an answer.
pub(super) enum Head {
    /// There are no rows.
    Done(Outcome),
    /// There are.
    Columns {
        /// The number of columns, as the server says.
        count: u64,
        /// True if their descriptions follow.
        described: bool,
    },
}

impl Head {
    pub(super) fn of(packet: &[u8]) -> mysql::Result<Head> {
        match packet.first() {
            Some(&OK) => return ok(packet).map(Head::Done).ok_or_else(malformed),
            // A file is asked for, and none leaves.
            None | Some(&LOCAL_INFILE) => return Err(malformed()),
            Some(_) => {}
        }
        let mut rest = Bytes(packet);
        let count = rest.length().ok_or_else(malformed)?;
        // MariaDB's "metadata follows", where the client may keep them.
        Ok(Head::Columns { count, described: rest.0 != [0] })
    }
}

/// Takes a row apart; [`None`] if it has not so many values.
pub(super) fn text_row(packet: &[u8], columns: usize) -> Option<Vec<Value>> {
    // A value has a byte at least.
    if packet.len() < columns {
        return None;
    }
    let mut rest = Bytes(packet);
    let mut values = Vec::with_capacity(columns);
    for _ in 0..columns {
        values.push(match rest.0 {
            [NULL, behind @ ..] => {
                rest.0 = behind;
                Value::NULL
            }
            _ => Value::Bytes(rest.text()?.to_vec()),
        });
    }
    rest.0.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_values_as_columns() {
        let row = [2, b'a', b'b', NULL, 0];
        let expected = vec![Value::Bytes(b"ab".to_vec()), Value::NULL, Value::Bytes(Vec::new())];
        assert_eq!(text_row(&row, 3), Some(expected));
        for columns in [0, 1, 2, 4, 4096] {
            assert_eq!(text_row(&row, columns), None, "{columns}");
        }
        for end in 0..row.len() {
            assert_eq!(text_row(&row[..end], 3), None, "{end}");
        }
        assert_eq!(text_row(&[0xfe, 255, 255, 255, 255, 255, 255, 255, 255], 1), None);
    }

    #[test]
    fn the_head_of_an_answer_is_no_request_for_a_file() {
        assert!(Head::of(&[]).is_err());
        assert!(Head::of(b"\xfb/etc/passwd").is_err());
        assert!(Head::of(&[OK]).is_err());
        assert!(Head::of(&[0xfe, 1]).is_err());
        assert!(matches!(Head::of(&[OK, 7, 0, 2, 0, 3, 0]).unwrap(), Head::Done(_)));
        assert!(matches!(Head::of(&[2]).unwrap(), Head::Columns { count: 2, described: true }));
        assert!(matches!(Head::of(&[2, 0]).unwrap(), Head::Columns { described: false, .. }));
    }
}
