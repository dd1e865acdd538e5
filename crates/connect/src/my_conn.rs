//! A borrowed MySQL connection.

use crate::my_link::MyConnState;
use crate::my_rows::RowsOf;
use crate::seat::WatchSeat;
use crate::slots::LazyManager;
use crate::wire::{self, SocketHandle};
use crate::{Fault, LoadDataResult, MyPool, MyRows, Result, SessionProfile, Side, my_session};
use mysql::Value;
use mysql::prelude::Queryable;
use r2d2::PooledConnection;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A connection out of a [`MyPool`]; dereferences to the driver's connection.
///
/// It goes back to the pool on drop, unless it met a fault: report errors through
/// [`MyConn::fault`], and a session that may hold an open transaction is not handed to the next.
pub struct MyConn {
    slot: PooledConnection<LazyManager<MyConnState>>,
    pool: MyPool,
    faulted: AtomicBool,
}

impl MyConn {
    /// Puts a living connection with the right profile into the slot.
    pub(crate) fn fill(
        mut slot: PooledConnection<LazyManager<MyConnState>>,
        pool: MyPool,
        profile: SessionProfile,
    ) -> Result<MyConn> {
        if slot.link.as_ref().is_some_and(has_news) {
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
        SocketHandle::of(self).map_err(|error| self.fault(&error.into()))
    }

    /// Prepares and executes a statement, of which [`MyRows`] hands out the rows with no allocation
    /// for each. A text that is prepared already is not prepared again.
    ///
    /// # Errors
    ///
    /// Returns the driver's error, or the server's, to be passed through [`MyConn::fault`].
    pub fn rows(&mut self, sql: &str, params: Vec<Value>) -> mysql::Result<MyRows<'_>> {
        let MyConnState { conn, rows, seat, .. } =
            self.slot.link.as_mut().expect("a borrowed slot is filled");
        rows.execute(conn, sql, params, RowsOf { seat, broken: &self.faulted })
    }

    /// Runs a `LOAD DATA LOCAL INFILE`, whose file is what `file` writes.
    ///
    /// # Errors
    ///
    /// Returns the driver's error, or the server's, to be passed through [`MyConn::fault`].
    pub fn load_local(
        &mut self,
        sql: &str,
        file: impl FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> mysql::Result<LoadDataResult> {
        let MyConnState { rows, seat, .. } = self.link_mut();
        rows.load(seat, sql, file)
    }

    /// Closes the connection instead of giving it back, such as after a result that was not read
    /// to its end.
    pub fn close(mut self) {
        if let Some(link) = self.slot.link.take()
            && let Ok(wire) = SocketHandle::of(&link.conn)
        {
            wire.cut();
        }
    }

    /// Marks the connection as not to be used again: it is closed on drop.
    pub fn mark_broken(&self) {
        self.faulted.store(true, Ordering::Relaxed);
    }

    /// Reduces an error of this connection's driver, and marks the connection as broken.
    pub fn fault(&self, error: &mysql::Error) -> Fault {
        self.mark_broken();
        match self.link().seat.verdict() {
            Some(verdict) => verdict.clone(),
            None => Fault::my(self.side(), error),
        }
    }

    /// Returns the connection as its watchdog sees it.
    pub(crate) fn seat(&self) -> &Arc<WatchSeat> {
        &self.link().seat
    }
}

/// Returns true if an idle connection was closed by the server, or is about to be.
pub(crate) fn has_news(link: &MyConnState) -> bool {
    wire::has_news(link.conn.as_raw_fd())
}

impl Deref for MyConn {
    type Target = mysql::Conn;
    fn deref(&self) -> &mysql::Conn {
        &self.link().conn
    }
}

impl DerefMut for MyConn {
    fn deref_mut(&mut self) -> &mut mysql::Conn {
        &mut self.link_mut().conn
    }
}

impl Drop for MyConn {
    fn drop(&mut self) {
        if *self.faulted.get_mut() {
            self.slot.link = None;
        }
    }
}
