//! The sums and numbers of rows that were taken while rows went by.

use crate::Hops;
use crate::copying::MovedRows;
use crate::publish::Progress;
use crate::table::Evidence;
use crate::table_run::TableRunner;
use crate::work::Work;
use handoff_connect::Published;
use handoff_model::{ProofBy, TableSum};
use std::time::Instant;

impl TableRunner {
    /// Adds what hop 1 read in the source and what hop 2 read in the replica; hop 2 has compared a small table
    /// with the target. The numbers of rows need no question: each server has confirmed how many it took, and
    /// the publication that they are all there are.
    pub(crate) fn take_moved(
        &self,
        work: &Work<'_>,
        copied: Option<MovedRows>,
        published: &Published,
        evidence: &mut Evidence,
    ) {
        let started = Instant::now();
        if work.loads_everything() {
            self.count_moved(evidence, copied, published.rows);
        } else {
            evidence.is_of_moved = true;
        }
        if let (ProofBy::Sums, Some(read)) = (self.prove, published.filter_sum) {
            let comparable = |sum: &TableSum| may_be_compared(work, copied, *sum, read);
            evidence.sums.source = copied.and_then(|copied| copied.sum).filter(comparable);
            evidence.sums.read = Some(read);
            evidence.sums.target = published.unchanged.then_some(read);
        }
        evidence.looked(started.elapsed());
    }

    /// Tells what is known of a copy that is not loaded: what was read, and that the replica took as
    /// many rows.
    pub(crate) fn prove_copy(&self, copied: Option<MovedRows>, progress: &mut Progress) {
        let evidence = &mut progress.evidence;
        let Some(copied) = copied.filter(|_| evidence.at.is_none()) else { return };
        *evidence = Evidence::begun();
        evidence.rows.source = Some(copied.rows);
        evidence.rows.replica = Some(copied.rows);
        evidence.sums.source = copied.sum;
    }

    /// Takes the numbers of rows of a table that was moved whole.
    fn count_moved(&self, evidence: &mut Evidence, copied: Option<MovedRows>, rows: u64) {
        let counts = &mut evidence.rows;
        if self.replicator.is_some() || self.hops == Hops::Load {
            counts.source = copied.map(|copied| copied.rows).or(counts.source);
            counts.replica = Some(rows);
        } else {
            counts.source = Some(rows);
        }
        counts.target = Some(rows);
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
