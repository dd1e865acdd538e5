//! The entry for fuzzers of a server's definitions: behind the feature `fuzzing`.

use crate::definition::{TableDefinition, tokens};

/// Cuts a text into tokens and parses it as a table's definition. Returns the number of its elements.
///
/// # Panics
///
/// Panics if a token is not where it says.
pub fn definition(text: &str) -> Option<usize> {
    let mut end = 0;
    for token in tokens(text) {
        assert!(token.range.start >= end && !token.range.is_empty(), "tokens follow each other");
        assert_eq!(text.get(token.range.clone()), Some(token.text), "a token is where it says");
        end = token.range.end;
    }
    let parsed = TableDefinition::parse(text).ok()?;
    let _ = (parsed.columns().count(), parsed.numbered().count(), parsed.options());
    Some(parsed.elements.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_us_panic(text in any::<String>()) {
            definition(&text);
        }

        #[test]
        fn no_definition_makes_us_panic(
            text in r#"[`'"(),\\*/!#a-z0-9 =é-]{0,80}"#, behind in r#"[`'"(),\\*/!# A-Z=é-]{0,40}"#
        ) {
            definition(&format!("CREATE TABLE `t` ({text}){behind}"));
        }

        #[test]
        fn whatever_a_name_and_a_comment_hold_a_column_is_one_element(
            name in "[a-z`(),' ]{1,20}", comment in r"[a-z`(),\* é]{0,20}"
        ) {
            let quoted = name.replace('`', "``");
            let text = format!("CREATE TABLE `t` (\n  `{quoted}` int(11) COMMENT '{comment}'\n) ENGINE=InnoDB");
            // A column whose name is Handoff's own is still one.
            prop_assert_eq!(definition(&text), Some(1));
        }
    }
}
