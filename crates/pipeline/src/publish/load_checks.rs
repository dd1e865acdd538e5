//! The checks before a load is published in the target.

use super::{Judged, Relay};
use crate::copying::MovedRows;
use crate::probe::Probe;
use crate::table_run::TableRunner;
use crate::work::Work;
use crate::{Proof, TableError, Verdict};
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
    pub(crate) before: Option<Proof>,
    pub(crate) seal: TableSeal<'r>,
    pub(crate) relay: Relay,
}

impl LoadChecks<'_> {
    fn judge(&self, tx: &mut Transaction<'_>, published: &Published) -> Result<Judged, TableError> {
        let judged = match self.runner.prove {
            // Rows that stay are told apart by a comparison, once everything is in place.
            ProofBy::Rows if self.work.keeps_deleted() => Judged::good(self.before.clone()),
            ProofBy::Rows => self.compare_rows(tx, published)?,
            ProofBy::Counts | ProofBy::Sums => self.compare_moved(tx, published)?,
        };
        if judged.refused.is_some() {
            return Ok(judged);
        }
        Ok(match self.check_loss(judged.proof.as_ref(), published) {
            Ok(()) => judged,
            Err(error) => Judged::bad(judged.proof, error),
        })
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
        let proof = self.runner.prover.compare_load(hops, context, tx, read, &self.before)?;
        Ok(match proof.verdict {
            Verdict::Differs => {
                let error = TableError::Differs(proof.difference());
                Judged::bad(Some(proof), error)
            }
            Verdict::Equal | Verdict::SameCount => Judged::good(Some(proof)),
        })
    }

    /// Compares numbers of rows, and the sums of those that both hops moved.
    fn compare_moved(
        &self,
        tx: &mut Transaction<'_>,
        published: &Published,
    ) -> Result<Judged, TableError> {
        let mut proof = self.before.clone();
        if let Counting::Ours = self.counting {
            let ours = self.runner.count_ours(self.work, tx)?;
            if ours.replica_rows != ours.target_rows {
                let error = TableError::Miscounted(ours.difference());
                return Ok(Judged::bad(Some(ours), error));
            }
            proof = Some(ours);
        }
        let proof = self.runner.compare_moved(self.work, self.copied, published, proof);
        if proof.verdict == Verdict::Differs {
            let error = TableError::Differs(proof.difference());
            return Ok(Judged::bad(Some(proof), error));
        }
        match self.counting {
            Counting::Since(probe) => self.count(tx, probe, proof),
            Counting::Nothing | Counting::Ours => Ok(Judged::good(Some(proof))),
        }
    }

    /// Counts the rows that the target would hold, and compares them with those of the database that
    /// was read.
    fn count(
        &self,
        tx: &mut Transaction<'_>,
        probe: &Probe,
        mut proof: Proof,
    ) -> Result<Judged, TableError> {
        let context = self.work.context;
        let target = self.runner.prover.count_in(tx, context)?;
        proof.counted = true;
        proof.target_rows = Some(target);
        let equal = match proof.replica_rows {
            Some(replica) => replica == target,
            None => {
                let source = self.runner.prover.count(context)?;
                proof.source_rows = Some(source);
                self.runner.is_explained(self.work, probe, source, target)?
            }
        };
        if equal {
            return Ok(Judged::good(Some(proof)));
        }
        proof.verdict = Verdict::Differs;
        let error = TableError::Miscounted(proof.difference());
        Ok(Judged::bad(Some(proof), error))
    }

    /// Sees to it that the target does not lose too many rows.
    fn check_loss(&self, proof: Option<&Proof>, published: &Published) -> Result<(), TableError> {
        let context = self.work.context;
        let guard = self.runner.guard_of(context);
        let (side, name) = (Side::Target, &context.name);
        let Published { inserted, deleted, .. } = *published;
        if self.is_full {
            let is_keyless = context.mapping.key.is_empty();
            let lost = if is_keyless { deleted.saturating_sub(inserted) } else { deleted };
            return guard.check_full(name, side, lost, published.before.unwrap_or(deleted));
        }
        let after = proof.and_then(|proof| proof.target_rows);
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
