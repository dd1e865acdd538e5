//! Fewer, larger messages of COPY OUT.
//!
//! PostgreSQL sends a CopyData message for each row, and for each message the driver enters its
//! runtime once: about 300 ns, as long as the server takes to make the row. The data of a COPY are one
//! stream, whatever messages they come in (a reader must not depend on more), so those that follow
//! each other are put together before the driver sees them.

use crate::layered::StreamLayer;
use crate::pg_requests::{CopyDirection, SentRequests};
use postgres::types::Type;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are asked of the system at once.
const BLOCK: usize = 128 * 1024;

/// The tag of a message and its length, which counts itself (PostgreSQL manual, "Message Formats").
const HEADER: usize = 5;

/// The memory that the driver may spend on a message beside its bytes: a row's places of values, and three times the
/// row itself while the vector grows that gathers them.
const OF_A_MESSAGE: usize = 256;

/// The time in which an answer has to end that nobody waits for any more.
pub(crate) const ABANDONED: Duration = Duration::from_secs(10);

const COPY_DATA: u8 = b'd';
const COPY_DONE: u8 = b'c';
/// Begin a COPY in one direction or both.
const COPY_IN: u8 = b'G';
const COPY_OUT: u8 = b'H';
const COPY_BOTH: u8 = b'W';
/// Ends the rows of a statement.
const COMPLETE: u8 = b'C';
const ERROR: u8 = b'E';
/// Ends an answer.
const READY: u8 = b'Z';
/// Is all of the answer to a statement's farewell, but for its end.
const CLOSED: u8 = b'3';
/// Come whenever the server likes, and tell us nothing.
const NOTICE: u8 = b'N';
const PARAMETER: u8 = b'S';
const NOTIFICATION: u8 = b'A';
/// Describes the columns of an answer, and the parameters of a statement.
const COLUMNS: u8 = b'T';
const PARAMETERS: u8 = b't';
/// The bytes behind the name of a column, and where among them its type is.
const OF_A_COLUMN: usize = 18;
const TYPE: usize = 6;

/// A connection whose runs of CopyData messages arrive as one message each; everything else passes
/// as it is.
///
/// A merged message is never larger than what the driver has room for, about 8 KiB. A message that is
/// not whole yet is not waited for, so nothing comes later than it would without.
pub(crate) struct CoalescedCopyData {
    block: Box<[u8]>,
    /// The part of the block that was not handed on yet.
    left: Range<usize>,
    /// Bytes of the message in progress that are still to be handed on as they are.
    passing: usize,
    /// They are not handed on: the driver would keep them, or ask nobody in particular to look at them.
    dropping: bool,
    /// The requests to which the messages are an answer.
    sent: SentRequests,
    /// The data of a COPY may come.
    copying: bool,
    /// The answer in progress holds more than a statement's farewell.
    answers: bool,
    /// The time in which an answer has to end that nobody waits for any more.
    abandoned: Duration,
    /// The most bytes of a message, and of an answer that is no COPY.
    largest: usize,
    /// Bytes of the answer in progress, without those of a COPY.
    answered: usize,
    /// The reason for which the next message is not handed on.
    refused: Option<Refusal>,
}

/// A message that the driver is spared.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    /// It makes the answer larger than it may be.
    TooLarge,
    /// It names types that nobody knows. The driver would ask the server after them, and after the types that
    /// those are made of, as deep as that likes.
    UnknownTypes,
    /// It copies rows and no statement of ours does.
    StrayCopy,
    /// It goes on with an answer that nobody has waited for for a while.
    Abandoned,
}

impl CoalescedCopyData {
    /// Reads a stream on which the server has not said anything yet. An answer of more than `largest`
    /// bytes is refused; the rows of a COPY are not gathered and count one by one.
    pub(crate) fn new(largest: usize) -> CoalescedCopyData {
        CoalescedCopyData {
            block: vec![0; BLOCK].into(),
            left: 0..0,
            passing: 0,
            dropping: false,
            sent: SentRequests::default(),
            copying: false,
            answers: false,
            abandoned: ABANDONED,
            largest,
            answered: 0,
            refused: None,
        }
    }

    /// Hands on what the block holds and `out` has room for.
    fn hand_on(&mut self, out: &mut ReadBuf<'_>) {
        while self.refused.is_none() {
            self.pass(out);
            if self.passing > 0 || !(self.merge(out) || self.begin(out)) {
                return;
            }
        }
    }

    /// Hands on what there is of the message in progress.
    fn pass(&mut self, out: &mut ReadBuf<'_>) {
        let mut length = self.passing.min(self.left.len());
        if !self.dropping {
            length = length.min(out.remaining());
            out.put_slice(&self.block[self.left.start..][..length]);
        }
        self.left.start += length;
        self.passing -= length;
    }

    /// Hands on the whole CopyData messages that come next and fit, as one; returns false if there
    /// are none.
    fn merge(&mut self, out: &mut ReadBuf<'_>) -> bool {
        let start = out.filled().len();
        let merges = self.copying && !self.is_overdue();
        let room = out.remaining().checked_sub(HEADER).filter(|_| merges);
        let Some(mut room) = room else { return false };
        while let Some(data) = copy_data(&self.block[self.left.clone()])
            && data.len() <= room
        {
            if out.filled().len() == start {
                out.put_slice(&[COPY_DATA, 0, 0, 0, 0]);
            }
            out.put_slice(data);
            room -= data.len();
            self.left.start += HEADER + data.len();
        }
        let Some(merged) = out.filled_mut()[start..].split_first_chunk_mut::<HEADER>() else {
            return false;
        };
        let length = u32::try_from(HEADER - 1 + merged.1.len()).expect("a block is smaller");
        merged.0[1..].copy_from_slice(&length.to_be_bytes());
        true
    }

    /// Begins the next message, as it is, if there is room for a part of it.
    fn begin(&mut self, out: &ReadBuf<'_>) -> bool {
        let message = &self.block[self.left.clone()];
        let Some(length) = message_length(message).filter(|_| out.remaining() > 0) else {
            return false;
        };
        let tag = message[0];
        if matches!(tag, COLUMNS | PARAMETERS) {
            match message.get(HEADER..length) {
                // It is judged as a whole.
                None if (HEADER..=BLOCK).contains(&length) => return false,
                Some(body) if known_types(tag, body).is_some() => {}
                _ => self.refused = Some(Refusal::UnknownTypes),
            }
        }
        if !self.may_copy(tag) {
            self.refused = Some(Refusal::StrayCopy);
        }
        if tag != READY && self.is_overdue() {
            self.refused = Some(Refusal::Abandoned);
        }
        if self.refused.is_some() {
            return false;
        }
        self.end(tag);
        // The driver refuses a length that does not even count itself, once it has it.
        self.passing = length.max(HEADER);
        self.dropping = is_aside(tag) && length >= HEADER;
        self.count(tag, length)
    }

    /// Takes note of a message that begins or ends a COPY; returns false if it is part of one that no statement
    /// of ours asked for.
    fn may_copy(&mut self, tag: u8) -> bool {
        match tag {
            COPY_DATA | COPY_DONE if !self.copying => return false,
            COPY_OUT => self.copying = true,
            COPY_DONE | COMPLETE | ERROR | READY => self.copying = false,
            _ => {}
        }
        match tag {
            COPY_OUT => self.sent.asked() == CopyDirection::Out,
            COPY_IN => self.sent.asked() == CopyDirection::In,
            COPY_BOTH => false,
            _ => true,
        }
    }

    /// Returns true if an answer goes on that should have ended.
    fn is_overdue(&self) -> bool {
        self.sent.abandoned_for().is_some_and(|passed| passed > self.abandoned)
    }

    /// Takes note of an answer's end.
    fn end(&mut self, tag: u8) {
        match tag {
            READY => {
                if std::mem::take(&mut self.answers) {
                    self.sent.is_answered();
                }
            }
            CLOSED => {}
            _ => self.answers |= !is_aside(tag),
        }
    }

    /// Counts a message that begins; returns false if it is refused.
    fn count(&mut self, tag: u8, length: usize) -> bool {
        match tag {
            READY => self.answered = 0,
            COPY_DATA => {}
            _ => self.answered = self.answered.saturating_add(length + OF_A_MESSAGE),
        }
        let is_too_large = self.answered.max(length) > self.largest;
        if is_too_large {
            self.refused = Some(Refusal::TooLarge);
            self.passing = 0;
        }
        !is_too_large
    }

    fn error(&self, refusal: Refusal) -> io::Error {
        let text = match refusal {
            Refusal::TooLarge => format!(
                "the server sends an answer of more than {} MiB: raise memory_limit_mb in [run]",
                self.largest >> 20
            ),
            Refusal::UnknownTypes => "the server answers with types that nobody asked for".into(),
            Refusal::StrayCopy => "the server copies rows that nobody asked for".into(),
            Refusal::Abandoned => format!(
                "the server went on for {} s with an answer that nobody waits for",
                self.abandoned.as_secs()
            ),
        };
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

/// Returns true for a message that comes whenever the server likes.
fn is_aside(tag: u8) -> bool {
    matches!(tag, NOTICE | PARAMETER | NOTIFICATION)
}

/// Reads a description of columns or parameters; [`None`] unless every type that it names is one of
/// PostgreSQL's own.
fn known_types(tag: u8, description: &[u8]) -> Option<()> {
    let (count, mut rest) = description.split_first_chunk::<2>()?;
    for _ in 0..u16::from_be_bytes(*count) {
        let kind;
        if tag == COLUMNS {
            let name = rest.iter().position(|&byte| byte == 0)? + 1;
            let column;
            (column, rest) = rest[name..].split_first_chunk::<OF_A_COLUMN>()?;
            kind = column[TYPE..].first_chunk()?;
        } else {
            (kind, rest) = rest.split_first_chunk()?;
        }
        Type::from_oid(u32::from_be_bytes(*kind))?;
    }
    rest.is_empty().then_some(())
}

/// Returns the data of the CopyData message that begins here, if it is there whole.
fn copy_data(bytes: &[u8]) -> Option<&[u8]> {
    if *bytes.first()? != COPY_DATA {
        return None;
    }
    bytes.get(HEADER..message_length(bytes)?)
}

/// Returns the length of the message that begins here, header included, as the message says.
fn message_length(bytes: &[u8]) -> Option<usize> {
    let [_, length @ ..] = bytes.first_chunk::<HEADER>()?;
    let counted = length.iter().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
    Some(1 + counted)
}

impl<S> StreamLayer<S> for CoalescedCopyData {
    fn poll_read(
        &mut self,
        mut below: Pin<&mut S>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncRead,
    {
        let before = out.filled().len();
        loop {
            self.hand_on(out);
            if out.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            if let Some(refusal) = self.refused {
                return Poll::Ready(Err(self.error(refusal)));
            }
            // What is left now is no message that may begin.
            self.block.copy_within(self.left.clone(), 0);
            self.left = 0..self.left.len();
            let mut space = ReadBuf::new(&mut self.block[self.left.end..]);
            ready!(below.as_mut().poll_read(cx, &mut space))?;
            match space.filled().len() {
                0 => return Poll::Ready(Ok(())),
                length => self.left.end += length,
            }
            if self.passing > 0 && self.is_overdue() {
                self.refused = Some(Refusal::Abandoned);
                self.passing = 0;
                self.left = 0..0;
            }
        }
    }

    fn poll_write(
        &mut self,
        below: Pin<&mut S>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite,
    {
        let written = ready!(below.poll_write(cx, bytes))?;
        self.sent.look(&bytes[..written.min(bytes.len())]);
        Poll::Ready(Ok(written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::LayeredStream;
    use std::task::Waker;

    /// Hands out bytes in pieces, with a wait before each.
    struct Pieces<'a> {
        bytes: &'a [u8],
        size: usize,
        waits: bool,
    }

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            out: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.waits = !self.waits;
            if self.waits {
                return Poll::Pending;
            }
            let length = self.size.min(self.bytes.len()).min(out.remaining());
            let (piece, rest) = self.bytes.split_at(length);
            out.put_slice(piece);
            self.bytes = rest;
            Poll::Ready(Ok(()))
        }
    }

    /// Reads to the end with buffers of `room` bytes.
    fn read(bytes: &[u8], size: usize, room: usize) -> Vec<u8> {
        read_at_most(bytes, size, room, usize::MAX).unwrap()
    }

    /// Reads as [`read`] does, answers of so many bytes at most.
    fn read_at_most(bytes: &[u8], size: usize, room: usize, largest: usize) -> io::Result<Vec<u8>> {
        let layer = CoalescedCopyData { copying: true, ..asked(&[COPY_OUT_REQUEST], largest) };
        read_through(layer, bytes, size, room)
    }

    const COPY_OUT_REQUEST: &[u8] = b"COPY t TO STDOUT\0";
    const ROLLBACK: &[u8] = b"ROLLBACK\0";

    /// Returns a layer through which these statements were sent.
    fn asked(statements: &[&[u8]], largest: usize) -> CoalescedCopyData {
        let mut layer = CoalescedCopyData::new(largest);
        layer.sent.look(b"\0\0\0\x08\0\x03\0\0");
        statements.iter().for_each(|statement| layer.sent.look(&message(b'Q', statement)));
        layer
    }

    fn read_through(
        layer: CoalescedCopyData,
        bytes: &[u8],
        size: usize,
        room: usize,
    ) -> io::Result<Vec<u8>> {
        let pieces = Pieces { bytes, size, waits: false };
        let mut merged = LayeredStream::new(pieces, layer);
        let mut context = Context::from_waker(Waker::noop());
        let (mut all, mut buffer) = (Vec::new(), vec![0; room]);
        loop {
            let mut out = ReadBuf::new(&mut buffer);
            match Pin::new(&mut merged).poll_read(&mut context, &mut out) {
                Poll::Pending => {}
                Poll::Ready(done) => {
                    done?;
                    if out.filled().is_empty() {
                        return Ok(all);
                    }
                    all.extend_from_slice(out.filled());
                }
            }
        }
    }

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag], &length.to_be_bytes()[..], body].concat()
    }

    /// Splits a stream into its messages.
    fn messages(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let (message, rest) = bytes.split_at(message_length(bytes).unwrap());
            found.push((message[0], message[HEADER..].to_vec()));
            bytes = rest;
        }
        found
    }

    /// Puts together what may be.
    fn joined(messages: Vec<(u8, Vec<u8>)>) -> Vec<(u8, Vec<u8>)> {
        let mut joined: Vec<(u8, Vec<u8>)> = Vec::new();
        for (tag, body) in messages {
            match joined.last_mut() {
                Some((COPY_DATA, data)) if tag == COPY_DATA => data.extend(body),
                _ => joined.push((tag, body)),
            }
        }
        joined
    }

    fn stream() -> Vec<u8> {
        [
            message(b'R', &[0, 0, 0, 0]),
            message(b'2', b""),
            message(COPY_OUT, &[0, 0, 0]),
            message(COPY_DATA, b"header and first row"),
            message(COPY_DATA, b""),
            message(COPY_DATA, b"row"),
            message(b'N', b"a notice between"),
            message(COPY_DATA, &[7; 300]),
            message(COPY_DATA, b"d\0\0\0\x04"),
            message(b'c', b""),
            message(b'D', b"not of a copy"),
            message(b'D', b"not of a copy"),
            message(b'Z', b"I"),
        ]
        .concat()
    }

    #[test]
    fn nothing_is_lost_wherever_the_pieces_end() {
        let stream = stream();
        let mut expected = messages(&stream);
        expected.retain(|(tag, _)| *tag != NOTICE);
        let expected = joined(expected);
        for size in 1..=stream.len() {
            for room in (1..40).chain([64, 333, stream.len()]) {
                let found = joined(messages(&read(&stream, size, room)));
                assert_eq!(found, expected, "pieces of {size}, room for {room}");
            }
        }
    }

    #[test]
    fn rows_come_together_as_far_as_there_is_room() {
        let rows: Vec<u8> =
            (0..10_000_u16).flat_map(|row| message(b'd', &row.to_be_bytes())).collect();
        let found = messages(&read(&rows, usize::MAX, 8192));
        assert!(found.len() < 30, "{} messages", found.len());
        let whole = messages(&read(&rows, usize::MAX, rows.len()));
        assert!(whole.len() <= 2, "{} messages", whole.len());
    }

    #[test]
    fn a_message_larger_than_the_block_passes() {
        let stream =
            [message(COPY_DATA, &vec![1; 3 * BLOCK]), message(COPY_DATA, b"next")].concat();
        let found = joined(messages(&read(&stream, usize::MAX, 8192)));
        assert_eq!(found, joined(messages(&stream)));
    }

    #[test]
    fn an_answer_without_end_is_refused_and_a_copy_is_not() {
        let rows = [message(b'D', &[7; 100]), message(b'E', &[7; 100])].concat().repeat(10);
        let empty = message(b'D', &[]).repeat(20);
        let ended = [&message(b'D', &[7; 100])[..], &message(READY, b"I")].concat().repeat(20);
        let copied = message(COPY_DATA, &[7; 100]).repeat(50);
        let large = message(COPY_DATA, &vec![7; 2 * BLOCK]);
        for size in [1, 7, usize::MAX] {
            for rows in [&rows, &empty] {
                let error = read_at_most(rows, size, 64, 1000).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            }
            assert!(read_at_most(&ended, size, 64, 1000).is_ok());
            assert!(read_at_most(&copied, size, 64, 1000).is_ok());
            assert!(read_at_most(&large, size, 64, BLOCK).is_err());
        }
        let lies = [b'D', 0x7f, 0xff, 0xff, 0xff, 1, 2, 3];
        assert!(read_at_most(&lies, 8, 64, 1 << 20).is_err());
    }

    fn column(kind: u32) -> Vec<u8> {
        [&b"name\0"[..], &[0; 6], &kind.to_be_bytes(), &[0; 8]].concat()
    }

    #[test]
    fn types_that_nobody_knows_are_not_asked_after() {
        let columns = |kinds: &[u32]| {
            let count = u16::try_from(kinds.len()).unwrap().to_be_bytes();
            let columns: Vec<u8> = kinds.iter().flat_map(|kind| column(*kind)).collect();
            message(COLUMNS, &[&count[..], &columns].concat())
        };
        let known = [columns(&[]), columns(&[23, 25, 1184]), message(READY, b"I")].concat();
        let parameters = [message(PARAMETERS, &[0, 1, 0, 0, 0, 25]), columns(&[25])].concat();
        let wrong = [
            columns(&[25, 16_384]),
            message(PARAMETERS, &[0, 1, 0, 1, 0, 0]),
            message(COLUMNS, &[0, 2, b'c']),
            message(COLUMNS, &[]),
            message(COLUMNS, &[0, 0, 0]),
            vec![COLUMNS, 0, 0, 0, 1],
            vec![COLUMNS, 0x7f, 0, 0, 1],
        ];
        for size in [1, 7, usize::MAX] {
            for room in [5, 64, 8192] {
                for stream in [&known, &parameters] {
                    assert_eq!(&read(stream, size, room), stream, "{size} {room}");
                }
                for stream in &wrong {
                    assert!(read_at_most(stream, size, room, 1 << 30).is_err(), "{stream:?}");
                }
            }
        }
    }

    #[test]
    fn a_copy_that_nobody_asked_for_is_refused() {
        let data = message(COPY_DATA, &[7; 100]);
        let out = [message(COPY_OUT, &[0, 0, 0]), data.clone(), message(COPY_DONE, b"")].concat();
        let begun = |tag| message(tag, &[0, 0, 0]);
        let select: &[u8] = b"SELECT 1\0";
        let strays: [(&[&[u8]], Vec<u8>); 8] = [
            (&[], data.clone()),
            (&[select], out.clone()),
            (&[select], message(COPY_DONE, b"")),
            (&[COPY_OUT_REQUEST], data.clone()),
            (&[COPY_OUT_REQUEST], [&out[..], &data].concat()),
            (&[COPY_OUT_REQUEST], [begun(COPY_OUT), message(ERROR, b""), data.clone()].concat()),
            (&[COPY_OUT_REQUEST], begun(COPY_IN)),
            (&[b"COPY t FROM STDIN\0"], begun(COPY_BOTH)),
        ];
        for (statements, bytes) in strays {
            for size in [1, 7, usize::MAX] {
                let error = read_through(asked(statements, 1 << 20), &bytes, size, 64);
                let error = error.expect_err(&format!("{statements:?} {bytes:?}"));
                assert!(error.to_string().contains("copies rows that nobody"), "{error}");
            }
        }
        assert!(read_through(asked(&[COPY_OUT_REQUEST], 1 << 20), &out, 7, 64).is_ok());
    }

    #[test]
    fn an_answer_that_nobody_waits_for_has_to_end() {
        let data = message(COPY_DATA, &[7; 100]).repeat(3);
        let end = [message(COMPLETE, b"COPY 3\0"), message(READY, b"I")].concat();
        let abandoned = |statements: &[&[u8]]| CoalescedCopyData {
            copying: true,
            answers: true,
            abandoned: Duration::ZERO,
            ..asked(statements, 1 << 20)
        };
        for size in [1, 7, usize::MAX] {
            let bytes = [&data[..], &end].concat();
            let wanted = read_through(abandoned(&[COPY_OUT_REQUEST]), &bytes, size, 64);
            assert!(wanted.is_ok(), "somebody reads it");
            for bytes in [&bytes[..], &message(b'D', &[7; 100]), &message(NOTICE, b"x")] {
                let layer = abandoned(&[COPY_OUT_REQUEST, ROLLBACK]);
                let error = read_through(layer, bytes, size, 64).unwrap_err();
                assert!(error.to_string().contains("nobody waits for"), "{error}");
            }
            let late = [message(READY, b"E"), end.clone()].concat();
            let layer = abandoned(&[COPY_OUT_REQUEST, ROLLBACK]);
            assert!(read_through(layer, &late, size, 64).is_ok(), "it came to its end");
        }
    }

    #[test]
    fn what_the_server_says_unasked_is_counted_and_goes_no_further() {
        for tag in [NOTICE, PARAMETER, NOTIFICATION] {
            let told = [message(tag, &[7; 100]), message(READY, b"I")].concat();
            let read = read_at_most(&told, 7, 64, 1000).unwrap();
            assert_eq!(read, message(READY, b"I"));
            assert!(read_at_most(&message(tag, b"").repeat(100), 7, 64, 1000).is_err());
        }
    }

    #[test]
    fn what_is_no_message_reaches_the_driver() {
        let stream = [b'd', 0, 0, 0, 0, b'd', 0, 0, 0, 3, 1, 2];
        assert!(read(&stream, 3, 64).starts_with(&stream[..5]));
        assert_eq!(read(&[b'd', 0xff, 0xff, 0xff, 0xff, 9, 9], 3, 64).len(), 7);
    }
}
