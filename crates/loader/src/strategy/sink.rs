//! What every strategy does with the rows it reads: gathers them, and writes them when a buffer is
//! full.

use crate::{CopyIn, Error, Inserter, Landing, Meter, Result, Tuples};
use handoff_connect::ValueRef;
use handoff_rows::RowSink;

/// Where gathered tuples go.
pub(super) trait Destination {
    /// Writes the gathered tuples; the caller clears them.
    fn write(&mut self, tuples: &Tuples<'_>, meter: &Meter<'_>) -> Result<()>;
}

impl Destination for CopyIn<'_> {
    fn write(&mut self, tuples: &Tuples<'_>, meter: &Meter<'_>) -> Result<()> {
        CopyIn::write(self, tuples, meter)
    }
}

impl Destination for Inserter<'_, '_> {
    fn write(&mut self, tuples: &Tuples<'_>, meter: &Meter<'_>) -> Result<()> {
        Inserter::write(self, tuples, meter)
    }
}

/// Gathers rows until a buffer is full.
pub(super) struct Sink<'s, 'a, D> {
    pub(super) tuples: &'s mut Tuples<'a>,
    pub(super) meter: &'s Meter<'s>,
    pub(super) to: D,
    /// Bytes to gather before they are written.
    pub(super) buffer: usize,
}

impl<D: Destination> Sink<'_, '_, D> {
    /// Writes what is left, and hands back where it went.
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

impl<D: Destination> RowSink for Sink<'_, '_, D> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        self.tuples.push(row)
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
pub(super) struct Lazy<'l, 'c, D, O> {
    state: State<'l, 'c, D>,
    open: O,
}

enum State<'l, 'c, D> {
    /// Everything so far is in the buffer.
    Closed(&'l mut Landing<'c>),
    Open(D),
    /// Opening failed.
    Lost,
}

impl<'l, 'c, D, O> Lazy<'l, 'c, D, O>
where
    O: Fn(&'l mut Landing<'c>) -> Result<D>,
{
    pub(super) fn new(landing: &'l mut Landing<'c>, open: O) -> Self {
        Lazy { state: State::Closed(landing), open }
    }

    /// Returns true if nothing was written, and nothing of `tuples` need be: there is no row, or
    /// the target holds exactly these.
    pub(super) fn is_settled(&mut self, tuples: &Tuples<'_>) -> Result<bool> {
        match &mut self.state {
            State::Closed(landing) => Ok(tuples.pending() == 0 || landing.holds(tuples.sum())?),
            _ => Ok(false),
        }
    }

    /// Returns what was opened, if anything was.
    pub(super) fn opened(self) -> Option<D> {
        match self.state {
            State::Open(destination) => Some(destination),
            _ => None,
        }
    }
}

impl<'l, 'c, D, O> Destination for Lazy<'l, 'c, D, O>
where
    D: Destination,
    O: Fn(&'l mut Landing<'c>) -> Result<D>,
{
    fn write(&mut self, tuples: &Tuples<'_>, meter: &Meter<'_>) -> Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Lost) {
            State::Closed(landing) => State::Open((self.open)(landing)?),
            state => state,
        };
        match &mut self.state {
            State::Open(destination) => destination.write(tuples, meter),
            _ => Ok(()),
        }
    }
}
