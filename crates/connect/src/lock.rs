//! Locks with a name, held by a session of their own.

use crate::my_link::MyLink;
use crate::{Fault, MyPool, PgPool, Profile, Result, Side, quote_my_text};
use handoff_model::RunId;
use mysql::prelude::Queryable;
use postgres::Client;
use std::fmt;
use std::time::Duration;

/// MySQL takes lock names of this many characters.
const MOST_CHARS: usize = 64;

/// A named lock, held until this is dropped or its session ends.
#[must_use = "the lock is given back when this is dropped"]
pub struct HeldLock(Holding);

enum Holding {
    My { side: Side, name: String, link: MyLink },
    Pg { key: i64, client: Box<Client> },
}

/// The session that holds a lock, as far as the server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// The connection id (MySQL) or process id (PostgreSQL).
    pub connection: u32,
    /// The account.
    pub account: Option<String>,
    /// What the session calls itself. MySQL servers tell it only where the performance schema is
    /// on, which MariaDB's is not by default.
    pub program: Option<String>,
    /// How long the session has had nothing else to do, which is how long it has held the lock if
    /// it is one of ours.
    pub since: Option<Duration>,
}

impl LockHolder {
    /// Returns the run of ours that the session belongs to.
    pub fn run(&self) -> Option<RunId> {
        RunId::parse(self.program.as_deref()?.strip_prefix("handoff ")?)
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.connection)?;
        if let Some(account) = &self.account {
            write!(f, " of {account}")?;
        }
        if let Some(program) = &self.program {
            write!(f, " ({program})")?;
        }
        if let Some(since) = self.since {
            write!(f, ", for {} s", since.as_secs())?;
        }
        Ok(())
    }
}

impl HeldLock {
    /// Asks the server whether the lock is still ours: it is lost with its session.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the session was ended or the connection lost.
    pub fn check(&mut self) -> Result<()> {
        let (side, ours) = match &mut self.0 {
            Holding::My { side, name, link } => {
                let ask = format!("SELECT IS_USED_LOCK({name}) = CONNECTION_ID()");
                let answer = link.conn.query_first_opt::<Option<bool>, _>(ask);
                (*side, answer.map_err(|error| Fault::my(*side, &error))?)
            }
            Holding::Pg { key, client } => {
                let ask = format!(
                    "SELECT count(*) > 0 FROM ({}) held WHERE pid = pg_backend_pid()",
                    pg_holders(*key)
                );
                let row = client.query_one(&ask, &[]);
                let row = row.map_err(|error| Fault::pg(Side::Target, &error))?;
                (Side::Target, row.try_get::<_, bool>(0).ok().map(|ours| Ok(Some(ours))))
            }
        };
        match ours {
            Some(Ok(Some(true))) => Ok(()),
            _ => Err(Fault::new(side, "the lock of this run is lost")),
        }
    }

    /// The connection id of the session that holds it (MySQL only).
    fn my_connection(&self) -> Option<u32> {
        match &self.0 {
            Holding::My { link, .. } => Some(link.conn.connection_id()),
            Holding::Pg { .. } => None,
        }
    }
}

impl MyPool {
    /// Takes the server's lock `name` on a connection of its own; `None` if another session has
    /// it. A name of more than 64 characters is shortened with a hash.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached or has no named locks (Galera).
    pub fn hold_lock(&self, name: &str) -> Result<Option<HeldLock>> {
        let name = quote_my_text(&lock_name(name));
        let mut link = self.connect(Profile::Read)?;
        let got =
            link.conn.query_first_opt::<Option<bool>, _>(format!("SELECT GET_LOCK({name}, 0)"));
        let got = got.map_err(|error| self.fault(&error))?;
        let held = matches!(got, Some(Ok(Some(true))));
        Ok(held.then(|| HeldLock(Holding::My { side: self.side(), name, link })))
    }

    /// Returns who holds the lock `name`, if anybody.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be asked.
    pub fn lock_holder(&self, name: &str) -> Result<Option<LockHolder>> {
        let Some(connection) = self.lock_connection(name)? else { return Ok(None) };
        let mut conn = self.get(Profile::Read)?;
        // Without the PROCESS privilege only sessions of the same account are listed.
        let row = conn.exec_first::<(String, u64), _, _>(
            "SELECT USER, TIME FROM information_schema.PROCESSLIST WHERE ID = ?",
            (connection,),
        );
        let (account, seconds) = row.map_err(|error| conn.fault(&error))?.unzip();
        // Where this is forbidden or switched off, the holder stays without a name.
        let program = conn.exec_first::<String, _, _>(
            "SELECT ATTR_VALUE FROM performance_schema.session_account_connect_attrs \
             WHERE ATTR_NAME = 'program_name' AND PROCESSLIST_ID = ?",
            (connection,),
        );
        let program = program.unwrap_or(None);
        let since = seconds.map(Duration::from_secs);
        Ok(Some(LockHolder { connection, account, program, since }))
    }

    fn lock_connection(&self, name: &str) -> Result<Option<u32>> {
        let mut conn = self.get(Profile::Read)?;
        let ask = format!("SELECT IS_USED_LOCK({})", quote_my_text(&lock_name(name)));
        let row = conn.query_first::<Option<u32>, _>(ask).map_err(|error| conn.fault(&error))?;
        Ok(row.flatten())
    }

    /// Returns true if both pools lead to one database, whatever the addresses say: a lock taken
    /// through one is seen through the other, and the names are equal.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if either server cannot be asked.
    pub fn is_same_database(&self, other: &MyPool) -> Result<bool> {
        let name = format!("handoff:same:{}", RunId::new());
        let Some(lock) = self.hold_lock(&name)? else {
            return Err(Fault::new(self.side(), "a lock with a fresh name is held by another"));
        };
        let seen = other.lock_connection(&name)?;
        Ok(seen.is_some() && seen == lock.my_connection() && self.folded()? == other.folded()?)
    }

    /// The database's name as the server compares it.
    fn folded(&self) -> Result<String> {
        let mut conn = self.get(Profile::Read)?;
        let row = conn
            .query_first::<(String, u8), _>("SELECT DATABASE(), @@lower_case_table_names")
            .map_err(|error| conn.fault(&error))?;
        Ok(match row {
            Some((name, 0)) => name,
            Some((name, _)) => name.to_lowercase(),
            None => String::new(),
        })
    }
}

impl PgPool {
    /// Takes the database's advisory lock for `name` on a connection of its own; `None` if another
    /// session has it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached.
    pub fn hold_lock(&self, name: &str) -> Result<Option<HeldLock>> {
        let key = lock_key(name);
        let mut client = self.connect()?.client;
        let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&key]);
        let row = row.map_err(|error| self.fault(&error))?;
        let held = row.try_get::<_, bool>(0).map_err(|error| self.fault(&error))?;
        Ok(held.then(|| HeldLock(Holding::Pg { key, client: Box::new(client) })))
    }

    /// Returns who holds the lock `name`, if anybody.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be asked.
    pub fn lock_holder(&self, name: &str) -> Result<Option<LockHolder>> {
        let mut conn = self.get()?;
        let ask = format!(
            "SELECT held.pid, a.usename::text, a.application_name, \
             extract(epoch FROM clock_timestamp() - a.backend_start)::int8 \
             FROM ({}) held LEFT JOIN pg_stat_activity a USING (pid)",
            pg_holders(lock_key(name))
        );
        let row = conn.query_opt(&ask, &[]).map_err(|error| conn.fault(&error))?;
        let Some(row) = row else { return Ok(None) };
        let fault = |error| conn.fault(&error);
        let seconds: Option<i64> = row.try_get(3).map_err(fault)?;
        Ok(Some(LockHolder {
            connection: row.try_get::<_, i32>(0).map_err(fault)?.unsigned_abs(),
            account: row.try_get(1).map_err(fault)?,
            program: row.try_get(2).map_err(fault)?,
            since: seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs())),
        }))
    }
}

/// Returns a query for the sessions that hold the advisory lock `key` in this database.
fn pg_holders(key: i64) -> String {
    // Two halves of 32 bits, as pg_locks shows them.
    let key = u64::from_ne_bytes(key.to_ne_bytes());
    format!(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
         AND classid::int8 = {} AND objid::int8 = {} \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        key >> 32,
        key & 0xFFFF_FFFF
    )
}

/// Returns the advisory lock's number for a name. It must never change: two versions of Handoff
/// exclude each other by it.
fn lock_key(name: &str) -> i64 {
    i64::from_ne_bytes(xxhash_rust::xxh3::xxh3_64(name.as_bytes()).to_ne_bytes())
}

fn lock_name(name: &str) -> String {
    if name.chars().count() <= MOST_CHARS {
        return name.to_owned();
    }
    let kept: String = name.chars().take(MOST_CHARS - 17).collect();
    format!("{kept}:{:016x}", xxhash_rust::xxh3::xxh3_64(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_told_apart_and_fit() {
        let long = |end: &str| lock_name(&format!("handoff:{}{end}", "ä".repeat(64)));
        assert_eq!(long("a").chars().count(), MOST_CHARS);
        assert_ne!(long("a"), long("b"));
        assert_eq!(lock_name("handoff:replica"), "handoff:replica");
    }

    #[test]
    fn the_key_of_a_name_never_changes() {
        assert_eq!(lock_key("handoff:raw"), -6_598_494_358_591_031_366);
    }

    #[test]
    fn a_holder_is_told_in_one_line() {
        let run = RunId::new();
        let holder = LockHolder {
            connection: 12,
            account: Some("etl".into()),
            program: Some(format!("handoff {run}")),
            since: Some(Duration::from_secs(42)),
        };
        assert_eq!(holder.to_string(), format!("connection 12 of etl (handoff {run}), for 42 s"));
        assert_eq!(holder.run(), Some(run));
    }
}
