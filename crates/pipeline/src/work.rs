//! One attempt at a table: what the plan says, or everything after all.

use crate::probe::Probe;
use crate::{PlanReport, TableContext, TableError, WatermarkColumn};
use handoff_connect::Side;
use handoff_loader::LoadMode;
use handoff_model::{Bound, ColumnName, CopyId, Deletes, Extraction, Reason, RowFilter, Watermark};
use handoff_tracking::WatermarkAt;
use jiff::Timestamp;

/// What one attempt at a table moves. Both hops take it from here.
#[derive(Debug, Clone)]
pub(crate) struct Work<'a> {
    pub(crate) context: &'a TableContext,
    pub(crate) extraction: Extraction,
    pub(crate) reason: Reason,
    pub(crate) force_full: bool,
    pub(crate) filter: &'a RowFilter,
    /// The first copy that it makes.
    pub(crate) copy_id: CopyId,
    /// Whether hop 2 loads everything although hop 1 copies changed rows.
    loads_all: bool,
    /// Whether it takes the place of an attempt that turned out not to do.
    pub(crate) is_second: bool,
    /// Whether it is an attempt that was made once already.
    pub(crate) is_again: bool,
    /// When it began to look for what to move.
    pub(crate) began: Timestamp,
}

/// Some of the rows of a [`Work`], which hop 1 copies at once, and how far the table has come then.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) filter: RowFilter,
    pub(crate) next: Vec<(WatermarkColumn, Watermark)>,
    /// Nothing is left after it.
    pub(crate) is_last: bool,
}

pub(crate) static EVERYTHING: RowFilter = RowFilter::All;

/// What is to be moved beside the window of a watermark.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// Rows that are young enough.
    bounds: Vec<Bound>,
    /// Columns that are NULL in rows which no watermark finds.
    nulls: Vec<ColumnName>,
}

impl Beside {
    /// Returns the window of the first watermark column of a filter, and what is beside it.
    pub(crate) fn of(filter: &RowFilter) -> Option<(&Bound, Beside)> {
        let RowFilter::Changed { bounds, nulls } = filter else { return None };
        let (first, others) = bounds.split_first()?;
        Some((first, Beside { bounds: others.to_vec(), nulls: nulls.clone() }))
    }
}

impl<'a> Work<'a> {
    /// What the plan says.
    pub(crate) fn planned(context: &'a TableContext) -> Work<'a> {
        Work {
            context,
            extraction: context.decision.extraction,
            reason: context.decision.reason,
            force_full: context.decision.force_full_applied,
            filter: &context.filter,
            copy_id: context.copy_id,
            loads_all: context.decision.loads_all,
            is_second: false,
            is_again: false,
            began: Timestamp::now(),
        }
    }

    /// The same once more, in the same run.
    pub(crate) fn again(self) -> Work<'a> {
        Work { copy_id: CopyId::new(), is_again: true, began: Timestamp::now(), ..self }
    }

    /// The rows that a comparison has named, which began so.
    pub(crate) fn repair(context: &'a TableContext, began: Timestamp) -> Work<'a> {
        Work {
            extraction: Extraction::Diff,
            reason: Reason::Repair,
            force_full: false,
            filter: &EVERYTHING,
            copy_id: CopyId::new(),
            loads_all: false,
            began,
            ..Work::planned(context)
        }
    }

    /// Everything, in the same run.
    pub(crate) fn in_full(self, reason: Reason) -> Work<'a> {
        Work {
            extraction: Extraction::FullTable,
            reason,
            force_full: true,
            filter: &EVERYTHING,
            copy_id: CopyId::new(),
            loads_all: true,
            is_second: true,
            began: Timestamp::now(),
            ..self
        }
    }

    /// Returns true if hop 1 is made: not if the replica holds what the source does.
    pub(crate) fn copies(&self) -> bool {
        self.reason != Reason::CopiedNotLoaded
    }

    pub(crate) fn is_incremental(&self) -> bool {
        *self.filter != RowFilter::All
    }

    /// Returns true if rows that are gone are looked for by comparing keys.
    pub(crate) fn sweeps(&self) -> bool {
        self.is_incremental() && self.context.deletes == Deletes::Sweep
    }

    /// Returns true if rows that are gone from the source stay.
    pub(crate) fn keeps_deleted(&self) -> bool {
        self.is_incremental() && self.context.deletes == Deletes::Ignore
    }

    /// Returns true if rows that stay would go, were everything moved for this reason.
    pub(crate) fn keeps_rows_from(&self, reason: Reason) -> bool {
        let by_rows =
            [Reason::RowsDeleted, Reason::RowsDiffer, Reason::Collided, Reason::ReplicaDamaged];
        self.keeps_deleted() && by_rows.contains(&reason)
    }

    /// Returns true if the rows that differ are found by comparing.
    pub(crate) fn is_compared(&self) -> bool {
        self.extraction == Extraction::Diff
    }

    /// Returns true if everything may yet take its place.
    pub(crate) fn moves_some(&self) -> bool {
        self.is_incremental() || self.is_compared()
    }

    /// Returns true if hop 2 reads every row.
    pub(crate) fn loads_everything(&self) -> bool {
        !self.moves_some() || self.loads_all
    }

    /// Returns the rows that hop 1 copies of a slice.
    pub(crate) fn copy<'s>(&self, slice: &'s Slice) -> &'s RowFilter {
        &slice.filter
    }

    /// Returns what the rows that hop 2 reads mean for the others.
    pub(crate) fn mode(&self) -> LoadMode {
        if self.loads_everything() { LoadMode::Full } else { LoadMode::Incremental }
    }

    /// Returns the rows that hop 2 loads.
    pub(crate) fn rows_to_load(&self) -> &'a RowFilter {
        if self.loads_everything() { &EVERYTHING } else { self.filter }
    }

    /// Returns the watermarks that a copy records: its own base if it is a full one.
    pub(crate) fn marks(&self, slice: &Slice, copy_id: CopyId) -> Option<Vec<WatermarkAt>> {
        let window = self.context.window.as_ref()?;
        let base = if self.is_incremental() { self.base()? } else { copy_id };
        (slice.next.len() == window.columns.len()).then(|| {
            let mark = |(column, watermark): &(WatermarkColumn, Watermark)| WatermarkAt {
                column: column.name.clone(),
                watermark: watermark.clone(),
                base,
            };
            slice.next.iter().map(mark).collect()
        })
    }

    /// Returns what tells the state of the source that a copy brings. One of changed rows without a
    /// watermark would pass for one of all rows.
    pub(crate) fn mark(&self, marks: Option<&[WatermarkAt]>) -> Option<&'a str> {
        let mark = self.context.mark.as_deref().ok();
        mark.filter(|_| !self.is_incremental() || marks.is_some())
    }

    /// The full copy that the replica builds on.
    fn base(&self) -> Option<CopyId> {
        let copy = self.context.tracked.copy.as_ref()?;
        Some(copy.watermark.as_ref()?.first()?.base)
    }

    /// Returns the only slice of a work that is not cut.
    pub(crate) fn whole(&self, probe: Option<&Probe>) -> Slice {
        let next = probe.map(|probe| probe.next.clone()).unwrap_or_default();
        Slice { filter: self.filter.clone(), next, is_last: true }
    }

    /// Returns the slice of the window of `column` from `from` on that ends before `end`, as the last one
    /// does not. The first one takes what else is to be moved: a run that ends between two slices has
    /// looked back as far as it had to, and the next one goes on from there.
    pub(crate) fn slice(
        &self,
        column: &WatermarkColumn,
        from: Watermark,
        end: Option<Watermark>,
        beside: Beside,
        probe: &Probe,
    ) -> Slice {
        let Beside { mut bounds, nulls } = beside;
        bounds.insert(0, Bound { column: column.name.clone(), from, below: end.clone() });
        let filter = RowFilter::Changed { bounds, nulls };
        match end {
            Some(end) => Slice { filter, next: vec![(column.clone(), end)], is_last: false },
            None => Slice { filter, next: probe.next.clone(), is_last: true },
        }
    }

    pub(crate) fn report(&self) -> PlanReport {
        PlanReport {
            extraction: self.extraction,
            reason: self.reason,
            force_full_applied: self.force_full,
            strategy_reason: self.context.selected.of(self.mode()).why,
            ..self.context.report()
        }
    }
}

/// Returns true if the replica's server found the table damaged there: a copy beside it takes its place.
fn damaged_replica(error: &TableError) -> bool {
    error.fault().is_some_and(|fault| fault.side() == Side::Replica && fault.is_damage())
}

/// Returns why everything is to be moved where an attempt at the changed rows ended so.
pub(crate) fn full_instead(error: &TableError) -> Option<Reason> {
    match error {
        TableError::TooMuchDiffers(_) => Some(Reason::ManyDiffer),
        TableError::Structure { .. } => Some(Reason::SchemaChanged),
        TableError::Miscounted(_) => Some(Reason::RowsDeleted),
        TableError::Differs(_) => Some(Reason::RowsDiffer),
        _ if damaged_replica(error) => Some(Reason::ReplicaDamaged),
        TableError::Copy(error) if error.is_merge_conflict() => Some(Reason::Collided),
        // What the catalogue did not tell yet when the plan was made.
        TableError::Copy(handoff_replicator::Error::NotMergeable { .. }) => {
            Some(Reason::SchemaChanged)
        }
        // A second unique index of the target, where a row that is gone has the value still.
        TableError::Load(error) => {
            let code = error.fault().and_then(handoff_connect::Fault::code);
            (code == Some("23505")).then_some(Reason::Collided)
        }
        _ => None,
    }
}
