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

/// The first packet of an answer.
pub(super) enum Count {
    /// There are no rows.
    None,
    /// The number of columns, and whether their descriptions follow.
    Columns(u64, bool),
}

impl Count {
    pub(super) fn of(packet: &[u8]) -> mysql::Result<Count> {
        match packet.first() {
            Some(&OK) => return Ok(Count::None),
            None | Some(&LOCAL_INFILE) => return Err(malformed()),
            Some(_) => {}
        }
        let mut rest = Bytes(packet);
        let count = rest.length().ok_or_else(malformed)?;
        // MariaDB's "metadata follows", where the client may keep them.
        Ok(Count::Columns(count, rest.0 != [0]))
    }

    pub(super) fn columns(self) -> Option<(u64, bool)> {
        match self {
            Count::None => None,
            Count::Columns(count, described) => Some((count, described)),
        }
    }
}

/// Reads an error; [`None`] for news of the progress.
pub(super) fn error(packet: &[u8]) -> Option<Error> {
    let mut rest = Bytes(packet);
    let code = rest.take(3).map(|head| u16::from_le_bytes([head[1], head[2]]));
    let Some(code) = code else { return Some(malformed()) };
    if code == PROGRESS {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (state, message) = match rest.0 {
        [b'#', rest @ ..] if rest.len() >= 5 => (text(&rest[..5]), text(&rest[5..])),
        rest => ("HY000".to_owned(), text(rest)),
    };
    Some(Error::MySqlError(MySqlError { state, message, code }))
}

pub(super) fn malformed() -> Error {
    let text = "the server sent a packet that answers no statement";
    Error::IoError(io::Error::new(ErrorKind::InvalidData, text))
}
