//! The databases of the pipeline.

use serde::{Serialize, Serializer};
use std::fmt;

/// A database of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The application's database.
    Source,
    /// Our own MySQL between the hops.
    Replica,
    /// The analytics database.
    Target,
}

impl Side {
    /// Returns `source`, `replica` or `target`.
    pub fn name(self) -> &'static str {
        match self {
            Side::Source => "source",
            Side::Replica => "replica",
            Side::Target => "target",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Side {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
