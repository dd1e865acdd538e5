//! Commands on their way to the server (manual, "MySQL Packets", "Command Phase").

use super::packets::{FULL, HEADER};
use crate::seat::WatchSeat;
use mysql::Error;
use mysql_common::proto::MySerialize;
use mysql_common::proto::codec::error::PacketCodecError;
use std::io::Write;

const COM_QUERY: u8 = 0x03;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_CLOSE: u8 = 0x19;

/// The most bytes of one packet.
pub(super) const PAYLOAD: usize = FULL;

/// The memory of a command that is kept for the next one, in bytes.
const KEPT: usize = 256 * 1024;

/// The memory of commands, which lives as long as the connection.
pub(super) struct Outgoing {
    /// The most bytes of a command.
    most: usize,
    bytes: Vec<u8>,
}

impl Outgoing {
    /// Sends commands of so many bytes at most.
    pub(super) fn of_at_most(most: usize) -> Outgoing {
        Outgoing { most, bytes: Vec::new() }
    }

    pub(super) fn query(&mut self, seat: &WatchSeat, sql: &str) -> mysql::Result<()> {
        self.text(seat, COM_QUERY, sql.as_bytes())
    }

    pub(super) fn prepare(&mut self, seat: &WatchSeat, sql: &str) -> mysql::Result<()> {
        self.text(seat, COM_STMT_PREPARE, sql.as_bytes())
    }

    /// Forgets a statement; the server says nothing to it.
    pub(super) fn close(&mut self, seat: &WatchSeat, id: u32) -> mysql::Result<()> {
        self.text(seat, COM_STMT_CLOSE, &id.to_le_bytes())
    }

    /// Sends a command that the driver's own types spell.
    pub(super) fn command(
        &mut self,
        seat: &WatchSeat,
        command: &impl MySerialize,
    ) -> mysql::Result<()> {
        self.begin();
        command.serialize(&mut self.bytes);
        self.send(seat)
    }

    fn text(&mut self, seat: &WatchSeat, command: u8, text: &[u8]) -> mysql::Result<()> {
        self.begin();
        self.bytes.push(command);
        self.bytes.extend_from_slice(text);
        self.send(seat)
    }

    fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.extend([0; HEADER]);
    }

    /// Sends what was put together, in as many packets as it needs.
    fn send(&mut self, mut seat: &WatchSeat) -> mysql::Result<()> {
        let body = self.bytes.len() - HEADER;
        if body > self.most {
            return Err(Error::CodecError(PacketCodecError::PacketTooLarge));
        }
        let first = header(body.min(PAYLOAD), 0);
        self.bytes[..HEADER].copy_from_slice(&first);
        seat.write_all(&self.bytes[..HEADER + body.min(PAYLOAD)])?;
        // A packet that is full goes on in the next, be that empty.
        let (mut sent, mut number) = (PAYLOAD, 1_u8);
        while sent <= body {
            let length = (body - sent).min(PAYLOAD);
            seat.write_all(&header(length, number))?;
            seat.write_all(&self.bytes[HEADER + sent..][..length])?;
            sent += PAYLOAD;
            number = number.wrapping_add(1);
        }
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        Ok(())
    }
}

fn header(length: usize, number: u8) -> [u8; HEADER] {
    let [a, b, c, ..] = length.to_le_bytes();
    [a, b, c, number]
}
