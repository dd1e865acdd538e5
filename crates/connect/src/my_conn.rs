//! A borrowed MySQL connection.

use crate::fault::{Fault, Result, Side};
use crate::my_link::MyConnState;
use crate::my_pool::MyPool;
use crate::my_rows::MyClient;
use crate::my_session;
use crate::seat::LongStatement;
use crate::session_profile::SessionProfile;
use crate::slots::LazyManager;
use crate::wire::SocketHandle;
use handoff_model::{CancelToken, OnCancel};
use r2d2::PooledConnection;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A connection out of a [`MyPool`]; dereferences to its [`MyClient`].
///
/// It goes back to the pool on drop, unless it met a fault: report errors through
/// [`MyConn::fault`], and a session that may hold an open transaction is not handed to the next.
pub struct MyConn {
    slot: PooledConnection<LazyManager<MyConnState>>,
    pool: MyPool,
    faulted: AtomicBool,
}

/// Looks after a statement that may take long, until it is dropped: see [`MyPool::cancel_guard`].
#[must_use = "the statement is looked after until this is dropped"]
pub struct StatementGuard {
    _on_cancel: OnCancel,
    _long: LongStatement,
}

impl MyPool {
    /// Takes a connection whose session is set up for `profile`.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if no connection can be had.
    pub fn get(&self, profile: SessionProfile) -> Result<MyConn> {
        let slots = if profile.writes() { &self.writing } else { &self.reading };
        let slot = slots.get().map_err(|_| self.exhausted())?;
        MyConn::fill(slot, self.clone(), profile)
    }

    /// Has the statement that `conn` runs ended when `cancel` is asked to stop, until the guard
    /// is dropped. Until then it may take as long as the server works on it.
    ///
    /// The guard is tied to a connection, not to a statement: take it before the statement and
    /// drop it right after.
    pub fn cancel_guard(&self, conn: &MyConn, cancel: &CancelToken) -> StatementGuard {
        let (pool, id) = (self.clone(), conn.connection_id());
        let on_cancel = cancel.on_cancel(move || {
            if let Err(fault) = pool.kill_query(id) {
                log::warn!("cannot end the running statement: {fault}");
            }
        });
        let silence = self.dialer().patience.usual_silence();
        let long = LongStatement::begin(conn.seat(), silence);
        StatementGuard { _on_cancel: on_cancel, _long: long }
    }
}

impl MyConn {
    /// Puts a living connection with the right profile into the slot.
    pub(crate) fn fill(
        mut slot: PooledConnection<LazyManager<MyConnState>>,
        pool: MyPool,
        profile: SessionProfile,
    ) -> Result<MyConn> {
        if slot.link.as_ref().is_some_and(|link| link.client.has_news()) {
            slot.link = None;
        }
        if slot.link.is_none() {
            slot.link = Some(pool.connect(profile)?);
        }
        let mut conn = MyConn { slot, pool, faulted: AtomicBool::new(false) };
        conn.set_profile(profile)?;
        Ok(conn)
    }

    fn link(&self) -> &MyConnState {
        self.slot.link.as_ref().expect("a borrowed slot is filled")
    }

    fn link_mut(&mut self) -> &mut MyConnState {
        self.slot.link.as_mut().expect("a borrowed slot is filled")
    }

    /// The database of the pipeline.
    pub fn side(&self) -> Side {
        self.pool.side()
    }

    /// Returns the pool it came from.
    pub fn pool(&self) -> &MyPool {
        &self.pool
    }

    /// Returns what the session is set up for.
    pub fn profile(&self) -> SessionProfile {
        self.link().profile
    }

    /// Sets the session up for another profile, if it is not already.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server refuses.
    pub fn set_profile(&mut self, profile: SessionProfile) -> Result<()> {
        if self.profile() == profile {
            return Ok(());
        }
        let switch = my_session::switch(self.pool.version(), profile);
        self.query_drop(switch).map_err(|error| self.fault(&error))?;
        self.link_mut().profile = profile;
        Ok(())
    }

    /// Returns a handle that cuts this connection, to be taken before a result is begun that may
    /// not be read to its end.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the process has no file descriptor left.
    pub fn wire(&self) -> Result<SocketHandle> {
        self.link().client.wire().map_err(|error| self.fault(&error.into()))
    }

    /// Returns the longest that the server waits for more of a file before it ends the session.
    pub fn file_wait(&self) -> Duration {
        my_session::file_wait(self.pool.dialer().patience.usual_silence())
    }

    /// Closes the connection instead of giving it back, such as after a result that was not read
    /// to its end.
    pub fn close(mut self) {
        if let Some(link) = self.slot.link.take() {
            link.client.seat().cut();
        }
    }

    /// Marks the connection as not to be used again: it is closed on drop.
    pub fn mark_broken(&self) {
        self.faulted.store(true, Ordering::Relaxed);
    }

    /// Reduces an error of this connection's driver, and marks the connection as broken.
    pub fn fault(&self, error: &mysql::Error) -> Fault {
        self.mark_broken();
        match self.link().client.verdict() {
            Some(verdict) => verdict.clone(),
            None => Fault::my(self.side(), error),
        }
    }
}

impl Deref for MyConn {
    type Target = MyClient;
    fn deref(&self) -> &MyClient {
        &self.link().client
    }
}

impl DerefMut for MyConn {
    fn deref_mut(&mut self) -> &mut MyClient {
        &mut self.link_mut().client
    }
}

impl Drop for MyConn {
    fn drop(&mut self) {
        let is_broken = self.slot.link.as_ref().is_some_and(|link| link.client.is_broken());
        if *self.faulted.get_mut() || is_broken {
            self.slot.link = None;
        }
    }
}
