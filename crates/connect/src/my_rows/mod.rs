//! The rows of a prepared statement, without an allocation a row.
//!
//! The driver connects, authenticates and prepares. Its rows own their packet and each of their
//! texts, which takes longer than to encode them; so the execution and its rows go past the
//! driver, over the same socket, which stands still between two commands. A connection under TLS has
//! no socket to share, and the driver hands out its rows.

mod local_file;
mod packets;
mod row;

use crate::ValueRef;
use crate::wire::Wire;
pub use local_file::Loaded;
use mysql::prelude::Queryable;
use mysql::{Binary, Column, Conn, Error, MySqlError, QueryResult, Statement, Value};
use mysql_common::io::ParseBuf;
use mysql_common::packets::ComStmtExecuteRequestBuilder;
use mysql_common::proto::MySerialize;
use packets::Buffer;
use row::{Bytes, Sent};
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first byte of the packets that are no rows.
const OK: u8 = 0x00;
const LOCAL_INFILE: u8 = 0xfb;
const END: u8 = 0xfe;
const ERROR: u8 = 0xff;

/// The code of an "error" that tells the progress of a statement (MariaDB).
const PROGRESS: u16 = 0xffff;

/// The length of the packet between the columns and the rows.
const END_LENGTH: usize = 5;

/// The rows of one statement.
///
/// Dropped before its end, it leaves the connection to be closed; see [`crate::MyConn::wire`].
pub struct MyRows<'a>(Source<'a>);

enum Source<'a> {
    Driver(QueryResult<'a, 'a, 'a, Binary>),
    Wire(Stream<'a>),
}

/// What a connection keeps for its rows.
#[derive(Debug, Default)]
pub(crate) struct RowState {
    buffer: Buffer,
    known: Known,
}

impl RowState {
    /// Executes a statement of `conn`, whose socket carries plain text.
    pub(crate) fn execute<'a>(
        &'a mut self,
        conn: &'a mut Conn,
        sql: &str,
        params: Vec<Value>,
        broken: &'a AtomicBool,
    ) -> mysql::Result<MyRows<'a>> {
        let statement = conn.prep(sql)?;
        let (request, too_long) = ComStmtExecuteRequestBuilder::new(statement.id()).build(&params);
        if too_long || usize::from(statement.num_params()) != params.len() {
            return Ok(MyRows::of_driver(conn.exec_iter(statement, params)?));
        }
        // Room for the header.
        let mut packet = vec![0; 4];
        request.serialize(&mut packet);
        let length = u32::try_from(packet.len() - 4).expect("a request is one packet");
        packet[..3].copy_from_slice(&length.to_le_bytes()[..3]);
        let wire = Wire::of(conn)?.into_stream();
        let mut stream =
            Stream { wire, buffer: &mut self.buffer, columns: Arc::default(), open: true, broken };
        (&stream.wire).write_all(&packet)?;
        stream.columns = stream.begin(&statement, &mut self.known)?;
        Ok(MyRows(Source::Wire(stream)))
    }

    /// Runs a `LOAD DATA LOCAL INFILE` on `conn`, whose socket carries plain text.
    pub(crate) fn load(
        &mut self,
        conn: &Conn,
        sql: &str,
        file: impl FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> mysql::Result<Loaded> {
        let wire = Wire::of(conn)?.into_stream();
        let loaded = local_file::load(&wire, &mut self.buffer, sql, file);
        self.buffer.reset();
        loaded
    }
}

impl<'a> MyRows<'a> {
    pub(crate) fn of_driver(rows: QueryResult<'a, 'a, 'a, Binary>) -> MyRows<'a> {
        MyRows(Source::Driver(rows))
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
        match &mut self.0 {
            Source::Wire(stream) => stream.each(each),
            Source::Driver(rows) => {
                let mut values = Vec::new();
                for row in rows {
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

/// The answer to one execution.
struct Stream<'a> {
    wire: TcpStream,
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
            let read = self.buffer.some(&self.wire, |packet| {
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
        let columns = &*self.columns;
        let mut store = Vec::with_capacity(columns.len());
        while self.open {
            let stop = self.buffer.some(&self.wire, |packet| {
                if packet.first() != Some(&OK) {
                    return after_rows(packet);
                }
                let mut values = recycle(std::mem::take(&mut store));
                let stop = match row::values(packet, columns, &mut values) {
                    None => Some(Stop::Error(malformed())),
                    Some(()) => each(&values).break_value().map(Stop::Break),
                };
                store = recycle(values);
                stop
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

/// Why no more rows are taken.
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

/// The first packet of an answer.
enum Count {
    /// There are no rows.
    None,
    /// The number of columns, and whether their descriptions follow.
    Columns(u64, bool),
}

impl Count {
    fn of(packet: &[u8]) -> mysql::Result<Count> {
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

    fn columns(self) -> Option<(u64, bool)> {
        match self {
            Count::None => None,
            Count::Columns(count, described) => Some((count, described)),
        }
    }
}

fn sent(packet: &[u8]) -> mysql::Result<Sent> {
    let column: Column = ParseBuf(packet).parse(())?;
    Ok(sent_of(&column))
}

fn sent_of(column: &Column) -> Sent {
    Sent::of(column.column_type(), column.flags())
}

/// Reads an error; [`None`] for news of the progress.
fn error(packet: &[u8]) -> Option<Error> {
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

fn malformed() -> Error {
    let text = "the server sent what is no answer to a statement";
    Error::IoError(io::Error::new(ErrorKind::InvalidData, text))
}

/// How the values of the last statements are sent. MariaDB does not say it again of a statement
/// whose columns are as they were.
#[derive(Debug, Default)]
struct Known(Vec<(u32, Arc<[Sent]>)>);

impl Known {
    /// More than the driver keeps prepared.
    const MOST: usize = 32;

    fn learn(&mut self, id: u32, columns: Arc<[Sent]>) -> Arc<[Sent]> {
        self.0.retain(|known| known.0 != id);
        if self.0.len() == Known::MOST {
            self.0.remove(0);
        }
        self.0.push((id, Arc::clone(&columns)));
        columns
    }

    fn get(&mut self, statement: &Statement) -> Arc<[Sent]> {
        let id = statement.id();
        let known = self.0.iter().find(|known| known.0 == id).map(|known| Arc::clone(&known.1));
        let columns = known.unwrap_or_else(|| statement.columns().iter().map(sent_of).collect());
        self.learn(id, columns)
    }
}

/// Empties a vector for values that live otherwise; its memory is kept.
fn recycle<'b>(mut values: Vec<ValueRef<'_>>) -> Vec<ValueRef<'b>> {
    values.clear();
    values.into_iter().map(|_| unreachable!("it is empty")).collect()
}
