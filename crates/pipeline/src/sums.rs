//! Comparing the sums that were taken while rows went by.

use crate::copying::MovedRows;
use crate::figures::millis;
use crate::publish::Progress;
use crate::table_run::TableRunner;
use crate::work::Work;
use crate::{Covers, Hops, Proof, Verdict};
use handoff_connect::Published;
use handoff_model::{ProofBy, TableSum};
use std::time::Instant;

impl TableRunner {
    /// Compares what hop 1 read in the source with what hop 2 read in the replica; hop 2 has compared
    /// a small table with the target. The numbers of rows need no question: each server has
    /// confirmed how many it took, and the publication that they are all there are.
    pub(crate) fn compare_moved(
        &self,
        work: &Work<'_>,
        copied: Option<MovedRows>,
        published: &Published,
        before: Option<Proof>,
    ) -> Proof {
        let started = Instant::now();
        let mut proof = before.unwrap_or_else(Proof::nothing);
        if work.loads_everything() {
            self.count_moved(&mut proof, copied, published.rows);
        } else {
            proof.covers = Covers::MovedRows;
        }
        if let (ProofBy::Sums, Some(read)) = (self.prove, published.filter_sum) {
            let comparable = |sum: &TableSum| may_be_compared(work, copied, *sum, read);
            proof.source_sum = copied.and_then(|copied| copied.sum).filter(comparable);
            proof.read_sum = Some(read);
            proof.target_sum = published.unchanged.then_some(read);
            proof.conclude();
        }
        proof.duration_ms += millis(started.elapsed());
        proof
    }

    /// Tells what is known of a copy that is not loaded: what was read, and that the replica took as
    /// many rows.
    pub(crate) fn prove_copy(&self, copied: Option<MovedRows>, progress: &mut Progress) {
        let Some(copied) = copied.filter(|_| progress.proof.is_none()) else { return };
        progress.proof = Some(Proof {
            source_rows: Some(copied.rows),
            replica_rows: Some(copied.rows),
            source_sum: copied.sum,
            ..Proof::nothing()
        });
    }

    /// Takes the numbers of rows of a table that was moved whole.
    fn count_moved(&self, proof: &mut Proof, copied: Option<MovedRows>, rows: u64) {
        if self.replicator.is_some() || self.hops == Hops::Load {
            proof.source_rows = copied.map(|copied| copied.rows).or(proof.source_rows);
            proof.replica_rows = Some(rows);
        } else {
            proof.source_rows = Some(rows);
        }
        proof.target_rows = Some(rows);
    }
}

/// Returns true unless the two sums are known to be of other rows: those that were swept away since,
/// or those that stay.
fn may_be_compared(
    work: &Work<'_>,
    copied: Option<MovedRows>,
    source: TableSum,
    read: TableSum,
) -> bool {
    let swept = copied.is_some_and(|copied| copied.swept);
    let kept = work.keeps_deleted() && read.rows > source.rows;
    source == read || !(swept || kept)
}

impl Proof {
    /// Decides by the sums.
    fn conclude(&mut self) {
        let others = [self.source_sum, self.target_sum];
        let mut others = others.into_iter().flatten().peekable();
        (self.by, self.verdict) = match self.read_sum {
            Some(read) if others.peek().is_some() => {
                let equal = others.all(|other| other == read);
                (ProofBy::Sums, if equal { Verdict::Equal } else { Verdict::Differs })
            }
            _ => (ProofBy::Counts, Verdict::SameCount),
        };
    }
}
