//! Pools of MySQL connections.

use crate::fault::{Fault, Result, Side};
use crate::my_link::{MyConnState, MyDialer, Server};
use crate::pool_options::PoolOptions;
use crate::protection::LinkProtection;
use crate::session_profile::SessionProfile;
use crate::sessions::SessionLabels;
use crate::slots::{SLOT_TIMEOUT, SlotPool, slots};
use crate::version::ServerVersion;
use crate::watchdog;
use handoff_settings::MySqlServer;
use std::sync::{Arc, Mutex, PoisonError};

/// A pool of connections to one MySQL or MariaDB database. Cheap to clone.
///
/// Connections are made when they are needed, on the thread that needs them, and never more than
/// [`PoolOptions::size`] for reading and as many for writing. Whether one still lives is asked of the kernel when it is taken, which
/// costs no round trip; one that met a fault is not used again.
#[derive(Clone)]
pub struct MyPool {
    shared: Arc<MyPoolState>,
    pub(crate) reading: SlotPool<MyConnState>,
    pub(crate) writing: SlotPool<MyConnState>,
}

struct MyPoolState {
    dialer: Arc<MyDialer>,
    server: Server,
    /// The connection that [`MyPool::open`] made, until somebody takes it.
    first: Mutex<Option<MyConnState>>,
}

impl MyPool {
    /// Connects once, to learn the server's version, and opens the pool.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] that names the server and the remedy if it cannot be reached, refuses
    /// the account or does not know the database.
    pub fn open(server: &MySqlServer, side: Side, options: &PoolOptions) -> Result<MyPool> {
        let labels = SessionLabels::new(options.run, side);
        let dialer = MyDialer::new(side, server.clone(), labels, options)?;
        let (first, server) = dialer.first(SessionProfile::Read)?;
        watchdog::start(&dialer);
        let shared = MyPoolState { dialer, server, first: Mutex::new(Some(first)) };
        let (reading, writing) = (slots(options.size), slots(options.size));
        Ok(MyPool { shared: Arc::new(shared), reading, writing })
    }

    pub(crate) fn exhausted(&self) -> Fault {
        let text = format!(
            "no connection came free within {} s, all {} are in use",
            SLOT_TIMEOUT.as_secs(),
            self.reading.max_size()
        );
        Fault::transient(self.side(), text)
    }

    /// Makes a connection for a slot that holds none. The first was made for reading.
    pub(crate) fn connect(&self, profile: SessionProfile) -> Result<MyConnState> {
        if profile.writes() {
            return self.dialer().connect(&self.shared.server, profile);
        }
        let first = self.shared.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(link) if !link.client.has_news() => Ok(link),
            _ => self.dialer().connect(&self.shared.server, profile),
        }
    }

    pub(crate) fn dialer(&self) -> &Arc<MyDialer> {
        &self.shared.dialer
    }

    pub(crate) fn server(&self) -> &Server {
        &self.shared.server
    }

    /// Returns which database of the pipeline this is.
    pub fn side(&self) -> Side {
        self.dialer().side
    }

    /// Returns the name of the database.
    pub fn database(&self) -> &str {
        &self.dialer().server.database
    }

    /// Returns the host and port that the settings name.
    pub fn address(&self) -> (&str, u16) {
        let server = &self.dialer().server;
        (&server.host, server.port)
    }

    /// Returns the server's kind and version.
    pub fn version(&self) -> &ServerVersion {
        &self.server().version
    }

    /// Returns what protects the first connection, and so the others.
    pub fn protection(&self) -> &LinkProtection {
        &self.server().protection
    }

    /// Returns the largest packet, in bytes, that the server takes, and so the largest row that can
    /// be written. It sends rows of any size.
    pub fn max_allowed_packet(&self) -> usize {
        self.server().max_allowed_packet
    }

    /// Returns the ids of the connections that are open now, pooled or held for a lock.
    pub fn connection_ids(&self) -> Vec<u32> {
        self.dialer().labels.ids()
    }

    /// Ends the statement that connection `id` is running, from a connection of its own.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached or refuses.
    pub fn kill_query(&self, id: u32) -> Result<()> {
        self.dialer().ask_briefly(move |conn| match conn.query_drop(format!("KILL QUERY {id}")) {
            // There is no such connection any more.
            Err(mysql::Error::MySqlError(error)) if error.code == 1094 => Ok(()),
            done => done,
        })
    }

    /// Reduces an error of this side's driver.
    pub fn fault(&self, error: &mysql::Error) -> Fault {
        Fault::my(self.side(), error)
    }
}
