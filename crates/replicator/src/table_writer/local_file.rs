//! The files that `LOAD DATA LOCAL` reads: the lines of rows, in memory.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender};

/// A file that is in memory already.
pub(super) fn whole_file(bytes: Vec<u8>) -> impl FnMut(&mut dyn Write) -> io::Result<()> + Send {
    move |stream| stream.write_all(&bytes)
}

/// A file that comes in buffers, which are given back emptied. It ends when nobody sends any more.
pub(super) fn coming_file(
    full: Receiver<Vec<u8>>,
    empty: Sender<Vec<u8>>,
) -> impl FnMut(&mut dyn Write) -> io::Result<()> + Send {
    move |stream| {
        while let Ok(mut buffer) = full.recv() {
            stream.write_all(&buffer)?;
            buffer.clear();
            // The reading side has ended; so does this loop.
            let _ = empty.send(buffer);
        }
        Ok(())
    }
}
