//! One COPY BINARY stream.

use super::{LoadStrategy, Move, Moved};
use crate::{CopyIn, Error, Landing, Meter, Result, Tuples};
use handoff_rows::RowSink;
use mysql::Value;

/// Streams rows through one `COPY … FROM STDIN (FORMAT binary)`, in constant memory.
///
/// A table that fits into the first buffer is compared with the target before anything is
/// opened there: most tables of a practice are small and did not change.
#[derive(Debug, Clone)]
pub struct Streaming {
    /// Bytes to gather before they are handed to the server.
    pub buffer: usize,
}

impl Default for Streaming {
    fn default() -> Streaming {
        Streaming { buffer: 256 * 1024 }
    }
}

impl LoadStrategy for Streaming {
    fn name(&self) -> &'static str {
        "streaming"
    }

    fn load(&self, moving: Move<'_, '_>) -> Result<Moved> {
        let Move { source, landing, meter } = moving;
        let tuples = source.tuples();
        let select = tuples.select_list();
        let mut stream = Stream { tuples, meter, to: To::Closed(landing), buffer: self.buffer };
        source.read(source.filter, &select, &mut stream)?;
        stream.finish()
    }
}

struct Stream<'a, 'c> {
    tuples: Tuples<'a>,
    meter: &'a Meter<'a>,
    to: To<'a, 'c>,
    buffer: usize,
}

enum To<'a, 'c> {
    /// Everything so far is in the buffer.
    Closed(&'a mut Landing<'c>),
    Open(CopyIn<'a>),
    /// Opening failed.
    Lost,
}

impl Stream<'_, '_> {
    fn write(&mut self) -> Result<()> {
        self.to = match std::mem::replace(&mut self.to, To::Lost) {
            To::Closed(landing) => To::Open(landing.copy_binary()?),
            to => to,
        };
        if let To::Open(copy) = &mut self.to {
            copy.write(&self.tuples, self.meter)?;
        }
        self.tuples.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Moved> {
        if let To::Closed(landing) = &mut self.to
            && (self.tuples.pending() == 0 || landing.holds(self.tuples.sum())?)
        {
            return Ok(self.tuples.into_moved());
        }
        self.write()?;
        if let To::Open(copy) = self.to {
            copy.finish(self.tuples.sum().rows)?;
        }
        Ok(self.tuples.into_moved())
    }
}

impl RowSink for Stream<'_, '_> {
    type Error = Error;

    fn row(&mut self, row: &[Value]) -> Result<()> {
        self.tuples.push(row)
    }

    fn buffered(&self) -> usize {
        self.tuples.bytes().len()
    }

    fn threshold(&self) -> usize {
        self.buffer
    }

    fn flush(&mut self) -> Result<()> {
        // Less than a buffer is all there is, or the last of it: `finish` sees to both.
        if self.buffered() < self.threshold() { Ok(()) } else { self.write() }
    }
}
