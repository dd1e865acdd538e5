//! The checks that source and replica have in common.

use crate::clock::{self, ServerClock};
use crate::findings::Findings;
use crate::grants::Grants;
use crate::report::CheckSubject as S;
use crate::{tls, version};
use handoff_connect::{
    Fault, MyConn, MyPool, PoolOptions, Result, SessionProfile, Side, quote_my_account,
};
use handoff_settings::MySqlServer;
use mysql::prelude::FromRow;

/// A MySQL or MariaDB server that was reached.
pub(crate) struct MySide {
    /// Leads to the database, or to none of the user's where that is missing.
    pub(crate) pool: MyPool,
    /// The database of the settings.
    pub(crate) database: String,
    /// The reason why it cannot be used, if it cannot.
    pub(crate) closed: Option<Fault>,
    /// The account, quoted, as the server knows it.
    pub(crate) account: String,
    pub(crate) grants: Option<Grants>,
    pub(crate) server: Option<ServerFacts>,
}

/// The facts that a server tells of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerFacts {
    pub(crate) local_infile: bool,
    pub(crate) read_only: bool,
    pub(crate) host: String,
    pub(crate) data_folder: String,
    pub(crate) zone: String,
    pub(crate) system_zone: String,
}

impl MySide {
    /// Reaches a server and looks at what holds for either of its roles. [`None`] if it can't be
    /// reached, which is then among the findings.
    pub(crate) fn look(
        server: &MySqlServer,
        options: &PoolOptions,
        findings: &mut Findings,
    ) -> Option<MySide> {
        let (pool, closed) = match open(server, findings.side(), options) {
            Ok(opened) => opened,
            Err(fault) => {
                findings.fault(S::Connection, fault.message());
                return None;
            }
        };
        let database = server.database.clone();
        let (host, port, user) = (&server.host, server.port, &server.user);
        findings.ok(S::Connection, format!("{host}:{port} lets {user} in"));
        let account = quote_my_account(user);
        let mut side = MySide { pool, database, closed, account, grants: None, server: None };
        findings.look(S::Tls, |findings| side.tls(server, findings));
        version::my(side.pool.version(), findings);
        findings.look(S::Connection, |_| side.learn());
        findings.look(S::Grants, |_| side.learn_grants());
        findings.look(S::Clock, |findings| side.clock(findings));
        findings.look(S::Defaults, |findings| side.defaults(findings));
        Some(side)
    }

    pub(crate) fn conn(&self) -> Result<MyConn> {
        self.pool.get(SessionProfile::Read)
    }

    fn tls(&self, server: &MySqlServer, findings: &mut Findings) -> Result<()> {
        let mut conn = self.conn()?;
        let version = session_status(&mut conn, "Ssl_version")?;
        let cipher = session_status(&mut conn, "Ssl_cipher")?;
        let in_use = (!cipher.is_empty()).then(|| format!("{version} ({cipher})"));
        let server = tls::SecuredServer { tls: &server.tls, host: &server.host, is_bound: false };
        tls::finding(in_use.as_deref(), self.pool.protection(), &server, findings);
        Ok(())
    }

    fn learn(&mut self) -> Result<()> {
        let mut conn = self.conn()?;
        let facts = ask::<(String, bool, String, String, String, String, String)>(
            &mut conn,
            "SELECT CURRENT_USER(), @@global.local_infile, @@global.read_only, @@hostname, \
             @@datadir, @@global.time_zone, @@system_time_zone",
        )?;
        let (account, local_infile, read_only, host, data_folder, zone, system_zone) = facts;
        let read_only = !matches!(read_only.as_str(), "0" | "OFF");
        self.account = quote_my_account(&account);
        self.server =
            Some(ServerFacts { local_infile, read_only, host, data_folder, zone, system_zone });
        Ok(())
    }

    fn learn_grants(&mut self) -> Result<()> {
        let mut conn = self.conn()?;
        self.grants = Some(Grants::read(&mut conn)?);
        Ok(())
    }

    fn clock(&self, findings: &mut Findings) -> Result<()> {
        let mut conn = self.conn()?;
        let clock = ServerClock::measure(|| {
            let text: String = ask(&mut conn, "SELECT UNIX_TIMESTAMP(NOW(6))")?;
            text.parse().map_err(|_| Fault::new(self.pool.side(), "the clock tells no time"))
        })?;
        clock::finding(&clock, findings);
        Ok(())
    }

    /// Says what the server's zone means for the times that arrive.
    pub(crate) fn zone(&self, findings: &mut Findings) -> Result<()> {
        let Some(server) = &self.server else { return Ok(()) };
        let mut conn = self.conn()?;
        let unset = ask::<Option<String>>(
            &mut conn,
            "SELECT CAST(CONVERT_TZ('2024-07-01 12:00:00', 'UTC', 'Europe/Berlin') AS CHAR)",
        )?
        .is_none();
        let zone = match server.zone.as_str() {
            "SYSTEM" => format!("the zone of its machine ({})", server.system_zone),
            zone => zone.to_owned(),
        };
        let table =
            if unset { "; its table of time zones is empty, and is not needed" } else { "" };
        findings.ok(
            S::TimeZone,
            format!(
                "the server's clock goes by {zone}: DATETIME columns arrive as the application \
                 wrote them, without a zone, and TIMESTAMP columns as moments in UTC{table}"
            ),
        );
        Ok(())
    }
}

/// Opens the database of the settings, or else the server alone, with the reason.
fn open(
    server: &MySqlServer,
    side: Side,
    options: &PoolOptions,
) -> Result<(MyPool, Option<Fault>)> {
    let fault = match MyPool::open(server, side, options) {
        Ok(pool) => return Ok((pool, None)),
        Err(fault) => fault,
    };
    // Access denied to the database, unknown database.
    if !matches!(fault.code(), Some("1044" | "1049")) {
        return Err(fault);
    }
    let alone = MySqlServer { database: "information_schema".to_owned(), ..server.clone() };
    Ok((MyPool::open(&alone, side, options)?, Some(fault)))
}

fn session_status(conn: &mut MyConn, name: &str) -> Result<String> {
    let status = ask::<(String, String)>(conn, &format!("SHOW SESSION STATUS LIKE '{name}'"))?;
    Ok(status.1)
}

/// Runs a statement that answers one row.
pub(crate) fn ask<T: FromRow>(conn: &mut MyConn, sql: &str) -> Result<T> {
    match conn.query_first::<T, _>(sql) {
        Ok(Some(row)) => Ok(row),
        Ok(None) | Err(mysql::Error::FromRowError(_)) => {
            Err(Fault::new(conn.side(), "the server answers in another form than expected"))
        }
        Err(error) => Err(conn.fault(&error)),
    }
}
