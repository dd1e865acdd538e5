//! Connecting to PostgreSQL.

use crate::dial::dial_within;
use crate::fault::{Fault, Result, Side, not_connected, pg_connect, pg_unreachable};
use crate::layered::LayeredTls;
use crate::patience::Patience;
use crate::pg_line::{PgLines, UNANSWERED};
use crate::pg_session;
use crate::pg_watched::WatchedLine;
use crate::pool_options::PoolOptions;
use crate::pooler::{self, NamedProcess, NamingLine, PoolingMode};
use crate::protection::{LinkProtection, PeerTrust};
use crate::protocol::SpokenProtocol;
use crate::reach::{SocketReach, addresses, nowhere};
use crate::seat::{WatchSeat, WatchSeats};
use crate::tls::TlsTerms;
use handoff_settings::{PgServer, RequireAuth};
use postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use postgres::{Client, Config, SimpleQueryMessage};
use std::borrow::Cow;
use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A connection that lay unused for longer than this is asked whether it still lives.
const TRUSTED: Duration = Duration::from_secs(1);
/// A server that takes longer to answer that has lost the connection.
const ANSWER: Duration = Duration::from_secs(5);
/// The pause between two looks whether a pooler serves a connection.
const POOL_POLL: Duration = Duration::from_secs(2);
/// The longest that a connection waits for a pool: as long as a large table may take that moves
/// meanwhile.
const LONGEST_POOL_WAIT: Duration = Duration::from_secs(3600);

/// A connection and when it was last in use.
pub(crate) struct PgConnState {
    pub(crate) client: Client,
    seat: Arc<WatchSeat>,
    used: Instant,
    given_back: GivenBack,
}

/// The way in which a session is left, which a pooler may give to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenBack {
    /// It ends.
    Closed,
    /// It is reset.
    Reset,
    /// Its transaction is undone, and with it all that was set. Nothing else of it is ours.
    Undone,
}

impl PgConnState {
    /// Returns the connection as its watchdog sees it.
    pub(crate) fn seat(&self) -> &WatchSeat {
        &self.seat
    }

    /// Notes that the connection is given back.
    pub(crate) fn touch(&mut self) {
        self.used = Instant::now();
    }

    /// Returns true if the connection may be used. The driver learns that a server has closed one
    /// only while it waits for an answer, so one that was idle has to be asked.
    pub(crate) fn lives(&mut self) -> bool {
        !self.client.is_closed()
            && (self.used.elapsed() < TRUSTED || self.client.is_valid(ANSWER).is_ok())
    }
}

impl Drop for PgConnState {
    /// A pooler may keep the session for somebody else, and need not reset it. The driver waits for what is still
    /// owed, for ever if the server goes on with it.
    fn drop(&mut self) {
        self.seat.leave();
        if self.given_back != GivenBack::Closed && !self.client.is_closed() {
            // Where a transaction cannot be ended, the pooler ends the session.
            let _ = self.client.batch_execute("ROLLBACK");
            if self.given_back == GivenBack::Reset {
                let _ = self.client.batch_execute("DISCARD ALL");
            }
        }
    }
}

/// Makes connections to one server.
pub(crate) struct PgDialer {
    pub(crate) server: PgServer,
    config: Config,
    tls: Option<TlsTerms>,
    pub(crate) patience: Patience,
    /// The most bytes of an answer that is no COPY.
    largest_answer: usize,
    /// The open connections.
    pub(crate) seats: WatchSeats,
    /// Set once TLS failed where plain text is allowed as well.
    plain: AtomicBool,
    /// Set once a pooler was found before the server.
    pub(crate) pooled: AtomicBool,
}

/// The facts of a server that its first connection learned.
#[derive(Debug, Clone)]
pub(crate) struct PgFacts {
    pub(crate) version_num: u32,
    pub(crate) encoding: String,
    pub(crate) protection: LinkProtection,
    /// True if a pooler stands before the server.
    pub(crate) pooled: bool,
    /// True if that lends a session for one transaction: a connection then stays in one, which is undone.
    pub(crate) lent: bool,
}

impl PgFacts {
    fn read(answer: &SimpleQueryMessage, protection: LinkProtection) -> Option<PgFacts> {
        let SimpleQueryMessage::Row(row) = answer else { return None };
        let version_num = row.try_get(0).ok()??.parse().ok()?;
        let encoding = row.try_get(1).ok()??.to_owned();
        Some(PgFacts { version_num, encoding, protection, pooled: false, lent: false })
    }
}

impl PgDialer {
    pub(crate) fn new(
        server: PgServer,
        application: &str,
        options: &PoolOptions,
    ) -> Result<Arc<PgDialer>> {
        // A Unix socket is private already, and PostgreSQL speaks no TLS over it. There the driver
        // takes no line of ours, and reads a COPY row by row.
        let socket = server.host.starts_with('/');
        let tls = if socket { None } else { TlsTerms::new(Side::Target, &server.tls)? };
        let mut config = Config::new();
        config
            .host(&server.host)
            .port(server.port)
            .user(&server.user)
            .dbname(&server.database)
            .application_name(application)
            .connect_timeout(Duration::from_secs(10))
            .tcp_user_timeout(options.silence.saturating_mul(2))
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(60))
            .keepalives_interval(Duration::from_secs(15))
            .keepalives_retries(4)
            // To the driver every line of ours is one of TLS; see `pg_line`.
            .ssl_mode(if socket { SslMode::Disable } else { SslMode::Require })
            .ssl_negotiation(SslNegotiation::Direct)
            // The driver would log notices, and a trigger's notice may quote a row.
            .notice_callback(|_| {});
        if !server.password.is_empty() {
            config.password(server.password.expose());
        }
        if server.require_auth == RequireAuth::ScramPlus {
            config.channel_binding(ChannelBinding::Require);
        }
        let seats = WatchSeats::default();
        let (plain, pooled) = (AtomicBool::new(false), AtomicBool::new(false));
        let (patience, largest_answer) = (options.patience(), options.largest_answer);
        Ok(Arc::new(PgDialer {
            server,
            config,
            tls,
            patience,
            largest_answer,
            seats,
            plain,
            pooled,
        }))
    }

    /// Connects and asks the server what it is.
    pub(crate) fn first(self: &Arc<Self>) -> Result<(PgConnState, PgFacts)> {
        let mut dialed = self.in_time(PgDialer::dial).map_err(|fault| self.unless_other(fault))?;
        let patience = self.patience.handshake();
        if !pooler::is_served(&mut dialed.client, patience) {
            return Err(pooler::unserved(dialed.client, &self.server, patience));
        }
        self.in_time(move |dialer| dialer.learn(dialed))
    }

    /// Returns the fault of a port that speaks another protocol, if this one came from that.
    fn unless_other(&self, fault: Fault) -> Fault {
        let asked = fault.code().is_none().then_some(&self.server);
        let spoken = asked.and_then(|server| SpokenProtocol::at(&server.host, server.port));
        match spoken.filter(|spoken| *spoken != SpokenProtocol::Postgres) {
            Some(spoken) => spoken.fault(Side::Target, &self.at()),
            None => fault,
        }
    }

    fn learn(&self, dialed: DialedClient) -> Result<(PgConnState, PgFacts)> {
        let DialedClient { mut client, seat, process, protection } = dialed;
        let dial = || self.dial().map(|dialed| dialed.client);
        let (pooled, lent) = match pooler::pooling(&mut client, &process, &self.server, dial)? {
            PoolingMode::Session { pooled } => (pooled, false),
            PoolingMode::Transaction => (true, true),
            PoolingMode::Statement => return Err(pooler::refused(&self.server)),
        };
        self.pooled.store(pooled, Ordering::Relaxed);
        let asked = client.simple_query(&in_transaction(lent, pg_session::FIRST));
        let answers = asked.map_err(|error| Fault::pg(Side::Target, &error))?;
        let facts = answers.iter().find_map(|answer| PgFacts::read(answer, protection));
        let facts = facts
            .ok_or_else(|| Fault::new(Side::Target, "the server does not tell its version"))?;
        let facts = PgFacts { pooled, lent, ..facts };
        Ok((self.prepare(client, seat, &facts)?, facts))
    }

    /// Connects to a server that is known already.
    pub(crate) fn connect(self: &Arc<Self>, facts: &PgFacts) -> Result<PgConnState> {
        let facts = facts.clone();
        if facts.pooled {
            let DialedClient { client, seat, .. } = self.served()?;
            return self.in_time(move |dialer| dialer.prepare(client, seat, &facts));
        }
        self.in_time(move |dialer| {
            let DialedClient { client, seat, .. } = dialer.dial()?;
            dialer.prepare(client, seat, &facts)
        })
    }

    /// Connects to a pooler, and waits until that serves the connection: others of this run have to be done first
    /// where the pool is small.
    fn served(self: &Arc<Self>) -> Result<DialedClient> {
        let _told = pooler::told_if_long(pooler::waiting(&self.server));
        let began = Instant::now();
        loop {
            let mut dialed =
                self.in_time(PgDialer::dial).map_err(|fault| self.unless_other(fault))?;
            while !dialed.client.is_closed() {
                if pooler::is_served(&mut dialed.client, POOL_POLL) {
                    return Ok(dialed);
                }
                if self.patience.is_stopping() || began.elapsed() > LONGEST_POOL_WAIT {
                    return Err(pooler::unserved(dialed.client, &self.server, began.elapsed()));
                }
            }
        }
    }

    /// Runs `ask` on a connection of its own, if a pooler serves one.
    pub(crate) fn ask_if_served<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&mut Client) -> std::result::Result<T, postgres::Error> + Send + 'static,
    ) -> Result<Option<T>> {
        let mut client = self.in_time(PgDialer::dial)?.client;
        if !pooler::is_served(&mut client, ANSWER) {
            pooler::leave(client);
            return Ok(None);
        }
        let ask = move || ask(&mut client).map_err(|error| Fault::pg(Side::Target, &error));
        self.in_time(move |_| ask()).map(Some)
    }

    /// Runs `ask` on a connection of its own, all of it within the time for connecting.
    pub(crate) fn ask_briefly<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&mut Client) -> std::result::Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T> {
        self.in_time(move |dialer| {
            let mut client = dialer.dial()?.client;
            ask(&mut client).map_err(|error| Fault::pg(Side::Target, &error))
        })
    }

    /// Connects by `dial`, and gives up in time.
    fn in_time<T: Send + 'static>(
        self: &Arc<Self>,
        dial: impl FnOnce(&PgDialer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let dialer = Arc::clone(self);
        dial_within(&self.patience, move || dial(&dialer))
            .unwrap_or_else(|failure| Err(not_connected(Side::Target, &self.at(), failure)))
    }

    /// Returns where the server is.
    pub(crate) fn at(&self) -> String {
        let PgServer { host, port, .. } = &self.server;
        if host.starts_with('/') {
            format!("{host} (port {port})")
        } else {
            format!("{host}:{port}")
        }
    }

    /// # Errors
    ///
    /// Returns a [`Fault`] if the database cannot hold every text.
    pub(crate) fn demand_utf8(&self, facts: &PgFacts) -> Result<()> {
        let encoding = &facts.encoding;
        if encoding == "UTF8" {
            return Ok(());
        }
        let database = &self.server.database;
        let text = format!(
            "the database {database} is encoded in {encoding}, which cannot hold every text: make \
             one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 and name it in the url \
             of [target]"
        );
        Err(Fault::new(Side::Target, text))
    }

    fn prepare(
        &self,
        mut client: Client,
        seat: Arc<WatchSeat>,
        facts: &PgFacts,
    ) -> Result<PgConnState> {
        let said = client
            .simple_query(&in_transaction(facts.lent, &pg_session::set_up(facts.version_num)))
            .map_err(|error| Fault::pg(Side::Target, &error))?;
        if let Some(obstacle) = pg_session::obstacle(&said, &self.server.user) {
            return Err(Fault::new(Side::Target, obstacle));
        }
        seat.is_session(session_in(&said).unwrap_or_default());
        self.seats.add(&seat);
        let given_back = match facts {
            PgFacts { lent: true, .. } => GivenBack::Undone,
            PgFacts { pooled: true, .. } => GivenBack::Reset,
            _ => GivenBack::Closed,
        };
        Ok(PgConnState { client, seat, used: Instant::now(), given_back })
    }

    /// Connects to the first address of the host that lets us in.
    fn dial(&self) -> Result<DialedClient> {
        let PgServer { host, port, .. } = &self.server;
        if host.starts_with('/') {
            let seat =
                Arc::new(WatchSeat::untold(Path::new(host).join(format!(".s.PGSQL.{port}"))));
            let inner = self.lines(SocketReach::UnixSocket);
            // The driver takes no line of ours, and so no process is named.
            let client =
                self.config.connect(LayeredTls::new(inner, WatchedLine::new(Arc::clone(&seat))));
            let client = client.map_err(|error| self.fault(&error))?;
            let protection =
                LinkProtection { encrypted: false, peer: PeerTrust::Local, fingerprint: None };
            return Ok(DialedClient { client, seat, process: NamedProcess::default(), protection });
        }
        let addresses = addresses(host, *port)
            .map_err(|error| pg_unreachable(Side::Target, &self.server, &error))?;
        let mut last = None;
        for address in addresses {
            let mut config = self.config.clone();
            config.hostaddr(address.ip());
            match self.dial_one(&config, SocketReach::of(address)) {
                Ok(dialed) => return Ok(dialed),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => Err(self.fault(&error)),
            None => Err(pg_unreachable(Side::Target, &self.server, &nowhere())),
        }
    }

    /// Connects to one address.
    fn dial_one(
        &self,
        config: &Config,
        reach: SocketReach,
    ) -> std::result::Result<DialedClient, postgres::Error> {
        let seat = Arc::new(WatchSeat::default());
        let process = NamedProcess::default();
        let watched = |lines: &PgLines| {
            let naming = LayeredTls::new(lines.clone(), NamingLine::new(process.clone()));
            LayeredTls::new(naming, WatchedLine::new(Arc::clone(&seat)))
        };
        let mut lines = self.lines(reach);
        let preferred = lines.tls.as_ref().is_some_and(TlsTerms::are_optional);
        let client = match config.connect(watched(&lines)) {
            Err(error) if preferred && is_tls_unwanted(&error) => {
                lines.tls = None;
                let again = config.connect(watched(&lines));
                self.plain.store(again.is_ok(), Ordering::Relaxed);
                again?
            }
            done => done?,
        };
        // A line that let the driver through has told of itself.
        let unknown =
            LinkProtection { encrypted: false, peer: PeerTrust::Unverified, fingerprint: None };
        let protection = lines.protection().unwrap_or(unknown);
        Ok(DialedClient { client, seat, process, protection })
    }

    fn lines(&self, reach: SocketReach) -> PgLines {
        let tls = self.tls.clone().filter(|_| !self.plain.load(Ordering::Relaxed));
        let local = reach != SocketReach::Network;
        PgLines::new(tls, local, self.server.require_auth, self.largest_answer)
    }

    fn fault(&self, error: &postgres::Error) -> Fault {
        pg_connect(Side::Target, &self.server, error)
    }

    /// Sends a cancel request the way the connections go.
    pub(crate) fn cancel(self: &Arc<Self>, token: &postgres::CancelToken) -> Result<()> {
        let token = token.clone();
        self.in_time(move |dialer| {
            // No password goes along.
            let done = token.cancel_query(dialer.lines(SocketReach::Network));
            done.map_err(|error| dialer.fault(&error))
        })
    }
}

/// Puts the first statements of a session that is lent into the transaction that keeps it; a second `BEGIN`
/// does nothing.
fn in_transaction(lent: bool, statements: &str) -> Cow<'_, str> {
    match lent {
        true => Cow::Owned(format!("BEGIN READ ONLY; {statements}")),
        false => Cow::Borrowed(statements),
    }
}

/// A session, where it is watched from, and what protects it.
struct DialedClient {
    client: Client,
    seat: Arc<WatchSeat>,
    process: NamedProcess,
    protection: LinkProtection,
}

/// Returns the number of the session in the answer to the set-up.
fn session_in(said: &[SimpleQueryMessage]) -> Option<u32> {
    said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.try_get("pid").ok()??.parse().ok(),
        _ => None,
    })
}

/// Returns true if `prefer` tries again in plain text: the handshake failed, or the server's rules
/// (`hostnossl`) want none.
fn is_tls_unwanted(error: &postgres::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    let answered = || cause.is_none_or(|cause| cause.kind() != UNANSWERED);
    let handshake = || error.to_string().contains("TLS") && answered();
    handshake() || error.code().is_some_and(|code| code.code() == "28000")
}
