//! Packets of a server, out of one buffer (manual, "MySQL Packets").

use std::io::{self, ErrorKind, Read};

/// A packet of so many bytes goes on in the next.
pub(super) const FULL: usize = 0xff_ffff;
/// The bytes before a packet: its length and number.
pub(super) const HEADER: usize = 4;

/// The bytes asked of the kernel at once, to begin with and at most.
const SMALLEST: usize = 16 * 1024;
const LARGEST: usize = 256 * 1024;

/// Bytes that came and were not read yet. Lives as long as the connection.
pub(crate) struct Buffer {
    /// The most bytes of a row.
    most: usize,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// A packet that came in pieces, put together.
    joined: Vec<u8>,
}

impl Buffer {
    /// Makes a buffer for rows of so many bytes at most.
    pub(super) fn of_at_most(most: usize) -> Buffer {
        Buffer { most, bytes: Vec::new(), start: 0, end: 0, joined: Vec::new() }
    }

    /// Forgets what was not read, and gives back what a very long row took.
    pub(super) fn reset(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        *self = Buffer::of_at_most(self.most);
        if bytes.len() <= LARGEST {
            self.bytes = bytes;
        }
    }

    /// Returns the next packet, if all of it has come.
    #[inline]
    fn ready(&self) -> Option<usize> {
        let header = self.bytes[self.start..self.end].first_chunk::<HEADER>()?;
        let length = length(header);
        (self.end - self.start - HEADER >= length).then_some(length)
    }

    /// Reads until the next packet has come, and returns its length.
    fn fill(&mut self, mut wire: impl Read) -> io::Result<usize> {
        loop {
            if let Some(length) = self.ready() {
                return Ok(length);
            }
            self.make_room();
            match wire.read(&mut self.bytes[self.end..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes room for the rest of the next packet, and for more if there was much to read before.
    fn make_room(&mut self) {
        let held = self.end - self.start;
        let was_full = self.end == self.bytes.len();
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, held);
        let packet = self.bytes[..held].first_chunk().map_or(0, |header| HEADER + length(header));
        let twice = if was_full { (self.bytes.len() * 2).min(LARGEST) } else { 0 };
        let wanted = packet.max(twice).max(SMALLEST);
        if wanted > self.bytes.len() {
            self.bytes.resize(wanted, 0);
        }
    }

    /// Hands packets to `each` until it has enough, at least one and no more than came already.
    ///
    /// # Errors
    ///
    /// Returns an error if no whole packet comes.
    #[inline]
    pub(super) fn some<T>(
        &mut self,
        wire: impl Read + Copy,
        mut each: impl FnMut(&[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut length = self.fill(wire)?;
        if length == FULL {
            self.join(wire)?;
            return Ok(each(&self.joined));
        }
        loop {
            let packet = self.start + HEADER;
            self.start = packet + length;
            let done = each(&self.bytes[packet..packet + length]);
            match self.ready() {
                Some(next) if done.is_none() && next < FULL => length = next,
                _ => return Ok(done),
            }
        }
    }

    /// Puts a packet together that came in several.
    fn join(&mut self, wire: impl Read + Copy) -> io::Result<()> {
        self.joined.clear();
        loop {
            let length = self.fill(wire)?;
            let piece = self.start + HEADER;
            self.start = piece + length;
            if self.joined.len() + length > self.most {
                return Err(too_large("a row", self.most));
            }
            self.joined.extend_from_slice(&self.bytes[piece..piece + length]);
            if length < FULL {
                return Ok(());
            }
        }
    }
}

/// Returns the error of what takes more than so many bytes.
pub(super) fn too_large(what: &str, most: usize) -> io::Error {
    let text = format!(
        "the server sends {what} of more than {} MiB: raise memory_limit_mb in [run]",
        most >> 20
    );
    io::Error::new(ErrorKind::InvalidData, text)
}

fn length(header: &[u8; HEADER]) -> usize {
    let [a, b, c, _] = *header;
    usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Gives out a few bytes at a time.
    #[derive(Clone, Copy)]
    struct Drips<'a>(&'a RefCell<&'a [u8]>, usize);

    impl Read for Drips<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.borrow_mut().read(&mut buffer[..length])
        }
    }

    fn packet(number: u8, length: usize) -> Vec<u8> {
        let header = u32::try_from(length).unwrap().to_le_bytes();
        let body = vec![number; length];
        [&header[..3], &[number], &body[..]].concat()
    }

    /// Reads packets of these lengths, `drip` bytes at a time.
    #[track_caller]
    fn check(lengths: &[usize], drip: usize) {
        let packets = lengths.iter().zip(0..).map(|(&length, number)| packet(number, length));
        let stream = packets.collect::<Vec<_>>().concat();
        let rest = RefCell::new(&stream[..]);
        let (mut buffer, mut found) = (Buffer::of_at_most(1 << 30), Vec::new());
        while found.len() < lengths.len() {
            let none = buffer.some(Drips(&rest, drip), |packet| {
                let number = u8::try_from(found.len()).unwrap();
                assert!(packet.iter().all(|&byte| byte == number));
                found.push(packet.len());
                None::<()>
            });
            assert_eq!(none.unwrap(), None);
        }
        assert_eq!(found, lengths, "{drip}");
        let end = buffer.some(Drips(&rest, drip), |_| Some(())).unwrap_err();
        assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn packets_are_found_wherever_the_reads_end() {
        for drip in [1, 2, 3, 4, 5, 7, 100, 100_000] {
            check(&[1, 0, 5, 300, 70_000, 2], drip);
        }
    }

    #[test]
    fn a_packet_that_goes_on_in_the_next_is_one() {
        for rest in [0, 1, 20] {
            let mut stream =
                [packet(7, 3), packet(7, FULL), packet(7, rest), packet(7, 5)].concat();
            stream.extend([9, 0, 0]);
            let cell = RefCell::new(&stream[..]);
            let (mut buffer, mut found) = (Buffer::of_at_most(1 << 30), Vec::new());
            for _ in 0..3 {
                let length = buffer.some(Drips(&cell, 1 << 20), |packet| Some(packet.len()));
                found.push(length.unwrap().unwrap());
            }
            assert_eq!(found, [3, FULL + rest, 5]);
        }
    }

    #[test]
    fn a_row_beyond_the_limit_is_refused_before_it_has_come() {
        let stream = [packet(7, FULL), packet(7, FULL), packet(7, 1)].concat();
        let cell = RefCell::new(&stream[..]);
        let mut buffer = Buffer::of_at_most(FULL + 5);
        let error = buffer.some(Drips(&cell, 1 << 20), |_| Some(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("more than 16 MiB"), "{error}");
    }

    #[test]
    fn what_broke_off_goes_on_behind_it() {
        let stream = [packet(1, 2), packet(1, 3), packet(1, 4)].concat();
        let cell = RefCell::new(&stream[..]);
        let mut buffer = Buffer::of_at_most(1 << 30);
        let mut next = || buffer.some(Drips(&cell, 1 << 20), |packet| Some(packet.len())).unwrap();
        assert_eq!([next(), next(), next()], [Some(2), Some(3), Some(4)]);
    }
}
