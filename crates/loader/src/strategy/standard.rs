//! Parameterised multi-row INSERT.

use super::tuple_sink::{LazyDestination, TupleSink};
use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::strategy::load_input::LoadInput;
use crate::strategy::load_strategy::LoadStrategy;

/// Inserts rows with bound parameters, as many a statement as the protocol lets through.
///
/// For targets that refuse COPY, and the baseline of the benches: three to five times slower than
/// COPY. The parameters are the encoded fields, in binary, so the rows are the same to the byte.
#[derive(Debug, Clone)]
pub struct StandardLoad {
    /// The most rows a statement, rounded down to a power of two; it begins with fewer and takes as
    /// many as are fast.
    pub rows: usize,
    /// Bytes to gather before they are handed to the server.
    pub buffer: usize,
}

impl Default for StandardLoad {
    fn default() -> StandardLoad {
        StandardLoad { rows: 1024, buffer: 256 * 1024 }
    }
}

impl LoadStrategy for StandardLoad {
    fn name(&self) -> &'static str {
        "standard"
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, landing, meter } = moving;
        let mut tuples = source.tuples();
        let select = tuples.select_list().to_vec();
        let to = LazyDestination::new(landing, |landing| landing.inserter(self.rows));
        let mut sink = TupleSink { source, tuples: &mut tuples, meter, to, buffer: self.buffer };
        source.read(source.filter, &select, &mut sink)?;
        if !sink.to.is_settled(sink.tuples)? {
            sink.finish()?;
        }
        Ok(LoadedRows::of(&tuples))
    }
}
