//! Connecting to MySQL and MariaDB.

use crate::dial::dial_within;
use crate::fault::{Fault, Result, Side, my_connect, not_connected};
use crate::my_line::{LineError, LineTerms, ServerKey, sign_in};
use crate::my_rows::MyClient;
use crate::my_session;
use crate::my_session::{NewSession, SessionRights};
use crate::patience::Patience;
use crate::pool_options::PoolOptions;
use crate::protection::LinkProtection;
use crate::protocol::SpokenProtocol;
use crate::reach::reach;
use crate::seat::WatchSeats;
use crate::session_profile::SessionProfile;
use crate::sessions::{SessionLabels, SessionTicket};
use crate::tls::{TlsTerms, server_name};
use crate::version::ServerVersion;
use crate::wire::SocketHandle;
use handoff_settings::MySqlServer;
use mysql::{Conn, Error, OptsBuilder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The largest packet that the protocol allows.
const LARGEST_PACKET: usize = 1 << 30;

/// A connection and what is known about it.
pub(crate) struct MyConnState {
    pub(crate) client: MyClient,
    pub(crate) profile: SessionProfile,
    _ticket: SessionTicket,
}

/// Makes connections to one server.
pub(crate) struct MyDialer {
    pub(crate) side: Side,
    pub(crate) server: MySqlServer,
    pub(crate) labels: SessionLabels,
    pub(crate) patience: Patience,
    /// The most bytes of a row, and of all rows of an answer that is gathered.
    pub(crate) largest_answer: usize,
    /// The open connections.
    pub(crate) seats: WatchSeats,
    terms: LineTerms,
    /// Set once TLS failed with a server, where plain text is allowed.
    plain: AtomicBool,
    /// Set once a server turned out to know no named locks (Galera).
    unlabelled: AtomicBool,
    /// Set once the account turned out not to be one that may set everything.
    unprivileged: AtomicBool,
}

/// The facts of a server that its first connection learned.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) version: ServerVersion,
    pub(crate) max_allowed_packet: usize,
    pub(crate) protection: LinkProtection,
}

impl MyDialer {
    /// # Errors
    ///
    /// Returns a [`Fault`] if the file of authorities or of the server's key can't be used.
    pub(crate) fn new(
        side: Side,
        server: MySqlServer,
        labels: SessionLabels,
        options: &PoolOptions,
    ) -> Result<Arc<MyDialer>> {
        let key =
            server.public_key.as_deref().map(|file| ServerKey::load(side, file)).transpose()?;
        let terms = LineTerms {
            tls: TlsTerms::new(side, &server.tls)?,
            name: server_name(&server.host),
            key,
            // Rows are loaded into the replica, and into nothing else.
            files: side == Side::Replica,
        };
        Ok(Arc::new(MyDialer {
            side,
            server,
            labels,
            patience: options.patience(),
            largest_answer: options.largest_answer.min(LARGEST_PACKET),
            seats: WatchSeats::default(),
            terms,
            plain: AtomicBool::new(false),
            unlabelled: AtomicBool::new(false),
            unprivileged: AtomicBool::new(false),
        }))
    }

    /// Connects and asks the server what it is.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] that says so if another protocol is spoken there.
    pub(crate) fn first(
        self: &Arc<Self>,
        profile: SessionProfile,
    ) -> Result<(MyConnState, Server)> {
        let begin = move |dialer: &MyDialer| {
            let database = Some(&*dialer.server.database);
            let (mut client, protection) = dialer.dial(dialer.largest_answer, database)?;
            let server = dialer.ask(&mut client, protection)?;
            Ok((dialer.prepare(client, &server, profile)?, server))
        };
        match self.within(&self.patience.with_a_stranger(), begin) {
            Err(fault) if fault.code().is_none() => {
                let spoken = SpokenProtocol::at(&self.server.host, self.server.port);
                match spoken.filter(|spoken| *spoken != SpokenProtocol::MySql) {
                    Some(spoken) => Err(spoken.fault(self.side, &self.at())),
                    None if fault.is_disconnect() => self.in_time(begin),
                    None => Err(fault),
                }
            }
            begun => begun,
        }
    }

    /// Connects to a server that is known already.
    pub(crate) fn connect(
        self: &Arc<Self>,
        server: &Server,
        profile: SessionProfile,
    ) -> Result<MyConnState> {
        // The server's own limit is for what it is sent; a row that it holds it sends at any size.
        let limit = if profile.writes() { server.max_allowed_packet } else { self.largest_answer };
        let server = server.clone();
        self.in_time(move |dialer| {
            let (client, _) = dialer.dial(limit, Some(&dialer.server.database))?;
            dialer.prepare(client, &server, profile)
        })
    }

    /// Connects without a set-up, to make what is missing.
    pub(crate) fn bare(self: &Arc<Self>) -> Result<MyClient> {
        self.in_time(move |dialer| dialer.dial(1 << 24, None).map(|(client, _)| client))
    }

    /// Runs `ask` on a connection of its own, all of it within the time for connecting.
    pub(crate) fn ask_briefly<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&mut MyClient) -> mysql::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.in_time(move |dialer| {
            let (mut client, _) = dialer.dial(1 << 24, None)?;
            ask(&mut client).map_err(|error| Fault::my(dialer.side, &error))
        })
    }

    /// Connects by `dial`, and gives up in time.
    fn in_time<T: Send + 'static>(
        self: &Arc<Self>,
        dial: impl FnOnce(&MyDialer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.within(&self.patience, dial)
    }

    fn within<T: Send + 'static>(
        self: &Arc<Self>,
        patience: &Patience,
        dial: impl FnOnce(&MyDialer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let dialer = Arc::clone(self);
        dial_within(patience, move || dial(&dialer))
            .unwrap_or_else(|failure| Err(not_connected(self.side, &self.at(), failure)))
    }

    /// Returns where the server is.
    pub(crate) fn at(&self) -> String {
        let MySqlServer { host, port, .. } = &self.server;
        if host.starts_with('/') { host.clone() } else { format!("{host}:{port}") }
    }

    fn ask(&self, client: &mut MyClient, protection: LinkProtection) -> Result<Server> {
        let fault = |error| Fault::my(self.side, &error);
        // A LIMIT of its own: the session is not set up yet, and the server's may be none.
        let ask = "SELECT VERSION(), @@max_allowed_packet, DATABASE() LIMIT 1";
        let answer: Option<(String, usize, Option<String>)> =
            client.query_first(ask).map_err(fault)?;
        let unknown = || Fault::new(self.side, "the server does not tell its version");
        let (text, max_allowed_packet, database) = answer.ok_or_else(unknown)?;
        self.demand_database(database.as_deref().unwrap_or_default())?;
        let version = ServerVersion::parse(&text).ok_or_else(unknown)?;
        Ok(Server { version, max_allowed_packet, protection })
    }

    /// Sees to it that statements mean tables of the database in the url: a server's `init_connect`
    /// may lead a session elsewhere.
    fn demand_database(&self, current: &str) -> Result<()> {
        let wanted = self.server.database.as_str();
        // A server that keeps names in lower case says them so.
        if current.to_lowercase() == wanted.to_lowercase() {
            return Ok(());
        }
        let text = format!(
            "a session that asks for the database {wanted} is led into {current}, by the server's \
             init_connect or by a proxy: take the USE out of init_connect (SHOW GLOBAL VARIABLES \
             LIKE 'init_connect')"
        );
        Err(Fault::new(self.side, text))
    }

    fn prepare(
        &self,
        mut client: MyClient,
        server: &Server,
        profile: SessionProfile,
    ) -> Result<MyConnState> {
        let ticket = self.labels.take(client.connection_id());
        let mut done = self.set_up(&mut client, server, profile, &ticket);
        // What one connection learns spares the others the trial; each finishes its own.
        if is_denied(&done) {
            self.unprivileged.store(true, Ordering::Relaxed);
            done = self.set_up(&mut client, server, profile, &ticket);
        }
        if is_not_supported(&done) {
            self.unlabelled.store(true, Ordering::Relaxed);
            done = self.set_up(&mut client, server, profile, &ticket);
        }
        done.map_err(|error| Fault::my(self.side, &error))?;
        self.seats.add(client.seat());
        Ok(MyConnState { client, profile, _ticket: ticket })
    }

    fn set_up(
        &self,
        client: &mut MyClient,
        server: &Server,
        profile: SessionProfile,
        ticket: &SessionTicket,
    ) -> mysql::Result<()> {
        let label = ticket.label().filter(|_| !self.unlabelled.load(Ordering::Relaxed));
        let rights = match self.unprivileged.load(Ordering::Relaxed) {
            true => SessionRights::Refused,
            false => SessionRights::Tried,
        };
        let file_wait = my_session::file_wait(self.patience.usual_silence());
        let session = NewSession { version: &server.version, profile, label, rights, file_wait };
        client.query_drop(my_session::set_up(&session))
    }

    /// Connects, and says what protects the connection.
    fn dial(
        &self,
        max_allowed_packet: usize,
        database: Option<&str>,
    ) -> Result<(MyClient, LinkProtection)> {
        let options = self.options(max_allowed_packet, database);
        let signed_in = match self.sign_in(&options) {
            Err(LineError::Tls(_)) if self.server.tls.is_optional() => {
                self.plain.store(true, Ordering::Relaxed);
                self.sign_in(&options)
            }
            done => done,
        };
        let (conn, protection) =
            signed_in.map_err(|error| my_connect(self.side, &self.server, error))?;
        let bounded = SocketHandle::of(&conn)
            .and_then(|wire| wire.wait_at_most(Some(self.patience.usual_silence())))
            .and_then(|()| MyClient::new(conn, max_allowed_packet, self.largest_answer));
        let client = bounded.map_err(|error| Fault::my(self.side, &Error::IoError(error)))?;
        Ok((client, protection))
    }

    fn sign_in(
        &self,
        options: &OptsBuilder,
    ) -> std::result::Result<(Conn, LinkProtection), LineError> {
        let MySqlServer { host, port, .. } = &self.server;
        // What is confirmed but not answered is looked at before the system gives up what is not
        // confirmed.
        let confirm = self.patience.usual_silence().saturating_mul(2);
        let reached = reach(host, *port, confirm)?;
        let mut terms = self.terms.clone();
        if self.plain.load(Ordering::Relaxed) {
            terms.tls = None;
        }
        sign_in(reached, terms, options.clone(), Instant::now() + self.handshake())
    }

    /// Returns how long signing in may take; after a request to stop at least a moment.
    fn handshake(&self) -> Duration {
        self.patience.handshake().max(Duration::from_secs(1))
    }

    fn options(&self, max_allowed_packet: usize, database: Option<&str>) -> OptsBuilder {
        let server = &self.server;
        let password = Some(server.password.expose()).filter(|text| !text.is_empty());
        let program = self.labels.program();
        OptsBuilder::new()
            .user(Some(server.user.as_str()))
            .pass(password)
            .db_name(database)
            .prefer_socket(false)
            .compress(None)
            .read_timeout(Some(self.handshake()))
            .max_allowed_packet(Some(max_allowed_packet))
            .connect_attrs(Some([("program_name", program.as_str())].into()))
    }
}

fn is_denied(done: &mysql::Result<()>) -> bool {
    matches!(done, Err(Error::MySqlError(error)) if error.code == 1227)
}

fn is_not_supported(done: &mysql::Result<()>) -> bool {
    matches!(done, Err(Error::MySqlError(error)) if matches!(error.code, 1235 | 1105 | 3099))
}
