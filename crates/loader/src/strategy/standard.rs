//! Parameterised multi-row INSERT.

use super::{LoadStrategy, Move, Moved};
use crate::{Error, Inserter, Landing, Meter, Result, Tuples};
use handoff_rows::RowSink;
use mysql::Value;

/// Inserts rows with bound parameters, as many a statement as the protocol lets through.
///
/// For targets that refuse COPY, and the baseline of the benches: three to five times slower than
/// COPY. The parameters are the encoded fields, in binary, so the rows are the same to the byte.
#[derive(Debug, Clone)]
pub struct Standard {
    /// The most rows a statement.
    pub rows: usize,
    /// Bytes to gather before they are handed to the server.
    pub buffer: usize,
}

impl Default for Standard {
    fn default() -> Standard {
        Standard { rows: 1000, buffer: 256 * 1024 }
    }
}

impl LoadStrategy for Standard {
    fn name(&self) -> &'static str {
        "standard"
    }

    fn load(&self, moving: Move<'_, '_>) -> Result<Moved> {
        let Move { source, landing, meter } = moving;
        let tuples = source.tuples();
        let select = tuples.select_list();
        let mut sink = Sink { tuples, meter, to: To::Closed(landing), options: self };
        source.read(source.filter, &select, &mut sink)?;
        sink.finish()
    }
}

struct Sink<'a, 'c> {
    tuples: Tuples<'a>,
    meter: &'a Meter<'a>,
    to: To<'a, 'c>,
    options: &'a Standard,
}

enum To<'a, 'c> {
    Closed(&'a mut Landing<'c>),
    Open(Inserter<'a, 'c>),
    Lost,
}

impl Sink<'_, '_> {
    fn write(&mut self) -> Result<()> {
        self.to = match std::mem::replace(&mut self.to, To::Lost) {
            To::Closed(landing) => To::Open(landing.inserter(self.options.rows)?),
            to => to,
        };
        if let To::Open(inserter) = &mut self.to {
            inserter.write(&self.tuples, self.meter)?;
        }
        self.tuples.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Moved> {
        let settled = match &mut self.to {
            To::Closed(landing) => {
                self.tuples.pending() == 0 || landing.holds(self.tuples.sum())?
            }
            _ => self.tuples.pending() == 0,
        };
        if !settled {
            self.write()?;
        }
        Ok(self.tuples.into_moved())
    }
}

impl RowSink for Sink<'_, '_> {
    type Error = Error;

    fn row(&mut self, row: &[Value]) -> Result<()> {
        self.tuples.push(row)
    }

    fn buffered(&self) -> usize {
        self.tuples.bytes().len()
    }

    fn threshold(&self) -> usize {
        self.options.buffer
    }

    fn flush(&mut self) -> Result<()> {
        // Less than a buffer is all there is, or the last of it: `finish` sees to both.
        if self.buffered() < self.threshold() { Ok(()) } else { self.write() }
    }
}
