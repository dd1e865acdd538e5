//! Tables in which rows stay that are gone from the source.

use crate::diff::{Between, Found};
use crate::publish::Progress;
use crate::table_run::TableRunner;
use crate::wording::grouped;
use crate::work::Work;
use crate::{Hops, Proof, TableError};
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
    /// Compares every row, of which the source may lack some.
    pub(crate) fn compare_but_kept(
        &self,
        work: &Work<'_>,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        let first = if self.hops == Hops::Load { Side::Replica } else { Side::Source };
        let found = self.found(work.context, Between { first, last: Side::Target })?;
        let found = found.but_kept();
        let proof = found.proof_but_kept();
        let difference = proof.difference();
        progress.proof = Some(proof);
        if found.0.is_equal() { Ok(()) } else { Err(TableError::Differs(difference)) }
    }

    /// Says how many rows stay, once they were counted.
    pub(crate) fn note_kept(&self, work: &Work<'_>, progress: &mut Progress) {
        let Some(proof) = progress.proof.as_mut().filter(|_| work.keeps_deleted()) else { return };
        proof.keep();
        progress.notes.extend(proof.what_is_kept());
    }
}

impl Found {
    /// Tells what the comparison says of a table that keeps rows.
    pub(crate) fn proof_but_kept(&self) -> Proof {
        // The sums are of all rows, those that are kept among them, and not to be compared.
        let mut proof = Proof { read_sum: None, target_sum: None, ..self.proof() };
        proof.keep();
        proof
    }
}

impl Proof {
    /// Counts the rows that the source has no more.
    fn keep(&mut self) {
        self.kept_rows = self.source_rows.and_then(|source| self.target_rows?.checked_sub(source));
    }

    /// Says how many rows the target keeps that the source has no more, if it does.
    pub(crate) fn what_is_kept(&self) -> Option<String> {
        let kept = self.kept_rows.filter(|&kept| kept > 0)?;
        Some(format!(
            "the target holds {} rows more than the source, which are gone from there (deletes = \
             \"ignore\")",
            grouped(kept)
        ))
    }
}
