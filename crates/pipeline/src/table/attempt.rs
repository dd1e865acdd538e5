//! One attempt at a table: as the plan says, or everything after all.

use super::probe::Probe;
use super::steps::{Goal, Route, Stages};
use handoff_loader::LoadMode;
use handoff_model::{
    ColumnName, CopyId, Extraction, Reason, RowFilter, TablePhase, Watermark, WatermarkWindow,
};
use handoff_plan::{PlanReport, TablePlan, WatermarkColumn};
use handoff_tracking::{CopyState, PublishedMove, WatermarkAt};
use jiff::Timestamp;

/// One attempt at a table. It tells both hops which rows to move.
#[derive(Debug, Clone)]
pub(crate) struct Attempt<'p> {
    pub(crate) plan: &'p TablePlan,
    pub(crate) extraction: Extraction,
    pub(crate) reason: Reason,
    force_full: bool,
    pub(crate) filter: &'p RowFilter,
    /// The first copy that it makes.
    pub(crate) copy_id: CopyId,
    /// True if hop 2 loads everything although hop 1 copies changed rows.
    loads_all: bool,
    /// True if it takes the place of an attempt that turned out not to do.
    is_second: bool,
    /// True if it was made once already.
    is_again: bool,
    /// The time at which it began to look for rows to move.
    pub(crate) began: Timestamp,
}

/// Some of the rows of an [`Attempt`], which hop 1 copies at once, and the watermarks of the table after them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WindowSlice {
    pub(crate) filter: RowFilter,
    pub(crate) next: Vec<(WatermarkColumn, Watermark)>,
    /// True if nothing is left after it.
    pub(crate) is_last: bool,
}

/// The rows that are moved beside the window of a watermark.
#[derive(Debug, Clone, Default)]
struct WindowExtras {
    /// Rows that are young enough.
    bounds: Vec<WatermarkWindow>,
    /// Columns that are NULL in rows which no watermark finds.
    nulls: Vec<ColumnName>,
}

/// The part of a window that is not cut yet.
#[derive(Debug, Clone)]
pub(crate) struct WindowCut {
    pub(crate) column: WatermarkColumn,
    from: Watermark,
    below: Watermark,
    /// The rows that the next slice takes beside its own.
    extras: WindowExtras,
    next: Vec<(WatermarkColumn, Watermark)>,
}

pub(crate) static EVERYTHING: RowFilter = RowFilter::All;

impl<'p> Attempt<'p> {
    /// Makes the attempt that the plan says.
    pub(crate) fn planned(plan: &'p TablePlan) -> Attempt<'p> {
        Attempt {
            plan,
            extraction: plan.decision.extraction,
            reason: plan.decision.reason,
            force_full: plan.decision.force_full_applied,
            filter: &plan.filter,
            copy_id: plan.copy_id,
            loads_all: plan.decision.loads_all,
            is_second: false,
            is_again: false,
            began: Timestamp::now(),
        }
    }

    /// Makes the attempt at the rows that a comparison names, which began then.
    pub(crate) fn repair(plan: &'p TablePlan, began: Timestamp) -> Attempt<'p> {
        Attempt {
            extraction: Extraction::Diff,
            reason: Reason::Repair,
            force_full: false,
            filter: &EVERYTHING,
            copy_id: CopyId::new(),
            loads_all: false,
            began,
            ..Attempt::planned(plan)
        }
    }

    /// Makes the same attempt once more, in the same run.
    pub(crate) fn again(&self) -> Attempt<'p> {
        let (copy_id, began) = (CopyId::new(), Timestamp::now());
        Attempt { copy_id, is_again: true, began, ..self.clone() }
    }

    /// Makes the attempt at everything, in the same run.
    pub(crate) fn in_full(&self, reason: Reason) -> Attempt<'p> {
        Attempt {
            extraction: Extraction::FullTable,
            reason,
            force_full: true,
            filter: &EVERYTHING,
            copy_id: CopyId::new(),
            loads_all: true,
            is_second: true,
            began: Timestamp::now(),
            ..self.clone()
        }
    }

    /// Returns all that decides which steps the attempt takes.
    pub(crate) fn route(&self, stages: Stages) -> Route {
        let goal = match self.extraction {
            _ if self.reason == Reason::Unchanged => Goal::Nothing,
            Extraction::Diff => Goal::Differing,
            _ if *self.filter != RowFilter::All => Goal::Window,
            _ => Goal::Everything,
        };
        Route {
            goal,
            stages,
            deletes: self.plan.deletes,
            has_window: self.plan.window.is_some(),
            is_cut: self.extraction == Extraction::IncrementalChunked,
            loads_all: self.loads_all,
            copies: self.reason != Reason::CopiedNotLoaded,
            was_empty: self.reason == Reason::Configured && self.plan.was_empty(),
            is_repair: self.reason == Reason::Repair,
            is_second: self.is_second,
            is_again: self.is_again,
        }
    }

    /// Returns the rows that hop 2 loads.
    pub(crate) fn rows_to_load(&self, mode: LoadMode) -> &'p RowFilter {
        if mode == LoadMode::Full { &EVERYTHING } else { self.filter }
    }

    /// Returns the watermarks that a copy records: its own base if it is a full one.
    pub(crate) fn marks(&self, slice: &WindowSlice, copy_id: CopyId) -> Option<Vec<WatermarkAt>> {
        let window = self.plan.window.as_ref()?;
        let base = if *self.filter != RowFilter::All { self.base()? } else { copy_id };
        if slice.next.len() != window.columns.len() {
            return None;
        }
        let marks = slice.next.iter().map(|(column, watermark)| WatermarkAt {
            column: column.name.clone(),
            watermark: watermark.clone(),
            base,
        });
        Some(marks.collect())
    }

    /// Returns the recorded watermarks of a hop. Rows that a comparison found move no watermark, and lose none:
    /// later ones are still found by it.
    pub(crate) fn recorded_marks(&self, phase: TablePhase) -> Option<Vec<WatermarkAt>> {
        let tracked = &self.plan.tracked;
        match phase {
            TablePhase::Copy => tracked.copy.as_ref()?.watermark.clone(),
            _ => tracked.load.as_ref()?.watermark.clone(),
        }
    }

    /// Returns the full copy that the replica builds on.
    fn base(&self) -> Option<CopyId> {
        let copy = self.plan.tracked.copy.as_ref()?;
        Some(copy.watermark.as_ref()?.first()?.base)
    }

    /// Returns the record of a hop, which the movers write with the rows.
    pub(crate) fn record<'a>(
        &'a self,
        copy_id: Option<CopyId>,
        watermark: Option<&'a [WatermarkAt]>,
    ) -> PublishedMove<'a> {
        let plan = self.plan;
        // A copy of changed rows without a watermark would pass for one of all rows.
        let is_told = *self.filter == RowFilter::All || watermark.is_some();
        PublishedMove {
            table: &plan.name,
            copy_id,
            copied_at: plan.tracked.copy.as_ref().and_then(CopyState::data_as_of),
            copied_from: plan.copied_from(),
            watermark,
            fingerprint: &plan.fingerprint,
            columns: &plan.columns,
            source_mark: plan.change_token.as_deref().ok().filter(|_| is_told),
            reason: self.reason,
            extraction: self.extraction,
            is_whole: true,
        }
    }

    /// Returns the only slice of an attempt that is not cut.
    pub(crate) fn whole(&self, probe: Option<&Probe>) -> WindowSlice {
        let next = probe.map(|probe| probe.next.clone()).unwrap_or_default();
        WindowSlice { filter: self.filter.clone(), next, is_last: true }
    }

    /// Returns the window that is to be cut into slices, if it can be: one of a single watermark column.
    pub(crate) fn cut(&self, probe: Option<&Probe>) -> Option<WindowCut> {
        let next = &probe?.next;
        let RowFilter::Changed { bounds, nulls } = self.filter else { return None };
        let (first, others) = bounds.split_first()?;
        let [(column, below)] = &next[..] else { return None };
        Some(WindowCut {
            column: column.clone(),
            from: first.from.clone(),
            below: below.clone(),
            extras: WindowExtras { bounds: others.to_vec(), nulls: nulls.clone() },
            next: next.clone(),
        })
    }

    pub(crate) fn report(&self, mode: LoadMode) -> PlanReport {
        PlanReport {
            extraction: self.extraction,
            reason: self.reason,
            force_full_applied: self.force_full,
            strategy_reason: self.plan.load_strategy.of(mode).why,
            ..self.plan.report()
        }
    }
}

impl WindowCut {
    /// Returns the bounds of the rest.
    pub(crate) fn bound(&self) -> WatermarkWindow {
        let column = self.column.name.clone();
        WatermarkWindow { column, from: self.from.clone(), below: Some(self.below.clone()) }
    }

    /// Cuts off the slice that ends before `end`, or takes the rest. The first one takes the rows beside the
    /// window as well: a run that ends between two slices has looked back as far as it had to, and the next one
    /// goes on from there.
    pub(crate) fn slice(&mut self, end: Option<Watermark>) -> WindowSlice {
        let WindowExtras { mut bounds, nulls } = std::mem::take(&mut self.extras);
        let from = match &end {
            Some(end) => std::mem::replace(&mut self.from, end.clone()),
            None => self.from.clone(),
        };
        bounds.insert(
            0,
            WatermarkWindow { column: self.column.name.clone(), from, below: end.clone() },
        );
        let filter = RowFilter::Changed { bounds, nulls };
        match end {
            Some(end) => {
                WindowSlice { filter, next: vec![(self.column.clone(), end)], is_last: false }
            }
            None => WindowSlice { filter, next: self.next.clone(), is_last: true },
        }
    }
}

/// Returns the marks of a copy in which rows were brought into line that no window finds: like a full copy
/// it is one that a load has to build upon, and one that was loaded before does not.
pub(crate) fn rebased(marks: Option<&[WatermarkAt]>, base: CopyId) -> Option<Vec<WatermarkAt>> {
    Some(marks?.iter().map(|mark| WatermarkAt { base, ..mark.clone() }).collect())
}

#[cfg(test)]
mod tests;
