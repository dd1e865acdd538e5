//! The requests that the PostgreSQL driver sends, as far as they decide which answers may come.
//!
//! The driver takes whatever comes for the answer to its oldest request, reads that to its end even if nobody
//! asks for it any more, and only then hands anything to whoever asked next. So a server that sends without end
//! would hold up the next statement for ever, a ROLLBACK included.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The tag of a message and its length, which counts itself (PostgreSQL manual, "Message Formats").
const HEADER: usize = 5;
/// The first message has no tag.
const STARTUP_HEADER: usize = 4;

const QUERY: u8 = b'Q';
const PARSE: u8 = b'P';
const BIND: u8 = b'B';
const CLOSE: u8 = b'C';
const SYNC: u8 = b'S';
/// The bytes of a message of [`BIND`] that hold its names, which are ours; its values are as long as they like.
const NAMES: usize = 256;
/// The first byte of a message of [`CLOSE`] that closes a statement.
const A_STATEMENT: u8 = b'S';

/// The direction in which a statement copies rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CopyDirection {
    /// It copies none.
    #[default]
    Neither,
    /// `COPY … FROM STDIN`.
    In,
    /// `COPY … TO STDOUT`.
    Out,
}

impl CopyDirection {
    fn of(statement: &[u8]) -> CopyDirection {
        if !statement.starts_with(b"COPY ") {
            return CopyDirection::Neither;
        }
        // Names come before the direction, and the options behind it are ours.
        let last = |words: &[u8]| statement.windows(words.len()).rposition(|part| part == words);
        match (last(b" FROM STDIN"), last(b" TO STDOUT")) {
            (None, None) => CopyDirection::Neither,
            (from, to) if from > to => CopyDirection::In,
            _ => CopyDirection::Out,
        }
    }
}

/// The requests that were sent over one line.
#[derive(Default)]
pub(crate) struct SentRequests {
    /// The bytes so far of the message in progress.
    message: Vec<u8>,
    /// Bytes of the message in progress that are not looked at.
    skipped: usize,
    /// Set once the first message has passed.
    begun: bool,
    /// The prepared statements that copy rows, by name.
    copies: HashMap<Vec<u8>, CopyDirection>,
    /// The direction of the statement that was asked for last.
    asked: CopyDirection,
    /// A request was begun and no [`SYNC`] has followed.
    in_request: bool,
    /// Requests whose answer has not come to its end.
    owed: u32,
    /// Those of them that were asked before another one, so nobody waits for them.
    abandoned: u32,
    abandoned_at: Option<Instant>,
}

impl SentRequests {
    /// Returns the direction of the statement that was asked for last.
    pub(crate) fn asked(&self) -> CopyDirection {
        self.asked
    }

    /// Notes that an answer has come to its end.
    pub(crate) fn is_answered(&mut self) {
        self.owed = self.owed.saturating_sub(1);
        self.abandoned = self.abandoned.saturating_sub(1);
        if self.abandoned == 0 {
            self.abandoned_at = None;
        }
    }

    /// Returns how long an answer has been in the way that nobody waits for.
    pub(crate) fn abandoned_for(&self) -> Option<Duration> {
        self.abandoned_at.as_ref().map(Instant::elapsed)
    }

    /// Looks through the bytes that were sent, message by message.
    pub(crate) fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.skipped.min(bytes.len());
            self.skipped -= skipped;
            bytes = &bytes[skipped..];
            let (part, rest) = bytes.split_at(self.missing().min(bytes.len()));
            self.message.extend_from_slice(part);
            bytes = rest;
            self.take_if_whole();
        }
    }

    fn header(&self) -> usize {
        if self.begun { HEADER } else { STARTUP_HEADER }
    }

    /// Returns how many bytes the message in progress lacks, header included, as it says.
    fn missing_of_whole(&self) -> Option<usize> {
        let tag = self.header() - STARTUP_HEADER;
        let length = self.message.get(tag..)?.first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        Some((tag + length).saturating_sub(self.message.len()))
    }

    /// Returns how many bytes of the message in progress matter, header included, once that is known.
    fn most(&self) -> Option<usize> {
        let whole = self.message.len() + self.missing_of_whole()?;
        Some(match self.message[0] {
            _ if !self.begun => STARTUP_HEADER,
            QUERY | PARSE | CLOSE => whole,
            BIND => whole.min(NAMES),
            _ => HEADER,
        })
    }

    /// Returns how many bytes to take next: those of the header, then those of the body that matter.
    fn missing(&self) -> usize {
        self.most().unwrap_or_else(|| self.header()).saturating_sub(self.message.len())
    }

    /// Takes the message in progress once the rest of it does not matter.
    fn take_if_whole(&mut self) {
        let Some(missing) = self.missing_of_whole() else { return };
        if self.missing() > 0 {
            return;
        }
        if std::mem::replace(&mut self.begun, true) {
            let message = std::mem::take(&mut self.message);
            self.take(message[0], &message[HEADER..]);
            self.message = message;
        }
        self.skipped = missing;
        self.message.clear();
    }

    fn take(&mut self, tag: u8, body: &[u8]) {
        match tag {
            QUERY => {
                self.request();
                self.in_request = false;
                self.asked = CopyDirection::of(body);
            }
            PARSE => {
                self.request();
                let (name, rest) = text(body);
                self.learn(name, CopyDirection::of(text(rest).0));
            }
            BIND => {
                self.request();
                let (_portal, rest) = text(body);
                self.asked = self.copies.get(text(rest).0).copied().unwrap_or_default();
            }
            CLOSE => {
                if let Some(name) = body.strip_prefix(&[A_STATEMENT]) {
                    self.copies.remove(text(name).0);
                }
            }
            SYNC => self.in_request = false,
            _ => {}
        }
    }

    /// Notes that a request goes out.
    fn request(&mut self) {
        if std::mem::replace(&mut self.in_request, true) {
            return;
        }
        if self.owed > 0 {
            self.abandoned = self.owed;
            self.abandoned_at.get_or_insert_with(Instant::now);
        }
        self.owed += 1;
    }

    fn learn(&mut self, name: &[u8], direction: CopyDirection) {
        if direction == CopyDirection::Neither {
            self.copies.remove(name);
        } else {
            self.copies.insert(name.to_vec(), direction);
        }
    }
}

/// Splits a text from what follows its end.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use CopyDirection::{In, Neither, Out};

    /// The first message of a line, with its parameters.
    const STARTUP: &[u8] = b"\0\0\0\x0e\0\x03\0\0user\0\0";

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag], &length.to_be_bytes()[..], body].concat()
    }

    fn parse(name: &str, statement: &str) -> Vec<u8> {
        [message(b'P', format!("{name}\0{statement}\0\0\0").as_bytes()), sync()].concat()
    }

    fn execute(name: &str) -> Vec<u8> {
        let bind = message(b'B', format!("\0{name}\0\0\0\0\0\0\0").as_bytes());
        [bind, message(b'E', b"\0\0\0\0\0"), sync()].concat()
    }

    fn sync() -> Vec<u8> {
        message(b'S', b"")
    }

    /// Reads all of it in pieces of `size`.
    fn sent(messages: &[Vec<u8>], size: usize) -> SentRequests {
        let mut sent = SentRequests::default();
        let bytes = [STARTUP.to_vec(), messages.concat()].concat();
        bytes.chunks(size).for_each(|piece| sent.look(piece));
        sent
    }

    #[test]
    fn a_copy_is_known_by_its_statement() {
        for (statement, expected) in [
            ("COPY (SELECT a FROM raw.t) TO STDOUT (FORMAT binary)", Out),
            ("COPY raw.\"x TO STDOUT\" (a) FROM STDIN (FORMAT binary)", In),
            ("COPY (SELECT \"c FROM STDIN\" FROM t) TO STDOUT (FORMAT binary)", Out),
            ("COPY t FROM '/file'", Neither),
            ("SELECT ' TO STDOUT'", Neither),
        ] {
            assert_eq!(CopyDirection::of(statement.as_bytes()), expected, "{statement}");
        }
    }

    #[test]
    fn the_last_request_counts_wherever_the_pieces_end() {
        let copy = [parse("s0", "COPY t TO STDOUT"), execute("s0")];
        let closed = [&copy[..], &[message(b'C', b"Ss0\0"), sync(), execute("s0")]].concat();
        let data = [&copy[..], &[message(b'd', &[b'Q'; 300])]].concat();
        let other = [&copy[..], &[message(b'Q', b"ROLLBACK\0")]].concat();
        let cases = [(&copy[..], Out), (&closed, Neither), (&data, Out), (&other, Neither)];
        for (messages, expected) in cases {
            for size in 1..300 {
                assert_eq!(sent(messages, size).asked(), expected, "pieces of {size}");
            }
        }
    }

    #[test]
    fn an_answer_is_abandoned_once_something_else_is_asked() {
        let mut sent = sent(&[parse("s0", "SELECT 1")], 7);
        assert!(sent.abandoned_for().is_none());
        sent.look(&[message(b'C', b"Ss1\0"), sync()].concat());
        assert!(sent.abandoned_for().is_none(), "nobody waits for the answer to a farewell");
        sent.look(&execute("s0"));
        assert!(sent.abandoned_for().is_some());
        sent.is_answered();
        assert!(sent.abandoned_for().is_none());
        sent.is_answered();
        sent.is_answered();
        sent.look(&message(b'Q', b"SELECT 1\0"));
        assert!(
            sent.abandoned_for().is_none(),
            "answers beyond what was asked for count for nothing"
        );
        sent.look(&message(b'Q', b"ROLLBACK\0"));
        assert!(sent.abandoned_for().is_some());
    }

    #[test]
    fn the_values_of_a_statement_are_not_looked_at() {
        let values = [&b"\0s0\0"[..], &message(b'Q', &[b'Q'; 9000])].concat();
        for size in [1, 7, 100, 20_000] {
            let mut sent = sent(&[parse("s0", "COPY t TO STDOUT")], size);
            let bind = message(BIND, &values);
            bind.chunks(size).for_each(|piece| sent.look(piece));
            sent.look(&[message(b'E', b"\0\0\0\0\0"), sync()].concat());
            assert_eq!(sent.asked(), Out);
            assert_eq!(sent.owed, 2);
            assert!(sent.message.capacity() < 1000);
        }
    }

    #[test]
    fn the_end_of_a_copy_in_is_no_request() {
        let copy = [parse("s0", "COPY t FROM STDIN"), execute("s0")];
        let mut sent = sent(&copy, 7);
        sent.is_answered();
        sent.look(&[message(b'd', &[7; 9000]), message(b'c', b""), sync()].concat());
        sent.is_answered();
        sent.look(&message(b'Q', b"COMMIT\0"));
        assert!(sent.abandoned_for().is_none());
    }
}
