//! One statement and its rows.

use super::spec::{ReadSpec, read_error};
use crate::error::Error;
use handoff_connect::{Fault, MyConn, MyPacket, MyPool, MyRows, SocketHandle, ValueRef};
use handoff_model::{CancelToken, Cancelled};
use mysql::Value;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// MySQL's "query execution was interrupted".
const INTERRUPTED: u16 = 1317;

/// The codes of MariaDB and MySQL for a statement that took longer than its own limit.
const TIMED_OUT: [u16; 2] = [1969, 3024];

/// The time to read on after a statement was killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answer of a row's receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FetchFlow {
    /// The next, please.
    On,
    /// No more rows of this statement; it is to release its locks at once.
    Enough,
}

/// The end of a statement that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FetchEnd {
    /// All of its rows were fetched.
    Whole,
    /// The receiver had enough, or it took longer than it may.
    Ended,
}

/// The reason why a statement failed.
pub(super) enum FetchStop<E> {
    Server(Fault),
    Cancelled(Cancelled),
    Sink(E),
}

impl<E: From<Error>> FetchStop<E> {
    pub(super) fn into_error(self, spec: &ReadSpec<'_>, rows: u64) -> E {
        match self {
            FetchStop::Server(fault) => read_error(spec, rows, fault).into(),
            FetchStop::Cancelled(cancelled) => Error::from(cancelled).into(),
            FetchStop::Sink(error) => error,
        }
    }
}

/// Runs statements of one read on one connection.
pub(super) struct RowFetch<'a> {
    conn: &'a mut MyConn,
    cancel: &'a CancelToken,
    /// The last statement was killed, perhaps too late: the next may be hit in its place.
    killed: bool,
    is_limited: bool,
}

impl<'a> RowFetch<'a> {
    pub(super) fn new(conn: &'a mut MyConn, cancel: &'a CancelToken) -> RowFetch<'a> {
        RowFetch { conn, cancel, killed: false, is_limited: false }
    }

    /// Lets statements bound how long they take.
    pub(super) fn limited(self) -> RowFetch<'a> {
        RowFetch { is_limited: true, ..self }
    }

    /// Runs a statement and hands its rows to `each`.
    ///
    /// After an error of `each` or a request to stop the connection is not used again.
    pub(super) fn run<E>(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(&[ValueRef<'_>]) -> Result<FetchFlow, E>,
    ) -> Result<FetchEnd, FetchStop<E>> {
        let cancel = self.cancel;
        self.execute(sql, params, |rows, begun| {
            rows.each(|row| {
                *begun = true;
                verdict(cancel, each(row))
            })
        })
    }

    /// Runs a statement and hands the packets of its rows to `each`, as [`RowFetch::run`] does.
    pub(super) fn run_packets<E>(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(MyPacket<'_>) -> Result<FetchFlow, E>,
    ) -> Result<FetchEnd, FetchStop<E>> {
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
        params: &[Value],
        mut take: impl FnMut(&mut MyRows<'_>, &mut bool) -> FetchResult<E>,
    ) -> Result<FetchEnd, FetchStop<E>> {
        self.cancel.check().map_err(FetchStop::Cancelled)?;
        let killed = std::mem::take(&mut self.killed);
        let session = RunningSession {
            wire: self.conn.wire().map_err(FetchStop::Server)?,
            pool: self.conn.pool().clone(),
            id: self.conn.connection_id(),
        };
        let _guard = session.pool.cancel_guard(self.conn, self.cancel);
        let mut outcome = self.attempt(&session, sql, params, &mut take);
        if killed && matches!(outcome, FetchOutcome::Interrupted) {
            outcome = self.attempt(&session, sql, params, &mut take);
        }
        match outcome {
            FetchOutcome::Whole => Ok(FetchEnd::Whole),
            FetchOutcome::TimedOut => Ok(FetchEnd::Ended),
            FetchOutcome::Ended => {
                self.killed = true;
                Ok(FetchEnd::Ended)
            }
            FetchOutcome::Interrupted => Err(FetchStop::Server(self.interrupted())),
            FetchOutcome::Driver(error) => Err(FetchStop::Server(self.conn.fault(&error))),
            FetchOutcome::Kill(fault) => {
                self.conn.mark_broken();
                Err(FetchStop::Server(fault))
            }
            FetchOutcome::Sink(error) => {
                self.conn.mark_broken();
                Err(FetchStop::Sink(error))
            }
            FetchOutcome::Cancelled(cancelled) => {
                self.conn.mark_broken();
                Err(FetchStop::Cancelled(cancelled))
            }
        }
    }

    fn attempt<E>(
        &mut self,
        session: &RunningSession,
        sql: &str,
        params: &[Value],
        take: &mut impl FnMut(&mut MyRows<'_>, &mut bool) -> FetchResult<E>,
    ) -> FetchOutcome<E> {
        let mut rows = match self.conn.rows(sql, params) {
            Ok(rows) => rows,
            Err(error) if is_interruption(&error) => return FetchOutcome::Interrupted,
            Err(error) if self.is_limited && has_timed_out(&error) => {
                return FetchOutcome::TimedOut;
            }
            Err(error) => return FetchOutcome::Driver(error),
        };
        let mut begun = false;
        match take(&mut rows, &mut begun) {
            Ok(ControlFlow::Continue(())) => FetchOutcome::Whole,
            Ok(ControlFlow::Break(outcome)) => match session.end(rows) {
                Err(fault) if matches!(outcome, FetchOutcome::Ended) => FetchOutcome::Kill(fault),
                _ => outcome,
            },
            Err(error) if !begun && is_interruption(&error) => FetchOutcome::Interrupted,
            Err(error) if self.is_limited && has_timed_out(&error) => FetchOutcome::TimedOut,
            Err(error) => FetchOutcome::Driver(error),
        }
    }

    fn interrupted(&self) -> Fault {
        self.conn.mark_broken();
        Fault::new(self.conn.side(), "somebody ended the statement")
    }
}

/// The result of taking the rows of a statement.
type FetchResult<E> = mysql::Result<ControlFlow<FetchOutcome<E>>>;

/// Decides whether to go on behind a row.
fn verdict<E>(cancel: &CancelToken, done: Result<FetchFlow, E>) -> ControlFlow<FetchOutcome<E>> {
    ControlFlow::Break(match (cancel.check(), done) {
        (Err(cancelled), _) => FetchOutcome::Cancelled(cancelled),
        (_, Err(error)) => FetchOutcome::Sink(error),
        (Ok(()), Ok(FetchFlow::Enough)) => FetchOutcome::Ended,
        (Ok(()), Ok(FetchFlow::On)) => return ControlFlow::Continue(()),
    })
}

enum FetchOutcome<E> {
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

/// The session that runs a statement, seen from beside it.
struct RunningSession {
    pool: MyPool,
    wire: SocketHandle,
    id: u32,
}

impl RunningSession {
    /// Ends a statement: has it killed, and reads the rows on their way, up to the server's word that
    /// it was interrupted.
    ///
    /// Closing the connection alone isn't enough: a server that waits for a peer to read may take long
    /// to find it gone, and keeps the table locked. Dropped with rows left, `rows` would read them all;
    /// if they are too many, or the server can't be reached, the wire is cut first.
    fn end(&self, mut rows: MyRows<'_>) -> Result<(), Fault> {
        let patience = Instant::now() + PATIENCE;
        let read = self.pool.kill_query(self.id).map(|()| {
            rows.each(|_| {
                let is_over = Instant::now() > patience;
                if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        });
        let ended = read.and_then(|read| match read {
            Ok(ControlFlow::Break(())) => {
                Err(Fault::new(self.pool.side(), "the server does not end a statement"))
            }
            Err(error) if !is_interruption(&error) && !has_timed_out(&error) => {
                Err(self.pool.fault(&error))
            }
            Ok(ControlFlow::Continue(())) | Err(_) => Ok(()),
        });
        if ended.is_err() {
            self.wire.cut();
        }
        ended
    }
}

fn has_timed_out(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error) if TIMED_OUT.contains(&error.code))
}

fn is_interruption(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error) if error.code == INTERRUPTED)
}
