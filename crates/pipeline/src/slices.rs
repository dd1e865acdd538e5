//! Cutting what is to be moved.

use crate::probe::Probe;
use crate::table_run::TableRunner;
use crate::work::{Beside, Slice, Work};
use crate::{TableError, WatermarkColumn};
use handoff_model::{Bound, Extraction, Watermark};

/// The slices in which hop 1 copies the rows of a work, in order. Only `incremental_chunked` has more
/// than one; each end is looked up in the source when the slice before it has arrived. Hop 2 loads the
/// whole window, once.
pub(crate) struct Slices<'a> {
    work: &'a Work<'a>,
    probe: Option<&'a Probe>,
    cut: Option<Cut<'a>>,
    rows: u64,
    is_done: bool,
}

/// Where the next slice begins, and below which value it is to end.
struct Cut<'a> {
    column: &'a WatermarkColumn,
    from: Watermark,
    below: Watermark,
    /// What the first slice takes beside its own.
    beside: Beside,
}

impl<'a> Slices<'a> {
    /// Cuts into slices of about `rows` rows.
    pub(crate) fn new(work: &'a Work<'a>, probe: Option<&'a Probe>, rows: u64) -> Slices<'a> {
        let chunked = probe.filter(|_| work.extraction == Extraction::IncrementalChunked);
        let cut = chunked.and_then(|probe| {
            let (first, beside) = Beside::of(work.filter)?;
            let [(column, below)] = &probe.next[..] else { return None };
            Some(Cut { column, from: first.from.clone(), below: below.clone(), beside })
        });
        Slices { work, probe, cut, rows, is_done: false }
    }

    /// Returns the next slice.
    pub(crate) fn next(&mut self, runner: &TableRunner) -> Result<Option<Slice>, TableError> {
        if self.is_done {
            return Ok(None);
        }
        let (Some(cut), Some(probe)) = (&mut self.cut, self.probe) else {
            self.is_done = true;
            return Ok(Some(self.work.whole(self.probe)));
        };
        let context = self.work.context;
        let column = cut.column.name.clone();
        let window = Bound { column, from: cut.from.clone(), below: Some(cut.below.clone()) };
        let look = || runner.asker().boundary(&context.schema, cut.column, &window, self.rows);
        let end = runner.again(context, look)?;
        self.is_done = end.is_none();
        let from = match &end {
            Some(end) => std::mem::replace(&mut cut.from, end.clone()),
            None => cut.from.clone(),
        };
        let beside = std::mem::take(&mut cut.beside);
        Ok(Some(self.work.slice(cut.column, from, end, beside, probe)))
    }
}
