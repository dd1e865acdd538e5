//! One statement and its rows.

use super::{ReadSpec, read_error};
use crate::Error;
use handoff_connect::{Fault, MyConn, MyPacket, MyPool, MyRows, ValueRef, Wire};
use handoff_model::{Cancel, Cancelled};
use mysql::Value;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// MySQL's "query execution was interrupted".
const INTERRUPTED: u16 = 1317;

/// What MariaDB and MySQL say of a statement that took longer than its own limit.
const TIMED_OUT: [u16; 2] = [1969, 3024];

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
    /// The receiver had enough, or it took longer than it may.
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
    is_limited: bool,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(conn: &'a mut MyConn, cancel: &'a Cancel) -> Fetch<'a> {
        Fetch { conn, cancel, killed: false, is_limited: false }
    }

    /// Lets statements bound how long they take.
    pub(super) fn limited(self) -> Fetch<'a> {
        Fetch { is_limited: true, ..self }
    }

    /// Runs a statement and hands its rows to `each`.
    ///
    /// After an error of `each` or a request to stop the connection is not used again.
    pub(super) fn run<E>(
        &mut self,
        sql: &str,
        params: Vec<Value>,
        mut each: impl FnMut(&[ValueRef<'_>]) -> Result<Flow, E>,
    ) -> Result<End, Stop<E>> {
        let cancel = self.cancel;
        self.execute(sql, params, |rows, begun| {
            rows.each(|row| {
                *begun = true;
                verdict(cancel, each(row))
            })
        })
    }

    /// Runs a statement and hands the packets of its rows to `each`, as [`Fetch::run`] does.
    pub(super) fn run_packets<E>(
        &mut self,
        sql: &str,
        params: Vec<Value>,
        mut each: impl FnMut(MyPacket<'_>) -> Result<Flow, E>,
    ) -> Result<End, Stop<E>> {
        let cancel = self.cancel;
        self.execute(sql, params, |rows, begun| {
            rows.each_packet(|packet| {
                *begun = true;
                verdict(cancel, each(packet))
            })
        })
    }

    /// Runs a statement, of which `take` takes the rows and says that one came.
    fn execute<E>(
        &mut self,
        sql: &str,
        params: Vec<Value>,
        mut take: impl FnMut(&mut MyRows<'_>, &mut bool) -> Taken<E>,
    ) -> Result<End, Stop<E>> {
        self.cancel.check().map_err(Stop::Cancelled)?;
        let killed = std::mem::take(&mut self.killed);
        let wire = self.conn.wire().map_err(Stop::Server)?;
        let pool = self.conn.pool().clone();
        let _guard = pool.cancel_guard(self.conn, self.cancel);
        let again = killed.then(|| params.clone());
        let mut outcome = self.attempt((&pool, &wire), sql, params, &mut take);
        if let (Outcome::Interrupted, Some(params)) = (&outcome, again) {
            outcome = self.attempt((&pool, &wire), sql, params, &mut take);
        }
        match outcome {
            Outcome::Whole => Ok(End::Whole),
            Outcome::TimedOut => Ok(End::Ended),
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
        (pool, wire): (&MyPool, &Wire),
        sql: &str,
        params: Vec<Value>,
        take: &mut impl FnMut(&mut MyRows<'_>, &mut bool) -> Taken<E>,
    ) -> Outcome<E> {
        let id = self.conn.connection_id();
        let mut rows = match self.conn.rows(sql, params) {
            Ok(rows) => rows,
            Err(error) if is_interruption(&error) => return Outcome::Interrupted,
            Err(error) if self.is_limited && has_timed_out(&error) => return Outcome::TimedOut,
            Err(error) => return Outcome::Driver(error),
        };
        let mut begun = false;
        match take(&mut rows, &mut begun) {
            Ok(ControlFlow::Continue(())) => Outcome::Whole,
            Ok(ControlFlow::Break(outcome)) => match end(rows, pool, wire, id) {
                Err(fault) if matches!(outcome, Outcome::Ended) => Outcome::Kill(fault),
                _ => outcome,
            },
            Err(error) if !begun && is_interruption(&error) => Outcome::Interrupted,
            Err(error) if self.is_limited && has_timed_out(&error) => Outcome::TimedOut,
            Err(error) => Outcome::Driver(error),
        }
    }

    fn interrupted(&self) -> Fault {
        self.conn.mark_broken();
        Fault::new(self.conn.side(), "somebody ended the statement")
    }
}

/// What came of the rows of a statement.
type Taken<E> = mysql::Result<ControlFlow<Outcome<E>>>;

/// Says whether to go on behind a row.
fn verdict<E>(cancel: &Cancel, done: Result<Flow, E>) -> ControlFlow<Outcome<E>> {
    ControlFlow::Break(match (cancel.check(), done) {
        (Err(cancelled), _) => Outcome::Cancelled(cancelled),
        (_, Err(error)) => Outcome::Sink(error),
        (Ok(()), Ok(Flow::Enough)) => Outcome::Ended,
        (Ok(()), Ok(Flow::On)) => return ControlFlow::Continue(()),
    })
}

enum Outcome<E> {
    Whole,
    TimedOut,
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
fn end(mut rows: MyRows<'_>, pool: &MyPool, wire: &Wire, id: u32) -> Result<(), Fault> {
    let patience = Instant::now() + PATIENCE;
    let in_time = |_: &[ValueRef<'_>]| {
        if Instant::now() > patience { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = pool.kill_query(id).and_then(|()| match rows.each(in_time) {
        Ok(ControlFlow::Break(())) => {
            Err(Fault::new(pool.side(), "the server does not end a statement"))
        }
        Err(error) if !is_interruption(&error) && !has_timed_out(&error) => Err(pool.fault(&error)),
        Ok(ControlFlow::Continue(())) | Err(_) => Ok(()),
    });
    if ended.is_err() {
        wire.cut();
    }
    ended
}

fn has_timed_out(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error) if TIMED_OUT.contains(&error.code))
}

fn is_interruption(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error) if error.code == INTERRUPTED)
}
