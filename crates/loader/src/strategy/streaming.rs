//! One COPY BINARY stream.

use super::sink::{Lazy, Sink};
use super::{LoadStrategy, Move, Moved};
use crate::{Landing, Result};

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
        let mut tuples = source.tuples();
        let select = tuples.select_list();
        let to = Lazy::new(landing, Landing::copy_binary);
        let mut sink = Sink { tuples: &mut tuples, meter, to, buffer: self.buffer };
        source.read(source.filter, &select, &mut sink)?;
        if !sink.to.is_settled(sink.tuples)?
            && let Some(copy) = sink.finish()?.opened()
        {
            copy.finish(tuples.sum().rows)?;
        }
        Ok(tuples.into_moved())
    }
}
