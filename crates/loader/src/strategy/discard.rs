//! The read side alone.

use super::{LoadStrategy, Move, Moved, Opening};
use crate::{Error, Meter, Result, Tuples};
use handoff_rows::RowSink;
use mysql::Value;

/// Reads and encodes, and writes nothing: what a load costs before the target. For benches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl LoadStrategy for Discard {
    fn name(&self) -> &'static str {
        "discard"
    }

    fn opening(&self) -> Opening {
        Opening::Nowhere
    }

    fn connections(&self) -> usize {
        0
    }

    fn load(&self, moving: Move<'_, '_>) -> Result<Moved> {
        let Move { source, meter, .. } = moving;
        let tuples = source.tuples();
        let select = tuples.select_list();
        let mut sink = Sink { tuples, meter };
        source.read(source.filter, &select, &mut sink)?;
        Ok(sink.tuples.into_moved())
    }
}

struct Sink<'a> {
    tuples: Tuples<'a>,
    meter: &'a Meter<'a>,
}

impl RowSink for Sink<'_> {
    type Error = Error;

    fn row(&mut self, row: &[Value]) -> Result<()> {
        self.tuples.push(row)
    }

    fn buffered(&self) -> usize {
        self.tuples.bytes().len()
    }

    fn flush(&mut self) -> Result<()> {
        self.meter.add(self.tuples.pending(), self.buffered() as u64);
        self.tuples.clear();
        Ok(())
    }
}
