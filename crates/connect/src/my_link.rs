//! Connecting to MySQL and MariaDB.

use crate::dial::dial_within;
use crate::fault::{my_connect, not_connected};
use crate::my_rows::RowState;
use crate::patience::Patience;
use crate::seat::{Seat, Seats};
use crate::sessions::{Labels, Ticket};
use crate::trust::{self, Held, Refused};
use crate::wire::Wire;
use crate::{Fault, Profile, Result, ServerVersion, Side, my_session, tls};
use handoff_settings::{MySqlServer, TlsMode};
use mysql::prelude::Queryable;
use mysql::{Conn, DriverError, Error, OptsBuilder, SslOpts};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A server that took the connection and says nothing is as good as down.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest packet that the protocol allows.
const LARGEST_PACKET: usize = 1 << 30;

/// A connection and what is known about it.
pub(crate) struct MyLink {
    pub(crate) conn: Conn,
    pub(crate) profile: Profile,
    /// Whether the socket carries what is said as it is.
    pub(crate) plain: bool,
    pub(crate) rows: RowState,
    pub(crate) seat: Arc<Seat>,
    _ticket: Ticket,
}

/// Makes connections to one server.
pub(crate) struct MyDialer {
    pub(crate) side: Side,
    pub(crate) server: MySqlServer,
    pub(crate) labels: Labels,
    pub(crate) patience: Patience,
    /// The open connections.
    pub(crate) seats: Seats,
    /// The public authorities, if certificates are verified by those of `tls_ca`.
    refused: Option<Refused>,
    /// Set once a server turned out to offer no TLS, where that is allowed.
    plain: AtomicBool,
    /// Set once a server turned out to know no named locks (Galera).
    unlabelled: AtomicBool,
}

/// What the first connection learned about its server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) version: ServerVersion,
    pub(crate) max_allowed_packet: usize,
}

impl MyDialer {
    /// # Errors
    ///
    /// Returns a [`Fault`] if the file of authorities can't be used.
    pub(crate) fn new(
        side: Side,
        server: MySqlServer,
        labels: Labels,
        patience: Patience,
    ) -> Result<Arc<MyDialer>> {
        let file = server.tls.ca.as_deref().filter(|_| server.tls.mode.verifies());
        let authorities = file.map(|file| tls::authorities(side, file)).transpose()?;
        trust::install();
        Ok(Arc::new(MyDialer {
            side,
            server,
            labels,
            patience,
            seats: Seats::default(),
            refused: authorities.as_ref().map(Refused::all_but),
            plain: AtomicBool::new(false),
            unlabelled: AtomicBool::new(false),
        }))
    }

    /// Connects and asks the server what it is.
    pub(crate) fn first(self: &Arc<Self>, profile: Profile) -> Result<(MyLink, Server)> {
        self.in_time(move |dialer| {
            let (mut conn, plain) = dialer.dial(LARGEST_PACKET, Some(&dialer.server.database))?;
            let server = dialer.ask(&mut conn)?;
            Ok((dialer.prepare(conn, plain, &server, profile)?, server))
        })
    }

    /// Connects to a server that is known already.
    pub(crate) fn connect(self: &Arc<Self>, server: &Server, profile: Profile) -> Result<MyLink> {
        // The server's own limit is for what it is sent; a row that it holds it sends at any size.
        let limit = match profile {
            Profile::Write | Profile::Merge => server.max_allowed_packet,
            Profile::Read | Profile::RawRead => LARGEST_PACKET,
        };
        let server = server.clone();
        self.in_time(move |dialer| {
            let (conn, plain) = dialer.dial(limit, Some(&dialer.server.database))?;
            dialer.prepare(conn, plain, &server, profile)
        })
    }

    /// Connects without a set-up, to make what is missing.
    pub(crate) fn bare(self: &Arc<Self>) -> Result<Conn> {
        self.in_time(move |dialer| dialer.dial(1 << 24, None).map(|(conn, _)| conn))
    }

    /// Runs `ask` on a connection of its own, all of it within the time for connecting.
    pub(crate) fn ask_briefly<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&mut Conn) -> mysql::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.in_time(move |dialer| {
            let (mut conn, _) = dialer.dial(1 << 24, None)?;
            ask(&mut conn).map_err(|error| Fault::my(dialer.side, &error))
        })
    }

    /// Connects by `dial`, and gives up in time.
    fn in_time<T: Send + 'static>(
        self: &Arc<Self>,
        dial: impl FnOnce(&MyDialer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let dialer = Arc::clone(self);
        dial_within(&self.patience, move || dial(&dialer))
            .unwrap_or_else(|failure| Err(not_connected(self.side, &self.at(), failure)))
    }

    /// Returns where the server is.
    pub(crate) fn at(&self) -> String {
        let MySqlServer { host, port, .. } = &self.server;
        if host.starts_with('/') { host.clone() } else { format!("{host}:{port}") }
    }

    fn ask(&self, conn: &mut Conn) -> Result<Server> {
        let fault = |error| Fault::my(self.side, &error);
        let answer: Option<(String, usize)> = conn
            .query_opt("SELECT VERSION(), @@max_allowed_packet")
            .map_err(fault)?
            .pop()
            .and_then(std::result::Result::ok);
        answer
            .and_then(|(text, max_allowed_packet)| {
                let version = ServerVersion::parse(&text)?;
                Some(Server { version, max_allowed_packet })
            })
            .ok_or_else(|| Fault::new(self.side, "the server does not tell its version"))
    }

    fn prepare(
        &self,
        mut conn: Conn,
        plain: bool,
        server: &Server,
        profile: Profile,
    ) -> Result<MyLink> {
        let ticket = self.labels.take(conn.connection_id());
        let label = ticket.label().filter(|_| !self.unlabelled.load(Ordering::Relaxed));
        let set_up = |label| my_session::set_up(&server.version, profile, label);
        let mut done = conn.query_drop(set_up(label));
        if label.is_some() && is_not_supported(&done) {
            self.unlabelled.store(true, Ordering::Relaxed);
            done = conn.query_drop(set_up(None));
        }
        done.map_err(|error| Fault::my(self.side, &error))?;
        let rows = RowState::default();
        let wire = Wire::of(&conn).map_err(|error| Fault::my(self.side, &Error::IoError(error)))?;
        let seat = Arc::new(Seat::new(conn.connection_id(), wire));
        self.seats.add(&seat);
        Ok(MyLink { conn, profile, plain, rows, seat, _ticket: ticket })
    }

    /// Connects, and says whether without TLS.
    fn dial(&self, max_allowed_packet: usize, database: Option<&str>) -> Result<(Conn, bool)> {
        let options = self.options(max_allowed_packet, database);
        let _held = self.hold_to_our_authorities()?;
        let mut tls = self.tls();
        let mut conn = dial_any(&self.server.host, &options.clone().ssl_opts(tls.clone()));
        if let Err(error) = &conn
            && self.server.tls.mode == TlsMode::Prefer
            && tls_failed(error)
        {
            self.plain.store(true, Ordering::Relaxed);
            tls = None;
            conn = dial_any(&self.server.host, &options);
        }
        let conn = conn.map_err(|error| my_connect(self.side, &self.server, &error))?;
        Wire::of(&conn)
            .and_then(|wire| self.bound(&wire))
            .map_err(|error| Fault::my(self.side, &Error::IoError(error)))?;
        Ok((conn, tls.is_none()))
    }

    /// Bounds the silence on a socket. What is confirmed but not answered is looked at before the system
    /// gives up what is not confirmed.
    fn bound(&self, wire: &Wire) -> io::Result<()> {
        let silence = self.patience.usual_silence();
        wire.wait_at_most(Some(silence))?;
        wire.confirm_within(silence.saturating_mul(2))
    }

    fn options(&self, max_allowed_packet: usize, database: Option<&str>) -> OptsBuilder {
        let server = &self.server;
        let password = Some(server.password.expose()).filter(|text| !text.is_empty());
        let program = self.labels.program();
        let options = OptsBuilder::new()
            .user(Some(server.user.as_str()))
            .pass(password)
            .db_name(database)
            .prefer_socket(false)
            .compress(None)
            .tcp_nodelay(true)
            .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
            .read_timeout(Some(self.patience.usual_silence().min(HANDSHAKE_TIMEOUT)))
            .tcp_keepalive_time_ms(Some(60_000))
            .tcp_keepalive_probe_interval_secs(Some(15))
            .tcp_keepalive_probe_count(Some(4))
            // A statement belongs to a table, and is not met again in a run but by a few.
            .stmt_cache_size(16)
            .max_allowed_packet(Some(max_allowed_packet))
            .connect_attrs(Some([("program_name", program.as_str())].into()));
        if server.host.starts_with('/') {
            options.socket(Some(server.host.as_str()))
        } else {
            let host = match server.host.parse::<Ipv6Addr>() {
                Ok(address) => format!("[{address}]"),
                Err(_) => server.host.clone(),
            };
            options.ip_or_hostname(Some(host)).tcp_port(server.port)
        }
    }

    /// Has the driver, on this thread, trust the authorities of `tls_ca` alone.
    fn hold_to_our_authorities(&self) -> Result<Option<Held>> {
        let Some(refused) = &self.refused else { return Ok(None) };
        let text = "this program has set a TLS provider for the whole process, under which the \
                    authorities in tls_ca cannot be the only ones";
        refused.hold().map(Some).ok_or_else(|| Fault::new(self.side, text))
    }

    /// Returns how to do TLS, if at all.
    fn tls(&self) -> Option<SslOpts> {
        let tls = &self.server.tls;
        let unverified = || SslOpts::default().with_danger_accept_invalid_certs(true);
        let verified = || SslOpts::default().with_root_cert_path(tls.ca.clone());
        match tls.mode {
            TlsMode::Disable => None,
            TlsMode::Prefer if self.plain.load(Ordering::Relaxed) => None,
            TlsMode::Prefer | TlsMode::Require => Some(unverified()),
            TlsMode::VerifyCa => Some(verified().with_danger_skip_domain_validation(true)),
            TlsMode::VerifyFull => Some(verified()),
        }
    }
}

/// Connects to the first address of the host that answers.
///
/// The driver gives up at a name's first address, which for `localhost` is often `::1` where
/// nobody listens. Told to bind to an address family, it goes through all of that family.
fn dial_any(host: &str, options: &OptsBuilder) -> mysql::Result<Conn> {
    let refused = match Conn::new(options.clone()) {
        Err(error @ Error::DriverError(DriverError::CouldNotConnect(Some(_)))) => error,
        done => return done,
    };
    if host.starts_with('/') || host.parse::<std::net::IpAddr>().is_ok() {
        return Err(refused);
    }
    let any = [SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), (Ipv6Addr::UNSPECIFIED, 0).into()];
    for family in any {
        match Conn::new(options.clone().bind_address(Some(family))) {
            Err(Error::DriverError(DriverError::CouldNotConnect(_))) => {}
            done => return done,
        }
    }
    Err(refused)
}

/// Returns true if TLS failed, so that `prefer` goes on without.
fn tls_failed(error: &Error) -> bool {
    match error {
        Error::DriverError(DriverError::TlsNotSupported) | Error::TlsError(_) => true,
        Error::IoError(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
        _ => false,
    }
}

fn is_not_supported(done: &mysql::Result<()>) -> bool {
    matches!(done, Err(Error::MySqlError(error)) if matches!(error.code, 1235 | 1105 | 3099))
}
