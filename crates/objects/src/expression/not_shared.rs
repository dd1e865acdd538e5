//! The refusal of an expression.

use std::fmt;

/// The part of an expression that PostgreSQL would take otherwise, or does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotShared(String);

impl NotShared {
    pub(crate) fn new(part: impl Into<String>) -> NotShared {
        NotShared(part.into())
    }

    pub(crate) fn backslash() -> NotShared {
        NotShared::new("a text with a backslash")
    }

    pub(super) fn unclosed() -> NotShared {
        NotShared::new("a text without an end")
    }
}

impl fmt::Display for NotShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it has {}, which PostgreSQL would take otherwise", self.0)
    }
}
