//! The read side alone.

use super::tuple_sink::{TupleDestination, TupleSink};
use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::row_source::RowSource;
use crate::strategy::load_input::{LandingMode, LoadInput};
use crate::strategy::load_strategy::LoadStrategy;
use handoff_model::ProgressMeter;
use handoff_rows::TupleBuffer;

/// Reads and encodes, and writes nothing: the cost of a load before the target. For benches.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiscardLoad;

impl LoadStrategy for DiscardLoad {
    fn name(&self) -> &'static str {
        "discard"
    }

    fn opening(&self, _: &RowSource<'_>) -> LandingMode {
        LandingMode::Nowhere
    }

    fn connections(&self) -> usize {
        0
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, meter, .. } = moving;
        let mut tuples = source.tuples();
        let select = tuples.select_list().to_vec();
        let mut sink = TupleSink {
            source,
            tuples: &mut tuples,
            meter,
            to: NullDestination,
            buffer: 256 * 1024,
        };
        source.read(source.filter, &select, &mut sink)?;
        sink.finish()?;
        Ok(LoadedRows::of(&tuples))
    }
}

struct NullDestination;

impl TupleDestination for NullDestination {
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        meter.add(tuples.pending(), tuples.bytes().len() as u64);
        Ok(())
    }
}
