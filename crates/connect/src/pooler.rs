//! Poolers between us and PostgreSQL, told by what they do.
//!
//! A pooler signs its clients in by itself, so the process that it names for cancel requests is not the one that
//! answers. One that lends a server's session for as long as the client stays (session mode) serves a run as
//! PostgreSQL does. One that lends it for a transaction or a statement can't: temporary tables, settings and
//! locks would be met by whoever comes next.

use crate::fault::{Fault, Result, Side};
use crate::layered::StreamLayer;
use handoff_settings::PgServer;
use postgres::{Client, SimpleQueryMessage};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{io, thread};
use tokio::io::{AsyncRead, ReadBuf};

/// The number of rounds in which two connections are compared. Of two that are lent a session for
/// each transaction, one gets in a round the session that the other had, in most orders in which a
/// pool lends.
const ROUNDS: u32 = 4;
/// The longest that a second connection may take to be served. A pool of one never serves it.
const SECOND_SERVED: Duration = Duration::from_secs(15);
/// The time that a connection waits for a pool before that is told.
const TOLD_AFTER: Duration = Duration::from_secs(10);

/// The tag of the message that names the server's process (PostgreSQL manual, "Message Formats",
/// BackendKeyData).
const BACKEND_KEY: u8 = b'K';
const HEADER: usize = 5;
const PROCESS: usize = 4;

/// The process that a server named at sign-in, once it has.
#[derive(Clone, Default)]
pub(crate) struct NamedProcess(Arc<AtomicU32>);

impl NamedProcess {
    fn get(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&process| process != 0)
    }
}

/// A line whose sign-in is read along for the process that the server names.
#[derive(Clone)]
pub(crate) struct NamingLine {
    process: NamedProcess,
    /// The bytes so far of the message in progress; [`None`] once the process is known.
    message: Option<Vec<u8>>,
}

impl NamingLine {
    /// Writes down in `process` the process that is named.
    pub(crate) fn new(process: NamedProcess) -> NamingLine {
        NamingLine { process, message: Some(Vec::new()) }
    }

    /// Looks through the bytes that came, message by message.
    fn look(&mut self, mut bytes: &[u8]) {
        while let Some(message) = &mut self.message
            && !bytes.is_empty()
        {
            let (part, rest) = bytes.split_at(missing(message).min(bytes.len()));
            message.extend_from_slice(part);
            bytes = rest;
            if missing_of_whole(message) == Some(0) {
                match process_of(message) {
                    Some(process) => {
                        self.process.0.store(process, Ordering::Relaxed);
                        self.message = None;
                    }
                    None => message.clear(),
                }
            }
        }
    }
}

/// Returns the bytes to take next: those of the header, then those of the body.
fn missing(message: &[u8]) -> usize {
    missing_of_whole(message).unwrap_or_else(|| HEADER - message.len())
}

/// Returns how many bytes the message lacks, once its header is there.
fn missing_of_whole(message: &[u8]) -> Option<usize> {
    let [_, length @ ..] = message.first_chunk::<HEADER>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some((length + 1).saturating_sub(message.len()))
}

fn process_of(message: &[u8]) -> Option<u32> {
    let (header, body) = message.split_first_chunk::<HEADER>()?;
    let process = body.first_chunk::<PROCESS>().filter(|_| header[0] == BACKEND_KEY)?;
    Some(u32::from_be_bytes(*process))
}

impl<S> StreamLayer<S> for NamingLine {
    fn poll_read(
        &mut self,
        below: Pin<&mut S>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncRead,
    {
        let before = out.filled().len();
        ready!(below.poll_read(cx, out))?;
        if self.message.is_some() {
            self.look(&out.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

/// The ways in which a server's sessions come to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolingMode {
    /// Each connection has a session of its own: PostgreSQL itself, or a pooler in session mode.
    Session { pooled: bool },
    /// A connection is lent a session for each transaction.
    Transaction,
    /// A connection is lent a session for each statement.
    Statement,
}

/// Tells how the sessions behind `first` come to us, for whom `named` was named at sign-in.
///
/// # Errors
///
/// Returns a [`Fault`] if the server fails, or does not serve a second connection.
pub(crate) fn pooling(
    first: &mut Client,
    named: &NamedProcess,
    server: &PgServer,
    dial: impl Fn() -> Result<Client>,
) -> Result<PoolingMode> {
    let own = process(first)?;
    let pooled = named.get().map(|named| named != own);
    if pooled == Some(false) {
        return Ok(PoolingMode::Session { pooled: false });
    }
    if !has_transactions(first) {
        // One that lends a session for a statement refuses them, and closes the connection. So does a network that
        // fails, but hardly twice.
        return match has_transactions(&mut dial()?) {
            true => Err(Fault::transient(Side::Target, "the connection was lost")),
            false => Ok(PoolingMode::Statement),
        };
    }
    let mut second = served(dial()?, server)?;
    let lent = lent_anew(first, &mut second)?;
    // Where nothing was named to compare with, the sessions are taken for pooled ones: they are then given back
    // as they came.
    Ok(if lent { PoolingMode::Transaction } else { PoolingMode::Session { pooled: true } })
}

fn has_transactions(client: &mut Client) -> bool {
    client.batch_execute("BEGIN").and_then(|()| client.batch_execute("COMMIT")).is_ok()
}

/// Returns true if a session served both connections, or one connection had two.
fn lent_anew(first: &mut Client, second: &mut Client) -> Result<bool> {
    let (mut of_first, mut of_second) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ROUNDS {
        of_first.insert(process(first)?);
        of_second.insert(in_transaction(second, first, &mut of_first)?);
        of_first.insert(in_transaction(first, second, &mut of_second)?);
        if of_first.len() > 1 || of_second.len() > 1 || !of_first.is_disjoint(&of_second) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the process of `holder` in a transaction, during which the process of `other` is noted as well.
fn in_transaction(
    holder: &mut Client,
    other: &mut Client,
    of_other: &mut BTreeSet<u32>,
) -> Result<u32> {
    holder.batch_execute("BEGIN").map_err(|error| fault(&error))?;
    let held = process(holder)?;
    of_other.insert(process(other)?);
    holder.batch_execute("COMMIT").map_err(|error| fault(&error))?;
    Ok(held)
}

fn process(client: &mut Client) -> Result<u32> {
    // No prepared statement: it might be looked for in another session.
    let rows =
        client.simple_query("SELECT pg_catalog.pg_backend_pid()").map_err(|error| fault(&error))?;
    let row = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let process = row.and_then(|text| text.parse().ok());
    process.ok_or_else(|| Fault::new(Side::Target, "the server does not tell its process"))
}

fn fault(error: &postgres::Error) -> Fault {
    Fault::pg(Side::Target, error)
}

/// Waits until the pool serves a second connection.
fn served(mut second: Client, server: &PgServer) -> Result<Client> {
    let _told = told_if_long(waiting(server));
    if is_served(&mut second, SECOND_SERVED) {
        return Ok(second);
    }
    leave(second);
    Err(Fault::transient(Side::Target, too_small(server)))
}

/// Returns true if the server answers within `time`. A pooler signs a client in and answers nothing before a
/// connection of its pool is free.
pub(crate) fn is_served(client: &mut Client, time: Duration) -> bool {
    client.is_valid(time).is_ok()
}

/// Leaves a connection whose answer is still owed.
pub(crate) fn leave(client: Client) {
    // The driver waits for the answer when it is dropped.
    thread::spawn(move || drop(client));
}

/// Gives a connection up that was signed in and not served.
pub(crate) fn unserved(client: Client, server: &PgServer, time: Duration) -> Fault {
    leave(client);
    let text = format!(
        "{}:{} has signed us in and answered nothing for {} s: if it is a pooler, its pool has no connection \
         free (raise pool_size, or name PostgreSQL's own port in the url of [target]); or else the server is frozen",
        server.host,
        server.port,
        time.as_secs()
    );
    Fault::disconnect(Side::Target, text)
}

/// Says that a connection waits for its pool.
pub(crate) fn waiting(server: &PgServer) -> String {
    format!(
        "target: waiting for the pooler at {}:{}, whose pool has no connection free: others use it, or \
         pool_size is small for `jobs`",
        server.host, server.port
    )
}

fn too_small(server: &PgServer) -> String {
    format!(
        "the pooler at {}:{} served no second connection within {} s, and a run needs two: raise pool_size \
         for this database (PgBouncer: `{} = host=… pool_mode=session pool_size=4` under [databases]), or name \
         PostgreSQL's own port in the url of [target]",
        server.host,
        server.port,
        SECOND_SERVED.as_secs(),
        server.database
    )
}

/// Refuses a pooler that lends no sessions.
pub(crate) fn refused(server: &PgServer) -> Fault {
    let text = format!(
        "{}:{} is a pooler that lends a session of PostgreSQL for a transaction or a statement at a time, and a \
         run needs sessions that stay: name PostgreSQL's own port in the url of [target], or give this \
         database session mode at the pooler (PgBouncer: `{} = host=… pool_mode=session` under [databases])",
        server.host, server.port, server.database
    );
    Fault::new(Side::Target, text)
}

/// A warning that is logged unless this is dropped soon.
pub(crate) struct ToldIfLong {
    _done: mpsc::Sender<()>,
}

/// Logs `text` if the result is not dropped within [`TOLD_AFTER`].
pub(crate) fn told_if_long(text: String) -> ToldIfLong {
    let (done, ended) = mpsc::channel::<()>();
    let began = Instant::now();
    thread::spawn(move || {
        while ended.recv_timeout(TOLD_AFTER) == Err(mpsc::RecvTimeoutError::Timeout) {
            log::warn!("{text} (for {} s so far)", began.elapsed().as_secs());
        }
    });
    ToldIfLong { _done: done }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An authentication, a parameter, the key, and that the server is ready.
    const SIGN_IN: &[u8] =
        b"R\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0K\0\0\0\x0c\0\0\x12\x34\0\0\0\x07Z\0\0\0\x05I";

    #[test]
    fn the_named_process_is_seen_wherever_the_pieces_end() {
        for size in 1..=SIGN_IN.len() {
            let process = NamedProcess::default();
            let mut watched = NamingLine::new(process.clone());
            SIGN_IN.chunks(size).for_each(|piece| watched.look(piece));
            assert_eq!(process.get(), Some(0x1234), "pieces of {size}");
            assert!(watched.message.is_none(), "what follows is not looked at");
        }
    }

    #[test]
    fn nothing_is_named_before_the_key() {
        let process = NamedProcess::default();
        let mut watched = NamingLine::new(process.clone());
        watched.look(&SIGN_IN[..20]);
        assert_eq!(process.get(), None);
    }

    #[test]
    fn a_refusal_names_the_way_out() {
        let server = PgServer::from_url("postgres://etl@bouncer.example:6432/analytics").unwrap();
        let text = refused(&server).to_string();
        for part in ["bouncer.example:6432", "own port", "`analytics = host=… pool_mode=session`"]
        {
            assert!(text.contains(part), "{text}");
        }
    }
}
