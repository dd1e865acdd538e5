//! Packets of an answer that are no rows (manual, "Command Phase").

use super::row::Bytes;
use mysql::{Error, MySqlError};
use std::io::{self, ErrorKind};

/// The first byte of the packets that are no rows.
pub(super) const OK: u8 = 0x00;
pub(super) const LOCAL_INFILE: u8 = 0xfb;
pub(super) const END: u8 = 0xfe;
pub(super) const ERROR: u8 = 0xff;

/// The code of an "error" that tells the progress of a statement (MariaDB).
const PROGRESS: u16 = 0xffff;

/// The most news of one statement's progress that are passed over. Servers send some every few seconds, and only to
/// clients that ask for them.
const MOST_NEWS: u32 = 10_000;
/// The flag of a status behind which another answer follows. No statement of ours has two.
const MORE_RESULTS: u16 = 0x0008;

/// The outcome of a statement, as the server reports it at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The number of rows that were changed.
    pub(super) affected_rows: u64,
    /// The number of times that the server warns.
    pub(super) warnings: u16,
}

/// Reads an "OK packet": affected rows, last id, status, warnings.
pub(super) fn ok(packet: &[u8]) -> Option<Outcome> {
    let mut rest = Bytes(packet.strip_prefix(&[OK])?);
    let affected_rows = rest.length()?;
    rest.length()?;
    let status = rest.number()?;
    let warnings = rest.number()?;
    (status & MORE_RESULTS == 0).then_some(Outcome { affected_rows, warnings })
}

/// Reads an "EOF packet": warnings, status.
pub(super) fn end(packet: &[u8]) -> Option<Outcome> {
    let mut rest = Bytes(packet.strip_prefix(&[END])?);
    let warnings = rest.number()?;
    let status = rest.number()?;
    (rest.0.is_empty() && status & MORE_RESULTS == 0)
        .then_some(Outcome { affected_rows: 0, warnings })
}

/// Reads an error; [`None`] for news of the progress.
pub(super) fn error(packet: &[u8]) -> Option<Error> {
    let mut rest = Bytes(packet);
    let code = rest.take(3).map(|head| u16::from_le_bytes([head[1], head[2]]));
    let Some(code) = code else { return Some(malformed()) };
    if code == PROGRESS {
        return None;
    }
    let (state, message) = match rest.0 {
        [b'#', rest @ ..] if rest.len() >= 5 => (text(&rest[..5]), text(&rest[5..])),
        rest => ("HY000".to_owned(), text(rest)),
    };
    Some(Error::MySqlError(MySqlError { state, message, code }))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// News of a statement's progress, which are passed over.
#[derive(Debug, Default)]
pub(super) struct PassedNews(u32);

impl PassedNews {
    /// Counts one; returns the error of a server that tells nothing else.
    pub(super) fn pass(&mut self) -> Option<Error> {
        self.0 += 1;
        (self.0 > MOST_NEWS).then(malformed)
    }
}

pub(super) fn malformed() -> Error {
    let text = "the server sent a packet that answers no statement";
    Error::IoError(io::Error::new(ErrorKind::InvalidData, text))
}
