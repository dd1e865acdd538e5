//! Identities of runs and copies.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use uuid::Uuid;

/// One run of the pipeline. Ordered by time; printed as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// Makes the id of a new run.
    #[expect(clippy::new_without_default, reason = "two ids made in the same way differ")]
    pub fn new() -> RunId {
        RunId(Uuid::now_v7())
    }

    /// Reads an id as [`Display`](fmt::Display) prints it.
    pub fn parse(text: &str) -> Option<RunId> {
        Uuid::parse_str(text).ok().map(RunId)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// One copy of one table into the replica: 16 lower-case hex digits, unique, so that it may stand
/// in the name of a shadow table and still leave room in 63 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CopyId(u64);

impl CopyId {
    /// Makes a fresh id.
    #[expect(clippy::new_without_default, reason = "two ids made in the same way differ")]
    pub fn new() -> CopyId {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        CopyId(high ^ low.rotate_left(32))
    }

    /// Reads an id as [`Display`](fmt::Display) prints it.
    pub fn parse(text: &str) -> Option<CopyId> {
        let plain =
            text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        plain.then(|| u64::from_str_radix(text, 16).ok().map(CopyId)).flatten()
    }
}

impl fmt::Display for CopyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for CopyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CopyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CopyId, D::Error> {
        let text = String::deserialize(deserializer)?;
        CopyId::parse(&text).ok_or_else(|| serde::de::Error::custom("not the id of a copy"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_printed() {
        let copy = CopyId::new();
        assert_eq!(CopyId::parse(&copy.to_string()), Some(copy));
        assert_eq!(CopyId::parse("+123456789abcdef"), None);
        let run = RunId::new();
        assert_eq!(RunId::parse(&run.to_string()), Some(run));
    }
}
