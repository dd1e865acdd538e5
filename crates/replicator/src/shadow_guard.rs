//! The life of a shadow table.

use crate::job::CopyJob;
use crate::leftover::{Leftover, LeftoverKind};
use crate::pair::Replicator;
use handoff_model::chain;

/// A table of ours that exists in the replica; dropped there with this value, unless it was renamed.
pub(crate) struct ShadowGuard<'a> {
    replicator: &'a Replicator,
    leftover: Leftover,
    exists: bool,
}

/// The empty shadow of a table.
pub(crate) struct EmptyShadow<'a> {
    pub(crate) guard: ShadowGuard<'a>,
    pub(crate) name: String,
    /// The statement that builds the indexes which the shadow still lacks.
    pub(crate) add_indexes: Option<String>,
}

impl<'a> ShadowGuard<'a> {
    pub(crate) fn new(
        replicator: &'a Replicator,
        job: CopyJob<'_>,
        kind: LeftoverKind,
    ) -> ShadowGuard<'a> {
        let leftover = Leftover { copy_id: job.copy_id, kind };
        ShadowGuard { replicator, leftover, exists: true }
    }

    /// Notes that the shadow has become the table.
    pub(crate) fn renamed(&mut self) {
        self.exists = false;
    }
}

impl Drop for ShadowGuard<'_> {
    fn drop(&mut self) {
        if !self.exists {
            return;
        }
        // The next run finds it by its name.
        if let Err(error) = self.replicator.drop_leftover(&self.leftover) {
            let name = self.leftover.kind.table(self.leftover.copy_id);
            log::warn!("the unfinished `{name}` stays in the replica for now: {}", chain(&error));
        }
    }
}
