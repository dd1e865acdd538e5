//! Packets of a handshake (manual, "MySQL Packets").

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// No packet of a handshake comes near it.
const MOST: usize = 64 * 1024;

/// One end of a handshake. Both ends number their packets in turn.
pub(super) struct End<S> {
    pub(super) stream: S,
    number: u8,
}

impl<S: Read + Write> End<S> {
    pub(super) fn new(stream: S) -> End<S> {
        End { stream, number: 0 }
    }

    /// Reads a packet and nothing behind it.
    pub(super) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        let [a, b, c, number] = header;
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        if number != self.number || length > MOST {
            return Err(io::Error::new(ErrorKind::InvalidData, "no packet of a MySQL handshake"));
        }
        self.number = number.wrapping_add(1);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    pub(super) fn write(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let [a, b, c, _] = length.to_le_bytes();
        let packet = [&[a, b, c, self.number], body].concat();
        self.number = self.number.wrapping_add(1);
        self.stream.write_all(&packet)?;
        self.stream.flush()
    }

    /// Goes on over another stream.
    pub(super) fn over<T, E>(self, change: impl FnOnce(S) -> Result<T, E>) -> Result<End<T>, E> {
        Ok(End { stream: change(self.stream)?, number: self.number })
    }
}

/// A socket of which every read and write ends by a moment.
#[derive(Debug)]
pub(super) struct BoundedRead {
    socket: TcpStream,
    until: Instant,
}

impl BoundedRead {
    pub(super) fn new(socket: TcpStream, until: Instant) -> BoundedRead {
        BoundedRead { socket, until }
    }

    /// Returns the socket, without a bound.
    pub(super) fn lift(self) -> io::Result<TcpStream> {
        self.socket.set_read_timeout(None)?;
        self.socket.set_write_timeout(None)?;
        Ok(self.socket)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for BoundedRead {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(bytes)
    }
}

impl Write for BoundedRead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        End::new(Cursor::new(bytes.to_vec())).read()
    }

    #[test]
    fn a_packet_is_read_and_nothing_behind_it() {
        let mut end = End::new(Cursor::new(vec![2, 0, 0, 0, 7, 8, 1, 0, 0, 1, 9, 5]));
        assert_eq!(end.read().unwrap(), [7, 8]);
        assert_eq!(end.read().unwrap(), [9]);
        assert_eq!(end.stream.position(), 11);
    }

    #[test]
    fn lengths_beyond_reason_and_other_numbers_are_refused() {
        assert_eq!(read(&[0xff, 0xff, 0xff, 0]).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read(&[1, 0, 0, 1, 9]).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read(&[9, 0, 0, 0, 9]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
