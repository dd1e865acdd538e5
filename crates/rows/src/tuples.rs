//! Splitting a COPY BINARY stream.

use crate::copy_format::{COPY_HEADER, COPY_TRAILER};
use std::io::{self, BufRead, ErrorKind};

/// The bytes of the header before the extension, whose length is the last four of them.
const HEADER: usize = COPY_HEADER.len();

/// The most bytes of a tuple that comes in pieces. PostgreSQL sends each in one, however long it is, and the connection
/// bounds that: only a server that speaks nonsense, or passes on what another one says, cuts it.
const LARGEST_GATHERED: usize = 16 << 20;

/// Calls `each` with every tuple of a whole COPY BINARY stream, field count included, and returns
/// their number.
///
/// A tuple that lies in one piece of the reader's buffer is not copied; others are gathered in one
/// buffer, up to a bound, so memory is bounded by the largest piece.
///
/// # Errors
///
/// Returns the reader's errors, and [`ErrorKind::InvalidData`] if the stream is no COPY BINARY
/// stream, ends before its trailer, or holds a tuple of more than 16 MiB that comes in pieces.
pub fn tuples(mut reader: impl BufRead, mut each: impl FnMut(&[u8])) -> io::Result<u64> {
    skip_header(&mut reader)?;
    let mut count = 0;
    let mut part = Vec::new();
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Err(invalid("the stream ends before its trailer"));
        }
        let mut at = 0;
        let end = loop {
            match shape(&chunk[at..])? {
                StreamPart::Tuple(length) => {
                    each(&chunk[at..at + length]);
                    at += length;
                    count += 1;
                }
                shape => break shape,
            }
        };
        if let StreamPart::Trailer = end {
            reader.consume(at);
            return expect_end(reader, count);
        }
        part.clear();
        part.extend_from_slice(&chunk[at..]);
        let length = chunk.len();
        reader.consume(length);
        match gather(&mut reader, &mut part)? {
            SplitOutcome::Nothing => {}
            SplitOutcome::Tuple => {
                each(&part);
                count += 1;
            }
            SplitOutcome::Trailer => return expect_end(reader, count),
        }
    }
}

/// The first part of a piece of a stream.
enum StreamPart {
    /// A whole tuple of this length.
    Tuple(usize),
    /// The trailer, not yet consumed.
    Trailer,
    /// Not enough to tell; at least so many bytes are needed.
    Part(usize),
}

/// The part gathered from several pieces.
enum SplitOutcome {
    Nothing,
    Tuple,
    Trailer,
}

fn shape(bytes: &[u8]) -> io::Result<StreamPart> {
    let Some((&count, _)) = bytes.split_first_chunk::<2>() else { return Ok(StreamPart::Part(2)) };
    if count == COPY_TRAILER {
        return Ok(StreamPart::Trailer);
    }
    let fields = u16::try_from(i16::from_be_bytes(count))
        .map_err(|_| invalid("a tuple with a negative number of fields"))?;
    let mut end = 2;
    for _ in 0..fields {
        let Some(&length) = bytes.get(end..).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(StreamPart::Part(end + 4));
        };
        end += 4 + match i32::from_be_bytes(length) {
            -1 => 0,
            length => usize::try_from(length).map_err(|_| invalid("a field of negative length"))?,
        };
    }
    Ok(if bytes.len() < end { StreamPart::Part(end) } else { StreamPart::Tuple(end) })
}

/// Completes the tuple that `part` begins.
fn gather(reader: &mut impl BufRead, part: &mut Vec<u8>) -> io::Result<SplitOutcome> {
    if part.is_empty() {
        return Ok(SplitOutcome::Nothing);
    }
    loop {
        let needed = match shape(part)? {
            StreamPart::Tuple(_) => return Ok(SplitOutcome::Tuple),
            StreamPart::Trailer => return Ok(SplitOutcome::Trailer),
            StreamPart::Part(needed) if needed > LARGEST_GATHERED => {
                return Err(invalid("a tuple of more than 16 MiB in pieces"));
            }
            StreamPart::Part(needed) => needed - part.len(),
        };
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Err(invalid("the stream ends in a tuple"));
        }
        let taken = needed.min(chunk.len());
        part.extend_from_slice(&chunk[..taken]);
        reader.consume(taken);
    }
}

fn skip_header(reader: &mut impl BufRead) -> io::Result<()> {
    let mut header = [0; HEADER];
    reader.read_exact(&mut header)?;
    let signature = HEADER - 8;
    if header[..signature] != COPY_HEADER[..signature] {
        return Err(invalid("the stream does not begin as COPY BINARY"));
    }
    let (_, length) = header.split_at(HEADER - 4);
    let mut left = length.iter().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
    while left > 0 {
        let taken = left.min(reader.fill_buf()?.len());
        if taken == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        reader.consume(taken);
        left -= taken;
    }
    Ok(())
}

/// Reads on to the end, so that an error of the server behind the last tuple is seen.
fn expect_end(mut reader: impl BufRead, count: u64) -> io::Result<u64> {
    loop {
        match reader.fill_buf()?.len() {
            0 => return Ok(count),
            rest => reader.consume(rest),
        }
    }
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    const TUPLES: [&[u8]; 4] = [
        &[0, 1, 0, 0, 0, 2, 7, 8],
        &[0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        &[0, 0],
        &[0, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5],
    ];

    fn stream() -> Vec<u8> {
        [COPY_HEADER, &TUPLES.concat()[..], &COPY_TRAILER].concat()
    }

    #[test]
    fn tuples_are_found_wherever_the_chunks_end() {
        let stream = stream();
        for size in 1..=stream.len() {
            let mut found = Vec::new();
            let reader = BufReader::with_capacity(size, &stream[..]);
            let count = tuples(reader, |tuple| found.push(tuple.to_vec())).unwrap();
            assert_eq!(
                (count, &found[..]),
                (4, &TUPLES.map(<[u8]>::to_vec)[..]),
                "chunks of {size}"
            );
        }
    }

    #[test]
    fn a_length_beyond_reason_is_refused_before_it_has_come() {
        let lie = [0, 1, 0x7f, 0xff, 0xff, 0xff];
        let stream = [&COPY_HEADER[..], &lie, &[7; 100_000]].concat();
        let reader = BufReader::with_capacity(8192, &stream[..]);
        let error = tuples(reader, |_| {}).unwrap_err();
        assert!(error.to_string().contains("16 MiB"), "{error}");

        let long = [&[0, 1, 1, 0x50, 0, 0][..], &vec![7; 21 << 20]].concat();
        let stream = [&COPY_HEADER[..], &long, &COPY_TRAILER].concat();
        assert_eq!(tuples(&stream[..], |tuple| assert!(tuple == long)).unwrap(), 1, "in one piece");
    }

    #[test]
    fn a_stream_without_its_end_is_an_error() {
        let stream = stream();
        for end in 0..stream.len() {
            tuples(&stream[..end], |_| {}).unwrap_err();
        }
    }
}
