//! Chunks with checkpoints.

use super::tuple_sink::{TupleDestination, TupleSink};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::row_source::RowSource;
use crate::strategy::load_input::{LandingMode, LoadInput};
use crate::strategy::load_strategy::LoadStrategy;
use handoff_connect::fault_point;
use handoff_model::KeyValue;
use handoff_rows::{Locking, ReadChunk};

/// Streams so many rows at a time, in the order of the key, and commits each chunk together with
/// the place it ends at. An attempt that broke off is taken up behind its last chunk.
///
/// Needs [`LoadJob::copy_id`](crate::LoadJob::copy_id): only of a copy that nobody changes is the
/// first half still right when the second comes. Without it, all is as usual and nothing is resumed.
///
/// A table without a key, or one that others write to ([`Locking::Snapshot`], [`Locking::Ranges`]),
/// is one chunk.
#[derive(Debug, Clone)]
pub struct ChunkedLoad {
    /// Rows of one chunk, at least one.
    pub rows: u64,
    /// Bytes to gather before they are handed to the server.
    pub buffer: usize,
}

impl Default for ChunkedLoad {
    fn default() -> ChunkedLoad {
        ChunkedLoad { rows: 25_000, buffer: 256 * 1024 }
    }
}

impl LoadStrategy for ChunkedLoad {
    fn name(&self) -> &'static str {
        "chunked"
    }

    fn opening(&self, _: &RowSource<'_>) -> LandingMode {
        LandingMode::Resumable
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, landing, meter } = moving;
        let stage = landing.resumable(source)?;
        let mut at = stage.begin()?;
        let resumed = at.moved.clone();
        let mut tuples = source.tuples();
        let select = tuples.select_list().to_vec();
        while !at.is_done() {
            let to = stage.to;
            at = to.in_transaction(|tx| {
                let before = tuples.sum().rows;
                let copy = to.copy_binary(tx)?;
                let mut sink =
                    TupleSink { source, tuples: &mut tuples, meter, to: copy, buffer: self.buffer };
                let end = self.read(source, &select, &at, &mut sink)?;
                sink.finish()?.finish(tuples.sum().rows - before)?;
                let mut moved = resumed.clone();
                moved += LoadedRows::of(&tuples);
                let next = Checkpoint { chunks: at.chunks + 1, end, moved };
                stage.record(tx, &at, &next)?;
                fault_point("loader.chunk_written", &source.table.name);
                Ok(next)
            })?;
            fault_point("loader.chunk_committed", &source.table.name);
        }
        Ok(at.moved)
    }
}

impl ChunkedLoad {
    /// Reads the next chunk and returns the key at its end, if more may follow.
    fn read<D: TupleDestination>(
        &self,
        source: &RowSource<'_>,
        select: &[String],
        at: &Checkpoint,
        sink: &mut TupleSink<'_, D>,
    ) -> Result<Option<Vec<KeyValue>>> {
        if source.mapping.key.is_empty() || source.locking != Locking::Free {
            source.read(source.filter, select, sink)?;
            return Ok(None);
        }
        let ReadChunk { end, .. } =
            source.read_chunk(at.end.as_deref(), self.rows.max(1), select, sink)?;
        Ok(end)
    }
}
