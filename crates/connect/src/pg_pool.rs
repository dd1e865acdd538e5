//! Pools of PostgreSQL connections.

use crate::fault::{Fault, Result, Side};
use crate::pg_link::{PgConnState, PgDialer, PgFacts};
use crate::pool_options::PoolOptions;
use crate::protection::LinkProtection;
use crate::slots::{SLOT_TIMEOUT, SlotPool, slots};
use crate::{pooler, sessions, watchdog};
use handoff_settings::PgServer;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A pool of connections to the target database. Cheap to clone.
///
/// Connections are made when they are needed, on the thread that needs them, and never more than
/// [`PoolOptions::size`]. One that was idle for more than a second is asked whether it still lives
/// when it is taken; one that met a fault is not used again.
#[derive(Clone)]
pub struct PgPool {
    shared: Arc<PgPoolState>,
    pub(crate) slots: SlotPool<PgConnState>,
}

struct PgPoolState {
    dialer: Arc<PgDialer>,
    facts: PgFacts,
    /// The connection that [`PgPool::open`] made, until somebody takes it.
    first: Mutex<Option<PgConnState>>,
    /// Borrowers that wait for the pooler to serve a connection.
    waiting: AtomicUsize,
}

impl PgPool {
    /// Connects once, to learn the server's version and encoding, and opens the pool.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] that names the server and the remedy if it cannot be reached, refuses
    /// the account, does not know the database, or the database is not in UTF8.
    pub fn open(server: &PgServer, options: &PoolOptions) -> Result<PgPool> {
        let pool = PgPool::open_to_look(server, options)?;
        if let Some(fault) = pool.lends_no_sessions() {
            return Err(fault);
        }
        pool.shared.dialer.demand_utf8(&pool.shared.facts)?;
        Ok(pool)
    }

    /// Opens a pool as [`PgPool::open`] does, whatever the database is encoded in, and where a pooler lends a session
    /// for one transaction: for looking at it, not for loading.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] as [`PgPool::open`] does.
    pub fn open_to_look(server: &PgServer, options: &PoolOptions) -> Result<PgPool> {
        let program = sessions::program(options.run);
        let dialer = PgDialer::new(server.clone(), &program, options)?;
        let (first, facts) = dialer.first()?;
        watchdog::start(&dialer);
        let waiting = AtomicUsize::new(0);
        let shared = PgPoolState { dialer, facts, first: Mutex::new(Some(first)), waiting };
        Ok(PgPool { shared: Arc::new(shared), slots: slots(options.size) })
    }

    pub(crate) fn exhausted(&self) -> Fault {
        let text = format!(
            "no connection came free within {} s, all {} are in use",
            SLOT_TIMEOUT.as_secs(),
            self.slots.max_size()
        );
        Fault::transient(Side::Target, text)
    }

    /// Makes a connection for a slot that holds none.
    pub(crate) fn connect(&self) -> Result<PgConnState> {
        let first = self.shared.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut link) = first
            && link.lives()
        {
            return Ok(link);
        }
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        let link = self.shared.dialer.connect(&self.shared.facts);
        self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
        link
    }

    /// Returns true if a connection that nobody uses is to be closed: its session is what another borrower waits
    /// for at the pooler.
    pub(crate) fn is_short(&self) -> bool {
        self.is_pooled() && self.shared.waiting.load(Ordering::SeqCst) > 0
    }

    /// Returns true if a pooler stands before the server. Its pool may be smaller than ours.
    pub fn is_pooled(&self) -> bool {
        self.shared.facts.pooled
    }

    /// Returns the refusal of a pooler that lends a session for one transaction, if one stands before the server.
    pub fn lends_no_sessions(&self) -> Option<Fault> {
        self.shared.facts.lent.then(|| pooler::refused(self.server()))
    }

    /// Returns the server's version number as `server_version_num` gives it, such as 150018.
    pub fn version_num(&self) -> u32 {
        self.shared.facts.version_num
    }

    /// Returns the encoding of the database, such as `UTF8`.
    pub fn encoding(&self) -> &str {
        &self.shared.facts.encoding
    }

    /// Returns the name of the database.
    pub fn database(&self) -> &str {
        &self.server().database
    }

    /// Returns what protects the first connection, and so the others.
    pub fn protection(&self) -> &LinkProtection {
        &self.shared.facts.protection
    }

    /// Returns the host and port that the settings name.
    pub fn address(&self) -> (&str, u16) {
        (&self.server().host, self.server().port)
    }

    pub(crate) fn server(&self) -> &PgServer {
        &self.shared.dialer.server
    }

    /// Asks the server to cancel what the owner of `token` is running, over the pool's TLS.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached.
    pub fn cancel(&self, token: &postgres::CancelToken) -> Result<()> {
        self.shared.dialer.cancel(token)
    }

    /// Reduces an error of this side's driver.
    pub fn fault(&self, error: &postgres::Error) -> Fault {
        Fault::pg(Side::Target, error)
    }
}
