//! One statement and its rows.

use super::{ReadSpec, read_error};
use crate::Error;
use handoff_connect::{Fault, MyConn, MyPool, Wire};
use handoff_model::{Cancel, Cancelled};
use mysql::prelude::Queryable;
use mysql::{Binary, QueryResult, Value};
use std::time::{Duration, Instant};

/// MySQL's "query execution was interrupted".
const INTERRUPTED: u16 = 1317;

/// How long to read on after a statement was killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the receiver of a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next, please.
    On,
    /// No more rows of this statement; it is to release its locks at once.
    Enough,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// All of its rows were fetched.
    Whole,
    /// The receiver had enough.
    Ended,
}

/// Why a statement did not end well.
pub(super) enum Stop<E> {
    Server(Fault),
    Cancelled(Cancelled),
    Sink(E),
}

impl<E: From<Error>> Stop<E> {
    pub(super) fn into_error(self, spec: &ReadSpec<'_>, rows: u64) -> E {
        match self {
            Stop::Server(fault) => read_error(spec, rows, fault).into(),
            Stop::Cancelled(cancelled) => Error::from(cancelled).into(),
            Stop::Sink(error) => error,
        }
    }
}

/// Runs statements of one read on one connection.
pub(super) struct Fetch<'a> {
    conn: &'a mut MyConn,
    cancel: &'a Cancel,
    /// The last statement was killed, perhaps too late: the next may be hit in its place.
    killed: bool,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(conn: &'a mut MyConn, cancel: &'a Cancel) -> Fetch<'a> {
        Fetch { conn, cancel, killed: false }
    }

    /// Runs a statement and hands its rows to `each`, which may keep them.
    ///
    /// After an error of `each` or a request to stop the connection is not used again.
    pub(super) fn run<E>(
        &mut self,
        sql: &str,
        params: Vec<Value>,
        mut each: impl FnMut(Vec<Value>) -> Result<Flow, E>,
    ) -> Result<End, Stop<E>> {
        self.cancel.check().map_err(Stop::Cancelled)?;
        let killed = std::mem::take(&mut self.killed);
        let wire = self.conn.wire().map_err(Stop::Server)?;
        let pool = self.conn.pool().clone();
        let _guard = pool.cancel_guard(self.conn, self.cancel);
        let again = killed.then(|| params.clone());
        let mut outcome = self.attempt(&pool, &wire, sql, params, &mut each);
        if let (Outcome::Interrupted, Some(params)) = (&outcome, again) {
            outcome = self.attempt(&pool, &wire, sql, params, &mut each);
        }
        match outcome {
            Outcome::Whole => Ok(End::Whole),
            Outcome::Ended => {
                self.killed = true;
                Ok(End::Ended)
            }
            Outcome::Interrupted => Err(Stop::Server(self.interrupted())),
            Outcome::Driver(error) => Err(Stop::Server(self.conn.fault(&error))),
            Outcome::Kill(fault) => {
                self.conn.mark_broken();
                Err(Stop::Server(fault))
            }
            Outcome::Sink(error) => {
                self.conn.mark_broken();
                Err(Stop::Sink(error))
            }
            Outcome::Cancelled(cancelled) => {
                self.conn.mark_broken();
                Err(Stop::Cancelled(cancelled))
            }
        }
    }

    fn attempt<E>(
        &mut self,
        pool: &MyPool,
        wire: &Wire,
        sql: &str,
        params: Vec<Value>,
        each: &mut impl FnMut(Vec<Value>) -> Result<Flow, E>,
    ) -> Outcome<E> {
        let id = self.conn.connection_id();
        let mut rows = match self.conn.exec_iter(sql, params) {
            Ok(rows) => rows,
            Err(error) if is_interruption(&error) => return Outcome::Interrupted,
            Err(error) => return Outcome::Driver(error),
        };
        let mut first = true;
        while let Some(row) = rows.next() {
            let row = match row {
                Ok(row) => row.unwrap(),
                Err(error) if first && is_interruption(&error) => return Outcome::Interrupted,
                Err(error) => return Outcome::Driver(error),
            };
            first = false;
            let outcome = match (self.cancel.check(), each(row)) {
                (Err(cancelled), _) => Outcome::Cancelled(cancelled),
                (_, Err(error)) => Outcome::Sink(error),
                (Ok(()), Ok(Flow::Enough)) => Outcome::Ended,
                (Ok(()), Ok(Flow::On)) => continue,
            };
            return match end(rows, pool, wire, id) {
                Err(fault) if matches!(outcome, Outcome::Ended) => Outcome::Kill(fault),
                _ => outcome,
            };
        }
        Outcome::Whole
    }

    fn interrupted(&self) -> Fault {
        self.conn.mark_broken();
        Fault::new(self.conn.side(), "somebody ended the statement")
    }
}

enum Outcome<E> {
    Whole,
    Ended,
    /// Before its first row.
    Interrupted,
    Driver(mysql::Error),
    Kill(Fault),
    Sink(E),
    Cancelled(Cancelled),
}

/// Ends a statement: has it killed, and reads what was on its way, up to the server's word that it
/// was interrupted.
///
/// Closing the connection alone isn't enough: a server that waits for a peer to read may take long to
/// find it gone, and keeps the table locked. Dropped with rows left, `rows` would read them all; if
/// they are too many, or the server can't be reached, the wire is cut first.
fn end(
    mut rows: QueryResult<'_, '_, '_, Binary>,
    pool: &MyPool,
    wire: &Wire,
    id: u32,
) -> Result<(), Fault> {
    let patience = Instant::now() + PATIENCE;
    let ended = pool.kill_query(id).and_then(|()| {
        loop {
            match rows.next() {
                Some(Ok(_)) if Instant::now() > patience => {
                    break Err(Fault::new(pool.side(), "the server does not end a statement"));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) if !is_interruption(&error) => break Err(pool.fault(&error)),
                Some(Err(_)) | None => break Ok(()),
            }
        }
    });
    if ended.is_err() {
        wire.cut();
    }
    ended
}

fn is_interruption(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error) if error.code == INTERRUPTED)
}
