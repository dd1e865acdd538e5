//! Tables of ours that a crash left in the replica.

use crate::fault::Result;
use crate::my_pool::MyPool;
use crate::session_profile::SessionProfile;
use handoff_model::CopyId;
use handoff_model::own::PREFIX;

/// The purpose of a table of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftoverKind {
    /// A shadow that was being filled.
    New,
    /// A table that was replaced and not yet dropped.
    Old,
    /// The keys of rows that were to be brought into line.
    Keys,
}

impl LeftoverKind {
    const ALL: [LeftoverKind; 3] = [LeftoverKind::New, LeftoverKind::Old, LeftoverKind::Keys];

    /// Returns the part of the name behind [`PREFIX`].
    fn word(self) -> &'static str {
        match self {
            LeftoverKind::New => "new_",
            LeftoverKind::Old => "old_",
            LeftoverKind::Keys => "keys_",
        }
    }

    /// Returns the name of the table of one copy.
    pub fn table(self, copy: CopyId) -> String {
        format!("{PREFIX}{}{copy}", self.word())
    }
}

/// A table of ours that a copy left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leftover {
    /// The copy that made it.
    pub copy_id: CopyId,
    /// Its purpose.
    pub kind: LeftoverKind,
}

impl Leftover {
    fn parse(name: &str) -> Option<Leftover> {
        LeftoverKind::ALL.into_iter().find_map(|kind| {
            let copy_id = CopyId::parse(name.strip_prefix(PREFIX)?.strip_prefix(kind.word())?)?;
            Some(Leftover { copy_id, kind })
        })
    }
}

impl MyPool {
    /// Returns the shadows and old tables that copies left in this replica, by one query.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the replica fails.
    pub fn leftovers(&self) -> Result<Vec<Leftover>> {
        let mut conn = self.get(SessionProfile::Write)?;
        let names = conn
            .query::<String, _>("SHOW TABLES LIKE '\\_\\_handoff\\_%'")
            .map_err(|error| conn.fault(&error))?;
        Ok(names.iter().filter_map(|name| Leftover::parse(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_leftovers() {
        let copy_id = CopyId::new();
        for kind in LeftoverKind::ALL {
            assert_eq!(Leftover::parse(&kind.table(copy_id)), Some(Leftover { copy_id, kind }));
        }
        assert_eq!(Leftover::parse("__handoff_new_patient"), None);
        assert_eq!(Leftover::parse("patient"), None);
    }
}
