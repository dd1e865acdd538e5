//! The checks before a load is published in the target.

use super::{Judged, Relay};
use crate::TableError;
use crate::copying::MovedRows;
use crate::probe::Probe;
use crate::table::Evidence;
use crate::table_run::TableRunner;
use crate::work::Work;
use handoff_connect::{Fault, Published, Seal, Side};
use handoff_model::ProofBy;
use handoff_tracking::TableSeal;
use postgres::Transaction;

/// The numbers of rows that are compared before a load is published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counting<'r> {
    /// None: every row was read, and the target took as many.
    Nothing,
    /// Those of replica and target, to which nobody else writes.
    Ours,
    /// Those of the database that was read and of the target, after this was asked of the source.
    Since(&'r Probe),
}

/// The rows that the target is to equal, where every row is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadRows {
    /// Those that the load has read.
    Loaded,
    /// Those of the database that the load reads, which are read once more.
    Again,
}

/// The seal of a load, which checks before it records.
pub(crate) struct LoadChecks<'r> {
    pub(crate) runner: &'r TableRunner,
    pub(crate) work: &'r Work<'r>,
    /// Whether all rows are loaded, and not some.
    pub(crate) is_full: bool,
    pub(crate) counting: Counting<'r>,
    pub(crate) read: ReadRows,
    /// What hop 1 moved, where hop 2 reads the same rows.
    pub(crate) copied: Option<MovedRows>,
    /// What hop 1 found.
    pub(crate) before: Evidence,
    pub(crate) seal: TableSeal<'r>,
    pub(crate) relay: Relay,
}

impl LoadChecks<'_> {
    fn judge(&self, tx: &mut Transaction<'_>, published: &Published) -> Result<Judged, TableError> {
        let mut judged = match self.runner.prove {
            // Rows that stay are told apart by a comparison, once everything is in place.
            ProofBy::Rows if self.work.keeps_deleted() => self.judged(self.before.clone()),
            ProofBy::Rows => self.compare_rows(tx, published)?,
            ProofBy::Counts | ProofBy::Sums => self.compare_moved(tx, published)?,
        };
        if judged.refused.is_none() {
            let after = judged.evidence.as_ref().and_then(|evidence| evidence.rows.target);
            judged.refused = self.check_loss(after, published).err();
        }
        Ok(judged)
    }

    fn judged(&self, evidence: Evidence) -> Judged {
        Judged::by(evidence, self.runner.rule(self.work))
    }

    /// Compares what was read with what the target would hold, row by row.
    fn compare_rows(
        &self,
        tx: &mut Transaction<'_>,
        published: &Published,
    ) -> Result<Judged, TableError> {
        let loaded = published.sum.filter(|_| self.read == ReadRows::Loaded);
        let read = match loaded {
            Some(sum) => sum,
            None => self.runner.read_again(self.work)?,
        };
        let (hops, context) = (self.runner.hops, self.work.context);
        let before = self.before.clone();
        let evidence = self.runner.prover.compare_load(hops, context, tx, read, before)?;
        Ok(self.judged(evidence))
    }

    /// Compares numbers of rows, and the sums of those that both hops moved. Each is judged before the next
    /// is asked for.
    fn compare_moved(
        &self,
        tx: &mut Transaction<'_>,
        published: &Published,
    ) -> Result<Judged, TableError> {
        let mut evidence = self.before.clone();
        if let Counting::Ours = self.counting {
            evidence = Evidence::of_counts(self.runner.count_ours(self.work, tx)?);
            let judged = self.judged(evidence.clone());
            if judged.refused.is_some() {
                return Ok(judged);
            }
        }
        self.runner.take_moved(self.work, self.copied, published, &mut evidence);
        let judged = self.judged(evidence.clone());
        match self.counting {
            Counting::Since(probe) if judged.refused.is_none() => self.count(tx, probe, evidence),
            _ => Ok(judged),
        }
    }

    /// Counts the rows that the target would hold, and compares them with those of the database that
    /// was read.
    fn count(
        &self,
        tx: &mut Transaction<'_>,
        probe: &Probe,
        mut evidence: Evidence,
    ) -> Result<Judged, TableError> {
        let context = self.work.context;
        let target = self.runner.prover.count_in(tx, context)?;
        evidence.counted = true;
        evidence.rows.target = Some(target);
        if evidence.rows.replica.is_none() {
            let source = self.runner.prover.count(context)?;
            evidence.rows.source = Some(source);
            evidence.written = self.runner.written(self.work, probe, source, target)?;
        }
        Ok(self.judged(evidence))
    }

    /// Sees to it that the target does not lose too many rows.
    fn check_loss(&self, after: Option<u64>, published: &Published) -> Result<(), TableError> {
        let context = self.work.context;
        let guard = self.runner.guard_of(context);
        let (side, name) = (Side::Target, &context.name);
        let Published { inserted, deleted, .. } = *published;
        if self.is_full {
            let is_keyless = context.mapping.key.is_empty();
            let lost = if is_keyless { deleted.saturating_sub(inserted) } else { deleted };
            return guard.check_full(name, side, lost, published.before.unwrap_or(deleted));
        }
        let Some(after) = after.filter(|_| deleted > 0) else { return Ok(()) };
        guard.check_side(name, side, deleted, (after + deleted).saturating_sub(inserted))
    }
}

impl Seal for LoadChecks<'_> {
    fn check_target(&self, tx: &mut Transaction<'_>, published: &Published) -> Result<(), Fault> {
        self.relay.keep(Side::Target, self.judge(tx, published).into())
    }

    fn on_replica(&self, conn: &mut mysql::Conn, published: &Published) -> Result<(), Fault> {
        self.seal.on_replica(conn, published)
    }

    fn on_target(&self, tx: &mut Transaction<'_>, published: &Published) -> Result<(), Fault> {
        self.seal.on_target(tx, published)
    }
}
