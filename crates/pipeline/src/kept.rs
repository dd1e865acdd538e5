//! Tables in which rows stay that are gone from the source.

use crate::diff::Between;
use crate::table_run::TableRunner;
use crate::wording::grouped;
use crate::work::Work;
use crate::{Hops, Proof, TableError, TableReport, Verdict};
use handoff_connect::Side;
use handoff_model::TableName;

/// Says why a table is not moved in full.
pub(crate) fn kept_note(table: &TableName) -> String {
    format!(
        "it keeps rows that are gone from the source (deletes = \"ignore\"), so it is not moved in \
         full by itself; `etl run {table} --full` does, and then they are gone"
    )
}

impl TableRunner {
    /// Compares every row, of which the source may lack some.
    pub(crate) fn compare_but_kept(
        &self,
        work: &Work<'_>,
        report: &mut TableReport,
    ) -> Result<(), TableError> {
        let first = if self.hops == Hops::Load { Side::Replica } else { Side::Source };
        let found = self.found(work.context, Between { first, last: Side::Target })?;
        let equal = found.pairs().all(|(pair, _)| {
            let gone = if pair.first == Side::Source { 0 } else { pair.phantom };
            pair.missing + pair.stale + pair.moving + gone == 0
        });
        let mut proof = Proof {
            verdict: if equal { Verdict::Equal } else { Verdict::Differs },
            // Of all rows, those that are kept among them: not to be compared.
            read_sum: None,
            target_sum: None,
            ..found.proof()
        };
        proof.keep();
        let difference = proof.difference();
        report.proof = Some(proof);
        if equal { Ok(()) } else { Err(TableError::Differs(difference)) }
    }

    /// Says how many rows stay, once they were counted.
    pub(crate) fn note_kept(&self, work: &Work<'_>, report: &mut TableReport) {
        let Some(proof) = report.proof.as_mut().filter(|_| work.keeps_deleted()) else { return };
        proof.keep();
        if let Some(kept) = proof.kept_rows.filter(|&kept| kept > 0) {
            let rows = grouped(kept);
            report.notes.push(format!(
                "the target holds {rows} rows more than the source, which are gone from there \
                 (deletes = \"ignore\")"
            ));
        }
    }
}

impl Proof {
    /// Counts the rows that the source has no more.
    fn keep(&mut self) {
        self.kept_rows = self.source_rows.and_then(|source| self.target_rows?.checked_sub(source));
    }
}
