//! A borrowed PostgreSQL connection.

use crate::fault::{Fault, Result, Side};
use crate::pg_link::PgConnState;
use crate::pg_pool::PgPool;
use crate::slots::LazyManager;
use handoff_model::{CancelToken, OnCancel};
use postgres::Client;
use r2d2::PooledConnection;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// A connection out of a [`PgPool`]; dereferences to the driver's client.
///
/// It goes back to the pool on drop, unless it met a fault: report errors through
/// [`PgConn::fault`], and a session that may hold an open transaction is not handed to the next.
pub struct PgConn {
    slot: PooledConnection<LazyManager<PgConnState>>,
    pool: PgPool,
    faulted: AtomicBool,
}

impl PgPool {
    /// Takes a connection.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if no connection can be had.
    pub fn get(&self) -> Result<PgConn> {
        let slot = self.slots.get().map_err(|_| self.exhausted())?;
        PgConn::fill(slot, self.clone())
    }

    /// Has the statement that `conn` runs ended when `cancel` is asked to stop, until the guard
    /// is dropped.
    ///
    /// The guard is tied to a connection, not to a statement: take it before the statement and
    /// drop it right after.
    pub fn cancel_guard(&self, conn: &PgConn, cancel: &CancelToken) -> OnCancel {
        let (pool, token) = (self.clone(), conn.cancel_token());
        cancel.on_cancel(move || {
            if let Err(fault) = pool.cancel(&token) {
                log::warn!("cannot end the running statement: {fault}");
            }
        })
    }
}

impl PgConn {
    /// Puts a living connection into the slot.
    pub(crate) fn fill(
        mut slot: PooledConnection<LazyManager<PgConnState>>,
        pool: PgPool,
    ) -> Result<PgConn> {
        if slot.link.as_mut().is_some_and(|link| !link.lives()) {
            slot.link = None;
        }
        if slot.link.is_none() {
            slot.link = Some(pool.connect()?);
        }
        Ok(PgConn { slot, pool, faulted: AtomicBool::new(false) })
    }

    /// Takes the connection out of the pool for good. A pooler might serve no further one.
    pub(crate) fn into_link(mut self) -> PgConnState {
        self.slot.link.take().expect("a borrowed slot is filled")
    }

    /// Returns the pool it came from.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Closes the connection instead of giving it back, ending what it still runs.
    pub fn close(mut self) {
        // The driver waits for the statement in progress when it is dropped.
        if self.pool.cancel(&self.cancel_token()).is_ok() {
            self.slot.link = None;
        } else {
            self.mark_broken();
        }
    }

    /// Marks the connection as not to be used again: it is closed on drop.
    pub fn mark_broken(&self) {
        self.faulted.store(true, Ordering::Relaxed);
    }

    /// Reduces an error of this connection's driver, and marks the connection as broken.
    pub fn fault(&self, error: &postgres::Error) -> Fault {
        self.mark_broken();
        match self.slot.link.as_ref().and_then(|link| link.seat().verdict()) {
            Some(verdict) => verdict.clone(),
            None => Fault::pg(Side::Target, error),
        }
    }
}

impl Deref for PgConn {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.slot.link.as_ref().expect("a borrowed slot is filled").client
    }
}

impl DerefMut for PgConn {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.slot.link.as_mut().expect("a borrowed slot is filled").client
    }
}

impl Drop for PgConn {
    fn drop(&mut self) {
        if *self.faulted.get_mut() || self.pool.is_short() {
            self.slot.link = None;
        }
        if let Some(link) = &mut self.slot.link {
            link.touch();
        }
    }
}
