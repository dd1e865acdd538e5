//! The checks before a publication.
//!
//! Everything that a run does to a table in a database becomes visible at once, together with its record: the
//! window, the rows that are gone, those that no window found. Everything that could refuse it is asked before,
//! inside the publishing transaction: the number of rows that would be deleted, whether the numbers of rows are
//! the same, whether the rows that were read are those that were sent. A refusal leaves data and record as they
//! were.

use super::attempt::EVERYTHING;
use super::evidence::{Evidence, ProofRule, SideRows, WrittenSince};
use super::probe::Probe;
use super::roles::{PlacedRows, PublicationCheck};
use super::run_scope::RunScope;
use super::steps::{Counting, Route};
use crate::error::TableError;
use handoff_connect::{PublishedRows, Side};
use handoff_model::{ProofBy, TableSum};
use handoff_plan::{Hops, TablePlan};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The rows that hop 1 moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MovedRows {
    pub(crate) rows: u64,
    /// Their sum as they were read, if it was taken.
    pub(crate) sum: Option<TableSum>,
    /// True if rows were brought into line by their keys since.
    pub(crate) is_swept: bool,
}

/// The table that a check is about, and the findings on it so far.
pub(crate) struct CheckScope<'r> {
    pub(crate) run: &'r RunScope<'r>,
    pub(crate) plan: &'r TablePlan,
    pub(crate) route: Route,
    pub(crate) rule: ProofRule,
    /// The source's answer before, if it was asked.
    pub(crate) probe: Option<&'r Probe>,
    /// The evidence of the steps before.
    pub(crate) before: Evidence,
}

impl CheckScope<'_> {
    /// Counts the rows that were written to the source since the probe, if they could explain why it has more
    /// than arrived.
    fn written(&self, source: u64, arrived: u64) -> Result<Option<WrittenSince>, TableError> {
        let Some(probe) = self.probe else { return Ok(None) };
        let first_look = probe.rows;
        if !Evidence::may_be_explained(source, arrived, first_look) {
            return Ok(None);
        }
        let Some(later) = probe.later() else { return Ok(None) };
        let rows = self.run.questions.count(Side::Source, self.plan, &later)?;
        Ok(Some(WrittenSince { first_look, rows }))
    }

    fn judge(&self, evidence: &Evidence) -> Result<(), TableError> {
        evidence.error(self.rule).map_or(Ok(()), Err)
    }
}

/// The evidence of a check that was made.
#[derive(Debug, Default)]
struct Judged(Mutex<Option<Evidence>>);

impl Judged {
    fn keep(&self, evidence: Evidence) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(evidence);
    }

    fn into_evidence(self) -> Option<Evidence> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The check before a copy is published in the replica.
pub(crate) struct CopyCheck<'r> {
    scope: CheckScope<'r>,
    /// True if the rows of both sides are counted.
    counts: bool,
    judged: Judged,
}

impl<'r> CopyCheck<'r> {
    pub(crate) fn new(scope: CheckScope<'r>, counts: bool) -> CopyCheck<'r> {
        CopyCheck { scope, counts, judged: Judged::default() }
    }

    /// Returns the evidence of the check, if there is any.
    pub(crate) fn into_evidence(self) -> Option<Evidence> {
        self.judged.into_evidence()
    }

    /// Sees to it that the replica does not lose too many rows to a full copy, as far as their numbers tell.
    /// The old ones are counted only where their likely number means too great a loss.
    fn check_loss(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
    ) -> Result<(), TableError> {
        let CheckScope { run, plan, .. } = &self.scope;
        let limit = run.delete_limit(plan);
        let (side, arrived) = (Side::Replica, published.rows);
        let before = match published.before {
            Some(before) => before,
            None if plan.replica.is_none() => return Ok(()),
            None => {
                let likely = likely_rows(plan);
                let lost = likely.saturating_sub(arrived);
                if limit.check_full(&plan.name, side, lost, likely).is_ok() {
                    return Ok(());
                }
                rows.count()?
            }
        };
        limit.check_full(&plan.name, side, before.saturating_sub(arrived), before)
    }

    /// Counts the rows of source and replica. Rows that came since the probe are no difference.
    fn count(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
    ) -> Result<Evidence, TableError> {
        let CheckScope { run, plan, route, .. } = &self.scope;
        let source = run.questions.count(Side::Source, plan, &EVERYTHING)?;
        let replica = if route.goal.is_window() { rows.count()? } else { published.rows };
        let counts = SideRows { source: Some(source), replica: Some(replica), target: None };
        let mut evidence = Evidence::of_counts(counts);
        evidence.written = self.scope.written(source, replica)?;
        Ok(evidence)
    }
}

impl PublicationCheck for CopyCheck<'_> {
    fn check(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
    ) -> Result<(), TableError> {
        if !self.scope.route.goal.is_window() {
            self.check_loss(published, rows)?;
        }
        if !self.counts {
            return Ok(());
        }
        let evidence = self.count(published, rows)?;
        self.judged.keep(evidence.clone());
        self.scope.judge(&evidence)
    }
}

/// Returns the most rows that the replica's table is likely to have, by its records and its catalogue.
pub(crate) fn likely_rows(plan: &TablePlan) -> u64 {
    let tracked = &plan.tracked;
    let counted = tracked.load.as_ref().and_then(|load| load.replica_rows);
    let copied = tracked.copy.as_ref().and_then(|copy| copy.rows);
    let listed = plan.replica.as_ref().map(|replica| replica.rows);
    [counted, copied, listed].into_iter().flatten().max().unwrap_or(0)
}

/// The rows that the target is to equal, where every row is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadRows {
    /// Those that the load has read.
    Loaded,
    /// Those of the database that the load reads, which are read once more.
    Again,
}

/// The check before a load is published in the target.
pub(crate) struct LoadCheck<'r> {
    pub(crate) scope: CheckScope<'r>,
    /// True if all rows are loaded, and not some.
    pub(crate) is_full: bool,
    pub(crate) counting: Counting,
    pub(crate) read: ReadRows,
    /// The rows that hop 1 moved, where hop 2 reads the same.
    pub(crate) moved: Option<MovedRows>,
    judged: Judged,
}

impl<'r> LoadCheck<'r> {
    pub(crate) fn new(
        scope: CheckScope<'r>,
        counting: Counting,
        moved: Option<MovedRows>,
    ) -> LoadCheck<'r> {
        let (read, judged) = (ReadRows::Again, Judged::default());
        LoadCheck { scope, is_full: false, counting, read, moved, judged }
    }

    /// Makes it the check of a load of all rows, of which the target is to equal `read`.
    #[must_use]
    pub(crate) fn full(self, read: ReadRows) -> LoadCheck<'r> {
        LoadCheck { is_full: true, read, ..self }
    }

    /// Returns the evidence of the check, if there is any.
    pub(crate) fn into_evidence(self) -> Option<Evidence> {
        self.judged.into_evidence()
    }

    /// Adds the findings of the publishing transaction to `evidence`, and judges each of them before the next
    /// is asked for.
    fn look(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
        evidence: &mut Evidence,
    ) -> Result<(), TableError> {
        match self.scope.rule {
            // Rows that stay are told apart by a comparison, once everything is in place.
            ProofRule { by: ProofBy::Rows, retains: true } => {}
            ProofRule { by: ProofBy::Rows, .. } => self.read_back(published, rows, evidence)?,
            ProofRule { by: ProofBy::Counts | ProofBy::Sums, .. } => {
                self.compare_moved(published, rows, evidence)?;
            }
        }
        self.scope.judge(evidence)?;
        self.check_loss(evidence.rows.target, published)
    }

    /// Compares the rows that were read with those that the target would hold.
    fn read_back(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
        evidence: &mut Evidence,
    ) -> Result<(), TableError> {
        let CheckScope { run, plan, .. } = &self.scope;
        let read = match published.sum.filter(|_| self.read == ReadRows::Loaded) {
            Some(sum) => sum,
            None => run.questions.sum_read(plan)?,
        };
        let started = Instant::now();
        if evidence.at.is_none() {
            let counted = Some(run.questions.count_read(plan)?);
            match run.stages.hops {
                Hops::Load => evidence.rows.replica = counted,
                Hops::Both | Hops::Copy => evidence.rows.source = counted,
            }
        }
        evidence.take_read_back(read, rows.sum()?);
        evidence.looked(started.elapsed());
        Ok(())
    }

    /// Compares numbers of rows, and the sums of those that both hops moved.
    fn compare_moved(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
        evidence: &mut Evidence,
    ) -> Result<(), TableError> {
        let CheckScope { run, plan, .. } = &self.scope;
        if self.counting == Counting::Ours {
            let replica = Some(run.questions.count_read(plan)?);
            let target = Some(rows.count()?);
            *evidence = Evidence::of_counts(SideRows { source: None, replica, target });
            self.scope.judge(evidence)?;
        }
        self.take_moved(published, evidence);
        if self.counting == Counting::SinceProbe {
            self.scope.judge(evidence)?;
            self.count(rows, evidence)?;
        }
        Ok(())
    }

    /// Adds the rows that hop 1 read in the source and those that hop 2 read in the replica; hop 2 has compared
    /// a small table with the target. The numbers of rows need no question: each server has confirmed the
    /// number that it took, and the publication that there are no others.
    fn take_moved(&self, published: &PublishedRows, evidence: &mut Evidence) {
        evidence.looked(std::time::Duration::ZERO);
        if self.is_full {
            let counts = &mut evidence.rows;
            if self.scope.run.stages.has_replica {
                counts.source = self.moved.map(|moved| moved.rows).or(counts.source);
                counts.replica = Some(published.rows);
            } else {
                counts.source = Some(published.rows);
            }
            counts.target = Some(published.rows);
        } else {
            evidence.is_of_moved = true;
        }
        if let (ProofBy::Sums, Some(read)) = (self.scope.rule.by, published.filter_sum) {
            evidence.sums.source = self.comparable_sum(read);
            evidence.sums.read = Some(read);
            evidence.sums.target = published.unchanged.then_some(read);
        }
    }

    /// Returns the sum of hop 1 unless it is known to be of other rows than `read`: of some that were swept away
    /// since, or without those that stay.
    fn comparable_sum(&self, read: TableSum) -> Option<TableSum> {
        let moved = self.moved?;
        let source = moved.sum?;
        let retained = self.scope.rule.retains && read.rows > source.rows;
        (source == read || !(moved.is_swept || retained)).then_some(source)
    }

    /// Counts the rows that the target would hold, and those of the source where no replica was counted.
    fn count(&self, rows: &mut dyn PlacedRows, evidence: &mut Evidence) -> Result<(), TableError> {
        let target = rows.count()?;
        evidence.counted = true;
        evidence.rows.target = Some(target);
        if evidence.rows.replica.is_none() {
            let source = self.scope.run.questions.count_read(self.scope.plan)?;
            evidence.rows.source = Some(source);
            evidence.written = self.scope.written(source, target)?;
        }
        Ok(())
    }

    /// Sees to it that the target does not lose too many rows. It has `after` of them then, if they were counted.
    fn check_loss(&self, after: Option<u64>, published: &PublishedRows) -> Result<(), TableError> {
        let CheckScope { run, plan, .. } = &self.scope;
        let limit = run.delete_limit(plan);
        let (side, name) = (Side::Target, &plan.name);
        let PublishedRows { inserted, deleted, .. } = *published;
        if self.is_full {
            let is_keyless = plan.mapping.key.is_empty();
            let lost = if is_keyless { deleted.saturating_sub(inserted) } else { deleted };
            return limit.check_full(name, side, lost, published.before.unwrap_or(deleted));
        }
        let Some(after) = after.filter(|_| deleted > 0) else { return Ok(()) };
        limit.check_side(name, side, deleted, (after + deleted).saturating_sub(inserted))
    }
}

impl PublicationCheck for LoadCheck<'_> {
    fn check(
        &self,
        published: &PublishedRows,
        rows: &mut dyn PlacedRows,
    ) -> Result<(), TableError> {
        let mut evidence = self.scope.before.clone();
        let done = self.look(published, rows, &mut evidence);
        self.judged.keep(evidence);
        done
    }
}

#[cfg(test)]
mod tests;
