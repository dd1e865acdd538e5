//! The files that `LOAD DATA LOCAL` reads: the lines of rows, in memory.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Bytes of a file that are held back while more of it may come, to be sent one by one as long as nothing does.
const HELD: usize = 4096;

/// A file that is in memory already.
pub(super) fn whole_file(bytes: Vec<u8>) -> impl FnMut(&mut dyn Write) -> io::Result<()> + Send {
    move |stream| stream.write_all(&bytes)
}

/// A file that comes in buffers, which are given back emptied. It ends when nobody sends any more.
///
/// The source may make us wait for as long as it likes, and the server does not wait as long: after each `pause`
/// it gets a byte more.
pub(super) fn coming_file(
    full: Receiver<Vec<u8>>,
    empty: Sender<Vec<u8>>,
    pause: Duration,
) -> impl FnMut(&mut dyn Write) -> io::Result<()> + Send {
    move |stream| {
        let mut held = Vec::new().into_iter();
        loop {
            match full.recv_timeout(pause) {
                Ok(mut buffer) => {
                    stream.write_all(held.as_slice())?;
                    let tail = buffer.split_off(buffer.len().saturating_sub(HELD));
                    stream.write_all(&buffer)?;
                    held = tail.into_iter();
                    buffer.clear();
                    // The reading side has ended; so does this loop.
                    let _ = empty.send(buffer);
                }
                Err(RecvTimeoutError::Timeout) => {
                    stream.write_all(held.next().as_slice())?;
                    stream.flush()?;
                }
                Err(RecvTimeoutError::Disconnected) => return stream.write_all(held.as_slice()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread;

    /// Keeps what is written, and how much there was at each flush.
    #[derive(Default)]
    struct Written {
        bytes: Vec<u8>,
        flushed: Vec<usize>,
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushed.push(self.bytes.len());
            Ok(())
        }
    }

    #[test]
    fn a_file_that_is_long_in_coming_shows_signs_of_life_and_loses_nothing() {
        let ((full, filled), (emptied, empty)) = (channel(), channel());
        let buffers = [vec![1; 10_000], vec![2; 3], vec![3; 5000]];
        let sent = buffers.clone();
        let source = thread::spawn(move || {
            for buffer in sent {
                full.send(buffer).unwrap();
                thread::sleep(Duration::from_millis(50));
            }
        });
        let mut written = Written::default();
        coming_file(filled, emptied, Duration::from_millis(2))(&mut written).unwrap();
        source.join().unwrap();
        assert_eq!(written.bytes, buffers.concat());
        assert_eq!(empty.iter().count(), 3);
        let alive = written.flushed.windows(2).filter(|two| two[1] == two[0] + 1).count();
        assert!(alive >= 3, "{:?}", written.flushed);
    }
}
