//! Tables in which rows stay that are gone from the source.

use crate::diff::Between;
use crate::publish::Progress;
use crate::table::ProofRule;
use crate::table_run::TableRunner;
use crate::work::Work;
use crate::{Hops, TableError};
use handoff_connect::Side;
use handoff_model::TableName;

/// Says why a table is not moved in full.
pub(crate) fn kept_note(table: &TableName) -> String {
    let name = table.in_shell();
    format!(
        "it keeps rows that are gone from the source (deletes = \"ignore\"), so it is not moved in \
         full by itself: `etl repair {name}` brings the other rows into line; `etl run {name} --full \
         --max-delete-percent 100` moves it, and then they are gone"
    )
}

impl TableRunner {
    /// Returns the rule by which an attempt at a table is judged.
    pub(crate) fn rule(&self, work: &Work<'_>) -> ProofRule {
        ProofRule { by: self.prove, retains: work.keeps_deleted() }
    }

    /// Compares every row, of which the source may lack some.
    pub(crate) fn compare_but_kept(
        &self,
        work: &Work<'_>,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        let first = if self.hops == Hops::Load { Side::Replica } else { Side::Source };
        let found = self.found(work.context, Between { first, last: Side::Target })?;
        progress.evidence = found.but_kept().evidence(true);
        progress.evidence.error(self.rule(work)).map_or(Ok(()), Err)
    }

    /// Says how many rows stay, once they were counted.
    pub(crate) fn note_kept(&self, work: &Work<'_>, progress: &mut Progress) {
        progress.notes.extend(progress.evidence.retained_note(self.rule(work)));
    }
}
