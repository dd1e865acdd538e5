//! The read side alone.

use super::sink::{Destination, Sink};
use super::{LoadStrategy, Move, Moved, Opening};
use crate::{Meter, Result, Source, Tuples};

/// Reads and encodes, and writes nothing: what a load costs before the target. For benches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl LoadStrategy for Discard {
    fn name(&self) -> &'static str {
        "discard"
    }

    fn opening(&self, _: &Source<'_>) -> Opening {
        Opening::Nowhere
    }

    fn connections(&self) -> usize {
        0
    }

    fn load(&self, moving: Move<'_, '_>) -> Result<Moved> {
        let Move { source, meter, .. } = moving;
        let mut tuples = source.tuples();
        let select = tuples.select_list();
        let mut sink = Sink { tuples: &mut tuples, meter, to: Nowhere, buffer: 256 * 1024 };
        source.read(source.filter, &select, &mut sink)?;
        sink.finish()?;
        Ok(tuples.into_moved())
    }
}

struct Nowhere;

impl Destination for Nowhere {
    fn write(&mut self, tuples: &Tuples<'_>, meter: &Meter<'_>) -> Result<()> {
        meter.add(tuples.pending(), tuples.bytes().len() as u64);
        Ok(())
    }
}
