//! The entries for fuzzers of what servers send: behind the feature `fuzzing`.

use crate::json::Jsonb;
use crate::tuples::tuples;
use std::io::BufReader;

/// Splits bytes as a COPY BINARY stream, whatever the pieces in which they come. Returns the number of tuples of a
/// whole stream.
///
/// # Panics
///
/// Panics if the tuples depend on the pieces.
pub fn copy_stream(bytes: &[u8]) -> Option<u64> {
    let (mut whole, mut dripped) = (Vec::new(), Vec::new());
    let at_once = tuples(bytes, |tuple| whole.push(tuple.to_vec())).ok();
    let drips = BufReader::with_capacity(3, bytes);
    let in_drips = tuples(drips, |tuple| dripped.push(tuple.to_vec())).ok();
    assert_eq!(at_once, in_drips, "the pieces in which a stream comes mean nothing");
    assert!(at_once.is_none() || whole == dripped, "nor do they change a tuple");
    at_once
}

/// Prints bytes as jsonb does, if they are a document. Returns the text.
///
/// # Panics
///
/// Panics if the printed document prints otherwise than before.
pub fn jsonb(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (mut printed, mut again) = (Vec::new(), Vec::new());
    Jsonb::default().normalise(text.as_bytes(), &mut printed).ok()?;
    let kept = Jsonb::default().normalise(&printed, &mut again);
    assert!(kept.is_ok() && again == printed, "what jsonb prints is printed the same again");
    Some(printed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{COPY_HEADER, COPY_TRAILER};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_of_a_target_make_us_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            copy_stream(&bytes);
            copy_stream(&[COPY_HEADER, &bytes[..]].concat());
        }

        #[test]
        fn every_stream_of_tuples_is_split(
            fields in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..20)), 0..9)
        ) {
            let mut stream = COPY_HEADER.to_vec();
            for field in &fields {
                stream.extend(1_i16.to_be_bytes());
                let length = field.as_ref().map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap());
                stream.extend(length.to_be_bytes());
                stream.extend(field.iter().flatten());
            }
            stream.extend(COPY_TRAILER);
            prop_assert_eq!(copy_stream(&stream), Some(fields.len() as u64));
        }

        #[test]
        fn no_text_makes_jsonb_panic(text in r#"[\[\]{}:,"\\u0-9dDeE+.a-ftrunls -]{0,60}"#) {
            jsonb(text.as_bytes());
        }

        #[test]
        fn a_list_of_numbers_and_texts_is_a_document(
            numbers in prop::collection::vec(any::<i64>(), 0..6), text in "[a-zA-Z0-9 é€]{0,20}"
        ) {
            let listed: Vec<String> = numbers.iter().map(i64::to_string).collect();
            let document = format!(r#"{{"b": [{}], "a": "{text}"}}"#, listed.join(","));
            let printed = format!(r#"{{"a": "{text}", "b": [{}]}}"#, listed.join(", "));
            prop_assert_eq!(jsonb(document.as_bytes()), Some(printed.into_bytes()));
        }
    }
}
