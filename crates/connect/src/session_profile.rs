//! The kinds of MySQL sessions.

/// The session variables a piece of work needs. Changing the profile of a connection costs one
/// statement, keeping it none; a pool keeps writing connections apart from reading ones, so that a
/// table that is written and then read costs none either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionProfile {
    /// Reading for hop 2 and the catalogue: results in utf8mb4 but for what is asked raw.
    Read,
    /// Reading for hop 1: `character_set_results = NULL`, every text in its column's own bytes.
    RawRead,
    /// Writing to the replica: checks off, nothing strict.
    Write,
    /// Writing into a table of the replica that has rows: as [`SessionProfile::Write`], but a duplicate is
    /// never let pass.
    Merge,
}

impl SessionProfile {
    /// Returns true for the profiles of the replica's writers.
    pub(crate) fn writes(self) -> bool {
        match self {
            SessionProfile::Read | SessionProfile::RawRead => false,
            SessionProfile::Write | SessionProfile::Merge => true,
        }
    }
}
