//! The statements of a session, past the driver.

use super::answer::Outcome;
use super::incoming::Incoming;
use super::local_file::{self, LoadDataResult};
use super::outgoing::Outgoing;
use super::packets::Buffer;
use super::rows::{MyRows, Stream};
use super::statement::{Described, Statements, execution, long_data, too_many};
use super::text::{Head, text_row};
use crate::fault::Fault;
use crate::seat::WatchSeat;
use crate::wire::{SocketHandle, has_news};
use mysql::prelude::FromRow;
use mysql::{Conn, Error, Params, Value};
use mysql_common::row::new_row;
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// The memory that a row takes beside the bytes of its values.
const OF_A_ROW: usize = 64;

/// A session of MySQL or MariaDB that was signed in by the driver.
///
/// The driver believes a server: it makes room for as many columns as it is told of, gathers rows without
/// end, and panics over a value of another type. So its connection is kept for its socket and its
/// farewell alone; every statement goes through here, and every packet is judged before there is
/// room made for what it says.
pub struct MyClient {
    conn: Conn,
    seat: Arc<WatchSeat>,
    buffer: Buffer,
    out: Outgoing,
    statements: Statements,
    /// The most bytes of an answer that is not read row by row.
    largest_answer: usize,
    outcome: Outcome,
    /// An answer was not read to its end, or made no sense: nothing that follows would.
    broken: bool,
}

impl MyClient {
    /// Takes a connection that has signed in. A statement may have so many bytes, and an answer as many as
    /// `largest_answer` says.
    ///
    /// # Errors
    ///
    /// Returns an error if the process has no file descriptor left.
    pub(crate) fn new(
        conn: Conn,
        largest_statement: usize,
        largest_answer: usize,
    ) -> io::Result<MyClient> {
        let seat = Arc::new(WatchSeat::new(conn.connection_id(), SocketHandle::of(&conn)?));
        Ok(MyClient {
            conn,
            seat,
            buffer: Buffer::of_at_most(largest_answer),
            out: Outgoing::of_at_most(largest_statement),
            statements: Statements::default(),
            largest_answer,
            outcome: Outcome::default(),
            broken: false,
        })
    }

    /// Runs a statement and reads its answer to the end.
    ///
    /// # Errors
    ///
    /// Returns what the server or the connection said, an error that came behind rows too.
    pub fn query_drop(&mut self, sql: impl AsRef<str>) -> mysql::Result<()> {
        self.query::<mysql::Row, _>(sql).map(drop)
    }

    /// Runs a statement and returns its first row.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyClient::query`] does.
    pub fn query_first<T: FromRow, Q: AsRef<str>>(&mut self, sql: Q) -> mysql::Result<Option<T>> {
        Ok(self.query(sql)?.into_iter().next())
    }

    /// Runs a statement and gathers its rows.
    ///
    /// # Errors
    ///
    /// Returns what the server or the connection said. An answer without end is cut once it is larger than
    /// [`PoolOptions::largest_answer`](crate::PoolOptions::largest_answer).
    pub fn query<T: FromRow, Q: AsRef<str>>(&mut self, sql: Q) -> mysql::Result<Vec<T>> {
        let rows = self.guarded(|client| {
            client.out.query(&client.seat, sql.as_ref())?;
            client.text_rows()
        })?;
        rows.into_iter().map(|row| T::from_row_opt(row).map_err(Error::from)).collect()
    }

    /// Runs a prepared statement and reads its answer to the end.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyClient::query`] does.
    pub fn exec_drop<Q: AsRef<str>, P: Into<Params>>(
        &mut self,
        sql: Q,
        params: P,
    ) -> mysql::Result<()> {
        self.exec::<mysql::Row, _, _>(sql, params).map(drop)
    }

    /// Runs a prepared statement and returns its first row.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyClient::query`] does.
    pub fn exec_first<T: FromRow, Q: AsRef<str>, P: Into<Params>>(
        &mut self,
        sql: Q,
        params: P,
    ) -> mysql::Result<Option<T>> {
        Ok(self.exec(sql, params)?.into_iter().next())
    }

    /// Runs a prepared statement and gathers its rows.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyClient::query`] does.
    pub fn exec<T: FromRow, Q: AsRef<str>, P: Into<Params>>(
        &mut self,
        sql: Q,
        params: P,
    ) -> mysql::Result<Vec<T>> {
        let params = positional(params.into())?;
        let rows = self.guarded(|client| client.binary_rows(sql.as_ref(), &params))?;
        rows.into_iter().map(|row| T::from_row_opt(row).map_err(Error::from)).collect()
    }

    /// Prepares a statement without running it.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyClient::query`] does.
    pub fn prepare(&mut self, sql: impl AsRef<str>) -> mysql::Result<()> {
        self.guarded(|client| client.prepared(sql.as_ref()).map(drop))
    }

    /// Prepares and executes a statement, of which [`MyRows`] hands out the rows with no allocation
    /// for each. A text that is prepared already is not prepared again.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyClient::query`] does, but for the size of the answer: no row is kept.
    pub fn rows(&mut self, sql: &str, params: &[Value]) -> mysql::Result<MyRows<'_>> {
        let described = self.guarded(|client| client.executed(sql, params))?;
        let columns = described.map(|described| described.sent);
        let MyClient { seat, buffer, broken, .. } = self;
        Ok(MyRows(Stream::new(seat, buffer, columns, broken)))
    }

    /// Runs a `LOAD DATA LOCAL INFILE`, whose file is what `file` writes.
    ///
    /// # Errors
    ///
    /// Returns what the server, the connection or `file` said.
    pub fn load_local(
        &mut self,
        sql: &str,
        file: impl FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> mysql::Result<LoadDataResult> {
        self.guarded(|client| {
            let loaded = local_file::load(&client.seat, &mut client.buffer, sql, file);
            client.buffer.reset();
            loaded
        })
    }

    /// Returns the server's number of the session.
    pub fn connection_id(&self) -> u32 {
        self.conn.connection_id()
    }

    /// Returns how many rows the last statement changed.
    pub fn affected_rows(&self) -> u64 {
        self.outcome.affected_rows
    }

    /// Returns how often the server warned of the last statement.
    pub fn warnings(&self) -> u16 {
        self.outcome.warnings
    }

    /// Returns the connection as its watchdog sees it.
    pub(crate) fn seat(&self) -> &Arc<WatchSeat> {
        &self.seat
    }

    /// Returns true if an answer was not read to its end: the session is good for nothing any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Returns true if a connection on which nothing is waited for was closed by the server, or is about
    /// to be.
    pub(crate) fn has_news(&self) -> bool {
        has_news(self.conn.as_raw_fd())
    }

    /// Returns a handle on the socket.
    pub(crate) fn wire(&self) -> io::Result<SocketHandle> {
        SocketHandle::of(&self.conn)
    }

    /// Returns why the watchdog has cut the connection, if it has.
    pub(crate) fn verdict(&self) -> Option<&Fault> {
        self.seat.verdict()
    }

    fn check(&self) -> mysql::Result<()> {
        match self.broken {
            true => Err(io::Error::from(ErrorKind::NotConnected).into()),
            false => Ok(()),
        }
    }

    /// Runs `work`, unless the session is broken, and notes whether it is then.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut MyClient) -> mysql::Result<T>,
    ) -> mysql::Result<T> {
        self.check()?;
        self.outcome = Outcome::default();
        let done = work(self);
        if let Err(error) = &done {
            self.notice(error);
        }
        done
    }

    /// Notes an error: behind one of the server's own the session goes on, behind any other it does not.
    fn notice(&mut self, error: &Error) {
        if !matches!(error, Error::MySqlError(_) | Error::DriverError(_)) {
            self.broken = true;
            // Nothing more is read, so nothing more need come.
            self.seat.cut();
        }
    }

    fn incoming(&mut self) -> Incoming<'_> {
        Incoming::of_at_most(self.largest_answer, &self.seat, &mut self.buffer)
    }

    /// Reads the answer to a statement that was sent as text.
    fn text_rows(&mut self) -> mysql::Result<Vec<mysql::Row>> {
        let mut incoming = self.incoming();
        let columns = match incoming.packet(Head::of)? {
            Head::Done(outcome) => {
                self.outcome = outcome;
                return Ok(Vec::new());
            }
            Head::Columns { count, .. } => incoming.columns(count)?,
        };
        let columns: Arc<[_]> = columns.into();
        let mut rows = Vec::new();
        let outcome = incoming.rows(|packet| {
            let values = text_row(packet, columns.len())?;
            let size = OF_A_ROW + values.len() * size_of::<Value>();
            rows.push(new_row(values, Arc::clone(&columns)));
            Some(size)
        })?;
        self.outcome = outcome;
        Ok(rows)
    }

    /// Prepares a statement, if it is not yet, and returns its number and its parameters' count.
    fn prepared(&mut self, sql: &str) -> mysql::Result<Described> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known);
        }
        self.out.prepare(&self.seat, sql)?;
        let described = self.incoming().statement()?;
        if let Some(old) = self.statements.learn(sql, described.clone()) {
            self.out.close(&self.seat, old)?;
        }
        Ok(described)
    }

    /// Prepares and executes a statement, and returns its columns; none if there are no rows.
    fn executed(&mut self, sql: &str, params: &[Value]) -> mysql::Result<Option<Described>> {
        let mut described = self.prepared(sql)?;
        if usize::from(described.params) != params.len() {
            return Err(too_many(described.params, params.len()));
        }
        long_data(&mut self.out, &self.seat, described.id, params)?;
        execution(&mut self.out, &self.seat, described.id, params)?;
        let mut incoming = self.incoming();
        match incoming.packet(Head::of)? {
            Head::Done(outcome) => {
                self.outcome = outcome;
                return Ok(None);
            }
            Head::Columns { count, described: true } => {
                described = described.with(incoming.columns(count)?);
                self.statements.learn(sql, described.clone());
            }
            Head::Columns { count, .. } => incoming.end_of_columns(count, &described)?,
        }
        Ok(Some(described))
    }

    fn binary_rows(&mut self, sql: &str, params: &[Value]) -> mysql::Result<Vec<mysql::Row>> {
        let Some(described) = self.executed(sql, params)? else { return Ok(Vec::new()) };
        let (mut rows, mut left) = (Vec::new(), self.largest_answer);
        let MyClient { seat, buffer, broken, .. } = self;
        let mut stream = Stream::new(seat, buffer, Some(described.sent), broken);
        let read = stream.each(|values| {
            let values: Vec<Value> = values.iter().map(|value| Value::from(*value)).collect();
            let Some(rest) = left.checked_sub(size(&values)) else {
                return ControlFlow::Break(());
            };
            left = rest;
            rows.push(new_row(values, Arc::clone(&described.columns)));
            ControlFlow::Continue(())
        })?;
        let outcome = stream.outcome();
        drop(stream);
        if read.is_break() {
            return Err(self.incoming().too_large());
        }
        self.outcome = outcome;
        Ok(rows)
    }
}

/// Returns the memory that a row takes.
fn size(values: &[Value]) -> usize {
    OF_A_ROW + size_of_val(values) + values.iter().map(length).sum::<usize>()
}

/// Returns the bytes that a value owns.
fn length(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

/// Returns the values of parameters; we name none.
fn positional(params: Params) -> mysql::Result<Vec<Value>> {
    params.into_values(None).map_err(|error| Error::DriverError(error.into()))
}
