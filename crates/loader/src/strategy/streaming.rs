//! One COPY BINARY stream.

use super::tuple_sink::{LazyDestination, TupleSink};
use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::staging_table::StagingTable;
use crate::strategy::load_input::LoadInput;
use crate::strategy::load_strategy::LoadStrategy;

/// Streams rows through one `COPY … FROM STDIN (FORMAT binary)`, in constant memory.
///
/// A table that fits into the first buffer is compared with the target before anything is
/// opened there: most tables of a practice are small and did not change.
#[derive(Debug, Clone)]
pub struct StreamingLoad {
    /// Bytes to gather before they are handed to the server.
    pub buffer: usize,
}

impl Default for StreamingLoad {
    fn default() -> StreamingLoad {
        StreamingLoad { buffer: 256 * 1024 }
    }
}

impl LoadStrategy for StreamingLoad {
    fn name(&self) -> &'static str {
        "streaming"
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, landing, meter } = moving;
        let mut tuples = source.tuples();
        let select = tuples.select_list().to_vec();
        let to = LazyDestination::new(landing, StagingTable::copy_binary);
        let mut sink = TupleSink { source, tuples: &mut tuples, meter, to, buffer: self.buffer };
        source.read(source.filter, &select, &mut sink)?;
        if !sink.to.is_settled(sink.tuples)?
            && let Some(copy) = sink.finish()?.opened()
        {
            copy.finish(tuples.sum().rows)?;
        }
        Ok(LoadedRows::of(&tuples))
    }
}
