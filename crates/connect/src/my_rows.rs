//! The rows of a prepared statement, without an allocation a row.
//!
//! The driver connects, authenticates and prepares. Its rows own their packet and each of their
//! texts, which takes longer than to encode them; so the execution and its rows go past the
//! driver, over the same socket, which stands still between two commands. Under TLS that is the socket
//! of the line; see `my_line`.

mod answer;
mod known;
mod local_file;
mod packet;
mod packets;
mod row;

use crate::ValueRef;
use crate::seat::WatchSeat;
use answer::{Count, END, ERROR, OK, error, malformed};
use known::{Known, sent};
pub use local_file::LoadDataResult;
use mysql::prelude::Queryable;
use mysql::{Binary, Conn, Error, QueryResult, Statement, Value};
use mysql_common::packets::ComStmtExecuteRequestBuilder;
use mysql_common::proto::MySerialize;
pub use packet::MyPacket;
use packets::{Buffer, FULL, HEADER};
use row::Sent;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The length of the packet between the columns and the rows.
const END_LENGTH: usize = 5;

/// The rows of one statement.
///
/// Dropped before its end, it leaves the connection to be closed; see [`crate::MyConn::wire`].
pub struct MyRows<'a> {
    source: Source<'a>,
    seat: &'a WatchSeat,
}

enum Source<'a> {
    Driver(QueryResult<'a, 'a, 'a, Binary>),
    Wire(Stream<'a>),
}

/// The state that a connection keeps for its rows.
pub(crate) struct RowState {
    buffer: Buffer,
    known: Known,
}

impl RowState {
    /// Makes the state of a connection that reads rows of so many bytes at most.
    pub(crate) fn of_at_most(bytes: usize) -> RowState {
        RowState { buffer: Buffer::of_at_most(bytes), known: Known::default() }
    }

    /// Executes a statement of `conn`.
    pub(crate) fn execute<'a>(
        &'a mut self,
        conn: &'a mut Conn,
        sql: &str,
        params: Vec<Value>,
        at: RowsOf<'a>,
    ) -> mysql::Result<MyRows<'a>> {
        let statement = conn.prep(sql)?;
        let (request, too_long) = ComStmtExecuteRequestBuilder::new(statement.id()).build(&params);
        let mut packet = vec![0; HEADER];
        request.serialize(&mut packet);
        let length = packet.len() - HEADER;
        let one_packet = !too_long && length < FULL;
        if !one_packet || usize::from(statement.num_params()) != params.len() {
            return Ok(MyRows::of_driver(conn.exec_iter(statement, params)?, at.seat));
        }
        packet[..3].copy_from_slice(&length.to_le_bytes()[..3]);
        let RowsOf { seat, broken } = at;
        let mut stream =
            Stream { seat, buffer: &mut self.buffer, columns: Arc::default(), open: true, broken };
        stream.seat.write_all(&packet)?;
        stream.columns = stream.begin(&statement, &mut self.known)?;
        Ok(MyRows { source: Source::Wire(stream), seat })
    }

    /// Runs a `LOAD DATA LOCAL INFILE` on the connection of `seat`.
    pub(crate) fn load(
        &mut self,
        seat: &WatchSeat,
        sql: &str,
        file: impl FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> mysql::Result<LoadDataResult> {
        let loaded = local_file::load(seat, &mut self.buffer, sql, file);
        self.buffer.reset();
        loaded
    }
}

impl<'a> MyRows<'a> {
    pub(crate) fn of_driver(
        rows: QueryResult<'a, 'a, 'a, Binary>,
        seat: &'a WatchSeat,
    ) -> MyRows<'a> {
        MyRows { source: Source::Driver(rows), seat }
    }

    /// Hands row after row to `each` until it breaks off; called again, it goes on behind that row.
    ///
    /// # Errors
    ///
    /// Returns what the server or the connection said, to be passed through
    /// [`crate::MyConn::fault`].
    pub fn each<B>(
        &mut self,
        mut each: impl FnMut(&[ValueRef<'_>]) -> ControlFlow<B>,
    ) -> mysql::Result<ControlFlow<B>> {
        match &mut self.source {
            Source::Wire(stream) => stream.each(each),
            Source::Driver(rows) => {
                let mut values = Vec::new();
                loop {
                    self.seat.wait();
                    let next = rows.next();
                    self.seat.rest();
                    let Some(row) = next else { break };
                    let row = row?.unwrap();
                    values = recycle(values);
                    values.extend(row.iter().map(ValueRef::from));
                    if let ControlFlow::Break(done) = each(&values) {
                        return Ok(ControlFlow::Break(done));
                    }
                    values = recycle(values);
                }
                Ok(ControlFlow::Continue(()))
            }
        }
    }
}

impl MyRows<'_> {
    /// Hands row after row to `each` as [`MyRows::each`] does, not taken apart.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyRows::each`] does, and for a statement whose parameters are longer than a
    /// packet, which the driver sent.
    pub fn each_packet<B>(
        &mut self,
        mut each: impl FnMut(MyPacket<'_>) -> ControlFlow<B>,
    ) -> mysql::Result<ControlFlow<B>> {
        match &mut self.source {
            Source::Wire(stream) => stream.run(|bytes, columns| {
                each(MyPacket { bytes, columns }).break_value().map(Stop::Break)
            }),
            Source::Driver(_) => {
                let text = "the rows of a long statement are taken apart already";
                Err(io::Error::new(io::ErrorKind::Unsupported, text).into())
            }
        }
    }
}

/// The connection that rows come from.
#[derive(Clone, Copy)]
pub(crate) struct RowsOf<'a> {
    pub(crate) seat: &'a WatchSeat,
    /// Set if the rows were not read to their end.
    pub(crate) broken: &'a AtomicBool,
}

/// The answer to one execution.
struct Stream<'a> {
    seat: &'a WatchSeat,
    buffer: &'a mut Buffer,
    columns: Arc<[Sent]>,
    /// More is to come.
    open: bool,
    broken: &'a AtomicBool,
}

impl Stream<'_> {
    /// Reads what comes before the rows, and returns how their values are sent.
    fn begin(&mut self, statement: &Statement, known: &mut Known) -> mysql::Result<Arc<[Sent]>> {
        let Some((count, described)) = self.packet(Count::of)??.columns() else {
            self.open = false;
            return Ok(Arc::default());
        };
        let columns = if described {
            let mut columns = Vec::new();
            for _ in 0..count {
                columns.push(self.packet(sent)??);
            }
            known.learn(statement.id(), columns.into())
        } else {
            known.get(statement)
        };
        if columns.len() as u64 != count || self.packet(<[u8]>::len)? != END_LENGTH {
            return Err(malformed());
        }
        Ok(columns)
    }

    /// Reads one packet.
    fn packet<T>(&mut self, read: impl Fn(&[u8]) -> T) -> mysql::Result<T> {
        loop {
            let read = self.buffer.some(self.seat, |packet| {
                Some(if packet.first() == Some(&ERROR) {
                    Err(error(packet))
                } else {
                    Ok(read(packet))
                })
            })?;
            match read {
                Some(Ok(read)) => return Ok(read),
                Some(Err(Some(error))) => {
                    self.open = false;
                    return Err(error);
                }
                Some(Err(None)) | None => {}
            }
        }
    }

    fn each<B>(
        &mut self,
        mut each: impl FnMut(&[ValueRef<'_>]) -> ControlFlow<B>,
    ) -> mysql::Result<ControlFlow<B>> {
        let mut store = Vec::with_capacity(self.columns.len());
        self.run(|packet, columns| {
            let mut values = recycle(std::mem::take(&mut store));
            let stop = match row::values(packet, columns, &mut values) {
                None => Some(Stop::Error(malformed())),
                Some(()) => each(&values).break_value().map(Stop::Break),
            };
            store = recycle(values);
            stop
        })
    }

    /// Hands the packet of row after row to `row`.
    fn run<B>(
        &mut self,
        mut row: impl FnMut(&[u8], &[Sent]) -> Option<Stop<B>>,
    ) -> mysql::Result<ControlFlow<B>> {
        let columns = &*self.columns;
        while self.open {
            let stop = self.buffer.some(self.seat, |packet| {
                if packet.first() == Some(&OK) { row(packet, columns) } else { after_rows(packet) }
            })?;
            match stop {
                None => {}
                Some(Stop::Break(done)) => return Ok(ControlFlow::Break(done)),
                Some(Stop::End) => self.open = false,
                Some(Stop::Error(error)) => {
                    self.open = !matches!(error, Error::MySqlError(_));
                    return Err(error);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.buffer.reset();
        if self.open {
            self.broken.store(true, Ordering::Relaxed);
        }
    }
}

/// The reason that no more rows are taken.
enum Stop<B> {
    Break(B),
    End,
    Error(Error),
}

/// Reads a packet that is no row.
fn after_rows<B>(packet: &[u8]) -> Option<Stop<B>> {
    match packet.first() {
        Some(&END) => Some(Stop::End),
        Some(&ERROR) => error(packet).map(Stop::Error),
        _ => Some(Stop::Error(malformed())),
    }
}

/// Empties a vector for values that live otherwise; its memory is kept.
fn recycle<'b>(mut values: Vec<ValueRef<'_>>) -> Vec<ValueRef<'b>> {
    values.clear();
    values.into_iter().map(|_| unreachable!("it is empty")).collect()
}
