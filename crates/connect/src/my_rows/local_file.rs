//! `LOAD DATA LOCAL INFILE` with a file from memory (manual, "Protocol::LOCAL_INFILE_Request").

use super::answer::{ERROR, LOCAL_INFILE, OK, Outcome, PassedNews, error, malformed, ok};
use super::packets::{Buffer, HEADER};
use crate::seat::WatchSeat;
use std::io::{self, Write};

/// The begin of a request that is a statement.
const COM_QUERY: u8 = 0x03;

/// The bytes of a packet. The driver's have 4 KiB, which costs both sides a call of the kernel each.
const PACKET: usize = 64 * 1024;

/// The server's answer to a `LOAD DATA LOCAL INFILE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadDataResult {
    /// Rows that were inserted.
    pub rows: u64,
    /// Values that the server changed, and whatever else it warns of.
    pub warnings: u64,
}

/// Runs a statement over a socket that stands still, and has `file` write what it asks for.
pub(super) fn load(
    wire: &WatchSeat,
    buffer: &mut Buffer,
    sql: &str,
    mut file: impl FnMut(&mut dyn Write) -> io::Result<()>,
) -> mysql::Result<LoadDataResult> {
    let mut packets = Packets { wire, bytes: vec![0; HEADER], number: 0 };
    packets.bytes.push(COM_QUERY);
    packets.bytes.extend_from_slice(sql.as_bytes());
    packets.send()?;
    match answer(wire, buffer)? {
        Answer::Done(loaded) => return Ok(loaded),
        Answer::File => {}
    }
    // Behind the server's own packet.
    packets.number = 2;
    file(&mut packets)?;
    packets.flush()?;
    // The end of the file.
    packets.send()?;
    match answer(wire, buffer)? {
        Answer::Done(loaded) => Ok(loaded),
        Answer::File => Err(malformed()),
    }
}

enum Answer {
    /// The server wants the file.
    File,
    Done(LoadDataResult),
}

/// Reads one packet.
fn answer(wire: &WatchSeat, buffer: &mut Buffer) -> mysql::Result<Answer> {
    let mut news = PassedNews::default();
    loop {
        let read = buffer.some(wire, |packet| Some(read(packet).transpose()))?;
        if let Some(Some(answer)) = read {
            return answer;
        }
        news.pass().map_or(Ok(()), Err)?;
    }
}

/// Reads an answer; [`None`] for news of the progress.
fn read(packet: &[u8]) -> mysql::Result<Option<Answer>> {
    match packet.first() {
        Some(&LOCAL_INFILE) => Ok(Some(Answer::File)),
        Some(&OK) => {
            let Outcome { affected_rows, warnings } = ok(packet).ok_or_else(malformed)?;
            Ok(Some(Answer::Done(LoadDataResult {
                rows: affected_rows,
                warnings: warnings.into(),
            })))
        }
        Some(&ERROR) => error(packet).map_or(Ok(None), Err),
        _ => Err(malformed()),
    }
}

/// Makes packets of what is written.
struct Packets<'a> {
    wire: &'a WatchSeat,
    /// The next packet, its header to be filled in.
    bytes: Vec<u8>,
    number: u8,
}

impl Packets<'_> {
    /// Sends what was gathered as one packet, even if it is nothing.
    fn send(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.bytes.len() - HEADER).expect("a statement is one packet");
        self.bytes[..3].copy_from_slice(&length.to_le_bytes()[..3]);
        self.bytes[3] = self.number;
        self.number = self.number.wrapping_add(1);
        let mut wire = self.wire;
        wire.write_all(&self.bytes)?;
        self.bytes.truncate(HEADER);
        Ok(())
    }
}

impl Write for Packets<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(HEADER + PACKET - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        if self.bytes.len() == HEADER + PACKET {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.len() > HEADER { self.send() } else { Ok(()) }
    }
}
