//! Validated identifiers.

use crate::visible;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The longest identifier MySQL and MariaDB allow, in characters ("Identifier Length Limits").
pub const MAX_IDENTIFIER_CHARS: usize = 64;

/// The reason that a text cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadName {
    /// The text is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The text has more than [`MAX_IDENTIFIER_CHARS`] characters.
    #[error("`{}` is longer than 64 characters", visible(.0))]
    TooLong(String),
    /// The text holds a NUL, which neither server takes in an identifier.
    #[error("a name cannot hold a NUL character")]
    Nul,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` against the rules of MySQL and keeps it as it is, case included.
            ///
            /// # Errors
            ///
            /// Returns [`BadName`] if the text is empty, too long or holds a NUL.
            pub fn new(text: &str) -> Result<$name, BadName> {
                check(text)?;
                Ok($name(text.into()))
            }

            /// Returns the name as the source spells it, unquoted.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// As it may be shown; [`as_str`](Self::as_str) is the name itself.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&visible(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(text: String) -> Result<$name, BadName> {
                $name::new(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;
            fn from_str(text: &str) -> Result<$name, BadName> {
                $name::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.to_string()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier! {
    /// The name of a table in its database, without the database. Cheap to clone.
    TableName
}
identifier! {
    /// The name of a column. Cheap to clone.
    ColumnName
}

fn check(text: &str) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.contains('\0') {
        return Err(BadName::Nul);
    }
    if text.chars().count() > MAX_IDENTIFIER_CHARS {
        return Err(BadName::TooLong(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_spelling_and_refuse_what_no_server_takes() {
        assert_eq!(TableName::new("a`b \"c\".d%").unwrap().as_str(), "a`b \"c\".d%");
        assert_eq!(TableName::new("a\n\u{1b}").unwrap().to_string(), "a\\n\\u{1b}");
        assert!(TableName::new(&"ü".repeat(64)).is_ok());
        assert!(matches!(TableName::new(&"ü".repeat(65)), Err(BadName::TooLong(_))));
        assert_eq!(ColumnName::new(""), Err(BadName::Empty));
        assert_eq!(ColumnName::new("a\0"), Err(BadName::Nul));
    }
}
