//! The packets of one answer, within the memory that it may take.

use super::answer::{END, ERROR, OK, Outcome, end, error, malformed};
use super::packets::{Buffer, too_large};
use super::row::Bytes;
use super::statement::Described;
use crate::seat::WatchSeat;
use mysql::{Column, Error};
use mysql_common::io::ParseBuf;

/// The most columns of a statement: no server has more (manual, "Limits on Table Column Count").
const MOST_COLUMNS: u64 = 4096;
/// The memory that the description of a column takes, beside its bytes.
const OF_A_COLUMN: usize = 512;
/// An end is no longer; a row that begins with the same byte is.
const LONGEST_END: usize = 8;

/// An answer that is being read.
pub(super) struct Incoming<'a> {
    seat: &'a WatchSeat,
    buffer: &'a mut Buffer,
    most: usize,
    /// The bytes that the answer may still take.
    left: usize,
}

impl<'a> Incoming<'a> {
    pub(super) fn of_at_most(
        most: usize,
        seat: &'a WatchSeat,
        buffer: &'a mut Buffer,
    ) -> Incoming<'a> {
        Incoming { seat, buffer, most, left: most }
    }

    /// Returns the error of an answer that takes too much.
    pub(super) fn too_large(&self) -> Error {
        too_large("an answer", self.most).into()
    }

    /// Takes memory for what has come.
    fn spend(&mut self, bytes: usize) -> mysql::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| self.too_large())?;
        Ok(())
    }

    /// Reads one packet, which is no error. News of a statement's progress are passed over.
    pub(super) fn packet<T>(
        &mut self,
        mut read: impl FnMut(&[u8]) -> mysql::Result<T>,
    ) -> mysql::Result<T> {
        loop {
            let mut length = 0;
            let done = self.buffer.some(self.seat, |packet| {
                length = packet.len();
                Some(match packet.first() {
                    Some(&ERROR) => error(packet).map_or(Ok(None), Err),
                    _ => read(packet).map(Some),
                })
            })?;
            let done = done.transpose()?.flatten();
            // A header is the least.
            self.spend(length + super::packets::HEADER)?;
            if let Some(read) = done {
                return Ok(read);
            }
        }
    }

    /// Reads the descriptions of columns and the end behind them.
    pub(super) fn columns(&mut self, count: u64) -> mysql::Result<Vec<Column>> {
        let count = judged(count)?;
        let mut columns = Vec::new();
        for _ in 0..count {
            columns.push(self.packet(column)?);
            self.spend(OF_A_COLUMN)?;
        }
        self.packet(end_packet)?;
        Ok(columns)
    }

    /// Reads the end behind columns that are known already.
    pub(super) fn end_of_columns(&mut self, count: u64, known: &Described) -> mysql::Result<()> {
        if known.columns.len() as u64 != judged(count)? {
            return Err(malformed());
        }
        self.packet(end_packet)
    }

    /// Reads the answer to a statement that was to be prepared.
    pub(super) fn statement(&mut self) -> mysql::Result<Described> {
        let (id, columns, params) = self.packet(|packet| head(packet).ok_or_else(malformed))?;
        let described = Described::of(id, params);
        if params > 0 {
            for _ in 0..params {
                self.packet(|_| Ok(()))?;
            }
            self.packet(end_packet)?;
        }
        if columns == 0 {
            return Ok(described);
        }
        Ok(described.with(self.columns(columns.into())?))
    }

    /// Hands the packet of row after row to `row`, which says how much memory it takes; none is a packet
    /// that is no row.
    pub(super) fn rows(
        &mut self,
        mut row: impl FnMut(&[u8]) -> Option<usize>,
    ) -> mysql::Result<Outcome> {
        loop {
            let end = self.packet(|packet| match packet.first() {
                Some(&END) if packet.len() <= LONGEST_END => {
                    end(packet).map(Taken::End).ok_or_else(malformed)
                }
                _ => row(packet).map(Taken::Row).ok_or_else(malformed),
            })?;
            match end {
                Taken::Row(bytes) => self.spend(bytes)?,
                Taken::End(outcome) => return Ok(outcome),
            }
        }
    }
}

/// A packet behind the columns.
enum Taken {
    /// A row that takes so much memory.
    Row(usize),
    End(Outcome),
}

fn judged(count: u64) -> mysql::Result<u64> {
    Some(count).filter(|count| (1..=MOST_COLUMNS).contains(count)).ok_or_else(malformed)
}

/// Reads the description of a column.
fn column(packet: &[u8]) -> mysql::Result<Column> {
    if matches!(packet.first(), None | Some(&END)) {
        return Err(malformed());
    }
    ParseBuf(packet).parse(()).map_err(|_| malformed())
}

/// Reads a packet that ends a list.
fn end_packet(packet: &[u8]) -> mysql::Result<()> {
    match packet.first() {
        Some(&END) if packet.len() <= LONGEST_END => Ok(()),
        _ => Err(malformed()),
    }
}

/// Reads what is said of a statement that was prepared: its number, and how many columns and parameters it
/// has.
fn head(packet: &[u8]) -> Option<(u32, u16, u16)> {
    let mut rest = Bytes(packet.strip_prefix(&[OK])?);
    let id = u32::from_le_bytes(rest.take(4)?.try_into().ok()?);
    let columns = u16::from_le_bytes(rest.take(2)?.try_into().ok()?);
    let params = u16::from_le_bytes(rest.take(2)?.try_into().ok()?);
    Some((id, columns, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::SocketHandle;
    use mysql::Value;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::thread;

    /// The description of a column of texts.
    const COLUMN: &[u8] = b"\x03def\0\0\0\x01c\x01c\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0";
    const END_PACKET: &[u8] = &[END, 3, 0, 2, 0];

    fn framed(packets: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for packet in packets {
            bytes.extend_from_slice(&packet.len().to_le_bytes()[..3]);
            bytes.push(1);
            bytes.extend_from_slice(packet);
        }
        bytes
    }

    /// Reads an answer of so many bytes at most from a server that says this, and goes away.
    fn read<T>(
        said: Vec<u8>,
        most: usize,
        read: impl FnOnce(&mut Incoming<'_>) -> mysql::Result<T>,
    ) -> mysql::Result<T> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let speaker = thread::spawn(move || {
            // The client may have heard enough.
            let _ = server.write_all(&said);
        });
        let seat = WatchSeat::new(7, SocketHandle::of_fd(client.as_fd()).unwrap());
        let mut buffer = Buffer::of_at_most(most);
        let done = read(&mut Incoming::of_at_most(most, &seat, &mut buffer));
        drop((seat, client));
        speaker.join().unwrap();
        done
    }

    fn texts(incoming: &mut Incoming<'_>) -> mysql::Result<(usize, Outcome)> {
        let columns = incoming.columns(1)?;
        let mut rows = 0;
        let outcome = incoming.rows(|packet| {
            rows += 1;
            super::super::text::text_row(packet, columns.len()).map(|_| size_of::<Value>())
        })?;
        Ok((rows, outcome))
    }

    #[test]
    fn rows_are_read_up_to_their_end() {
        let said = framed(&[COLUMN, END_PACKET, b"\x01a", &[0xfb], &[0], END_PACKET]);
        let (rows, outcome) = read(said, 1 << 20, texts).unwrap();
        assert_eq!((rows, outcome.warnings), (3, 3));
    }

    #[test]
    fn counts_and_packets_beyond_reason_are_refused() {
        let cases: [&[&[u8]]; 7] = [
            &[COLUMN, b"\x01a"],
            &[COLUMN, END_PACKET, b"\x01a\x01b", END_PACKET],
            &[COLUMN, END_PACKET, &[], END_PACKET],
            &[COLUMN, END_PACKET, &[END, 0, 0, 10, 0]],
            &[END_PACKET, END_PACKET],
            &[&COLUMN[..9], END_PACKET],
            &[COLUMN, END_PACKET, &[0xff, 1]],
        ];
        for case in cases {
            assert!(read(framed(case), 1 << 20, texts).is_err(), "{case:?}");
        }
        for count in [0, 4097, 1 << 40, u64::MAX] {
            let error = read(framed(&[COLUMN]), 1 << 20, |incoming| incoming.columns(count));
            assert!(error.unwrap_err().to_string().contains("answers no statement"), "{count}");
        }
    }

    #[test]
    fn an_answer_without_end_is_cut_whatever_it_is_made_of() {
        let begin = framed(&[COLUMN, END_PACKET]);
        let progress = framed(&[&[0xff, 0xff, 0xff, 0, 0]]);
        let cases: [(Vec<u8>, usize); 4] = [
            (framed(&[b"\x01a"]), 100_000),
            (framed(&[&[0xfb]]), 100_000),
            (progress, 200_000),
            (framed(&[&[&[0xfc, 0, 200][..], &[b'x'; 51_200]].concat()]), 30),
        ];
        for (packet, times) in cases {
            let said = [begin.clone(), packet.repeat(times)].concat();
            let error = read(said, 1 << 20, texts).unwrap_err();
            assert!(error.to_string().contains("more than 1 MiB"), "{error}");
        }
        let columns = framed(&[COLUMN]).repeat(4096);
        assert!(read(columns, 1 << 20, |incoming| incoming.columns(4096)).is_err());
    }

    #[test]
    fn whatever_bytes_come_are_an_error_or_an_answer() {
        let mut random = 7_u64;
        let mut byte = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random.to_be_bytes()[0]
        };
        for _ in 0..20_000 {
            let length = usize::from(byte()) % 60;
            let packet: Vec<u8> = (0..length).map(|_| byte()).collect();
            // None of these panics.
            let _ = (column(&packet), head(&packet), end_packet(&packet), error(&packet));
            let mut changed = COLUMN.to_vec();
            let at = usize::from(byte()) % changed.len();
            changed[at] = byte();
            let _ = (column(&changed), column(&changed[..at]));
        }
    }
}
