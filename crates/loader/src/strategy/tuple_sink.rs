//! The part that all strategies share: rows are gathered, and written when a buffer is
//! full.

use crate::copy_in::CopyIn;
use crate::error::{Error, Result};
use crate::row_source::RowSource;
use crate::staging_table::StagingTable;
use crate::tuple_inserter::TupleInserter;
use handoff_connect::ValueRef;
use handoff_model::ProgressMeter;
use handoff_rows::{RowSink, TupleBuffer};

/// The destination of gathered tuples.
pub(super) trait TupleDestination {
    /// Writes the gathered tuples; the caller clears them.
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()>;
}

impl TupleDestination for CopyIn<'_> {
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        CopyIn::write(self, tuples, meter)
    }
}

impl TupleDestination for TupleInserter<'_, '_> {
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        TupleInserter::write(self, tuples, meter)
    }
}

/// Gathers rows until a buffer is full.
pub(super) struct TupleSink<'s, D> {
    pub(super) source: &'s RowSource<'s>,
    pub(super) tuples: &'s mut TupleBuffer,
    pub(super) meter: &'s ProgressMeter<'s>,
    pub(super) to: D,
    /// Bytes to gather before they are written.
    pub(super) buffer: usize,
}

impl<D: TupleDestination> TupleSink<'_, D> {
    /// Writes the rest, and returns the destination.
    pub(super) fn finish(mut self) -> Result<D> {
        if self.tuples.pending() > 0 {
            self.write()?;
        }
        Ok(self.to)
    }

    fn write(&mut self) -> Result<()> {
        self.to.write(self.tuples, self.meter)?;
        self.tuples.clear();
        Ok(())
    }
}

impl<D: TupleDestination> RowSink for TupleSink<'_, D> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        self.source.push(self.tuples, row)
    }

    fn buffered(&self) -> usize {
        self.tuples.bytes().len()
    }

    fn threshold(&self) -> usize {
        self.buffer
    }

    fn flush(&mut self) -> Result<()> {
        // Less than a buffer is all there is, or the last of it: the strategy sees to both.
        if self.buffered() < self.buffer { Ok(()) } else { self.write() }
    }
}

/// A destination in the publishing transaction that is opened at the first write, so that nothing
/// is made there for a table that fits into one buffer and did not change.
pub(super) struct LazyDestination<'l, 'c, D, O> {
    state: LazyState<'l, 'c, D>,
    open: O,
}

enum LazyState<'l, 'c, D> {
    /// Everything so far is in the buffer.
    Closed(&'l mut StagingTable<'c>),
    Open(D),
    /// Opening failed.
    Lost,
}

impl<'l, 'c, D, O> LazyDestination<'l, 'c, D, O>
where
    O: Fn(&'l mut StagingTable<'c>) -> Result<D>,
{
    pub(super) fn new(landing: &'l mut StagingTable<'c>, open: O) -> Self {
        LazyDestination { state: LazyState::Closed(landing), open }
    }

    /// Returns true if nothing was written, and nothing of `tuples` need be: there is no row, or
    /// the target holds exactly these.
    pub(super) fn is_settled(&mut self, tuples: &TupleBuffer) -> Result<bool> {
        match &mut self.state {
            LazyState::Closed(landing) => Ok(tuples.pending() == 0 || landing.holds(tuples.sum())?),
            _ => Ok(false),
        }
    }

    /// Returns the destination, if it was opened.
    pub(super) fn opened(self) -> Option<D> {
        match self.state {
            LazyState::Open(destination) => Some(destination),
            _ => None,
        }
    }
}

impl<'l, 'c, D, O> TupleDestination for LazyDestination<'l, 'c, D, O>
where
    D: TupleDestination,
    O: Fn(&'l mut StagingTable<'c>) -> Result<D>,
{
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        self.state = match std::mem::replace(&mut self.state, LazyState::Lost) {
            LazyState::Closed(landing) => LazyState::Open((self.open)(landing)?),
            state => state,
        };
        match &mut self.state {
            LazyState::Open(destination) => destination.write(tuples, meter),
            _ => Ok(()),
        }
    }
}
