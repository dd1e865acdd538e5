//! Locks with a name, held by a session of their own.

use crate::fault::{Fault, Result, Side};
use crate::my_link::MyConnState;
use crate::my_pool::MyPool;
use crate::pg_holding::PgHolding;
use crate::quote::quote_my_text;
use crate::session_profile::SessionProfile;
use crate::sessions::run_of_program;
use handoff_model::{RunId, visible};
use std::fmt;
use std::time::Duration;

/// MySQL takes lock names of this many characters.
const MOST_CHARS: usize = 64;

/// The longest that a session with a lock may say nothing before its server ends it, and the lock with it,
/// unless another bound is asked for.
pub const LOCK_SILENCE: Duration = Duration::from_secs(120);

/// A holder that was silent for longer than this is told with its silence: a living run is heard of four times
/// as often.
const NOTABLE_SILENCE: Duration = Duration::from_secs(60);

/// A named lock, held until this is dropped or its session ends.
#[must_use = "the lock is given back when this is dropped"]
pub struct HeldLock(LockSession);

enum LockSession {
    My { side: Side, name: String, link: Box<MyConnState> },
    Pg(PgHolding),
}

/// The session that holds a lock, as far as the server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// The connection id (MySQL) or process id (PostgreSQL).
    pub connection: u32,
    /// The account.
    pub account: Option<String>,
    /// The session's own name. MySQL servers tell it only where the performance schema is on, which
    /// MariaDB's is not by default.
    pub program: Option<String>,
    /// The age of the session (PostgreSQL).
    pub since: Option<Duration>,
    /// The time since the session last said something. A run says something every quarter of [`LOCK_SILENCE`].
    pub silent: Option<Duration>,
    /// True if the session bears the marks of a run, which nobody else's does by chance.
    pub is_marked: bool,
}

impl LockHolder {
    /// Returns the run of ours that the session belongs to.
    pub fn run(&self) -> Option<RunId> {
        run_of_program(self.program.as_deref()?)
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.connection)?;
        if let Some(account) = &self.account {
            write!(f, " of {}", visible(account))?;
        }
        if let Some(program) = &self.program {
            write!(f, " ({})", visible(program))?;
        }
        if let Some(since) = self.since {
            write!(f, ", for {} s", since.as_secs())?;
        }
        if let Some(silent) = self.silent.filter(|&silent| silent > NOTABLE_SILENCE) {
            write!(f, ", not heard of for {} s", silent.as_secs())?;
        }
        Ok(())
    }
}

impl HeldLock {
    pub(crate) fn pg(holding: PgHolding) -> HeldLock {
        HeldLock(LockSession::Pg(holding))
    }

    /// Asks the server whether the lock is still ours: it is lost with its session. Asking also tells the
    /// server that we live.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the session was ended or the connection lost.
    pub fn check(&mut self) -> Result<()> {
        let (side, name, link) = match &mut self.0 {
            LockSession::Pg(holding) => return holding.check(),
            LockSession::My { side, name, link } => (*side, name, link),
        };
        let ask = format!("SELECT IS_USED_LOCK({name}) = CONNECTION_ID()");
        let ours = link.client.query_first::<Option<bool>, _>(ask);
        match ours.map_err(|error| Fault::my(side, &error))? {
            Some(Some(true)) => Ok(()),
            _ => Err(Fault::new(side, "the lock of this run is lost")),
        }
    }

    /// Returns the connection id (MySQL) or process id (PostgreSQL) of the session that holds the lock.
    pub fn connection(&self) -> u32 {
        match &self.0 {
            LockSession::My { link, .. } => link.client.connection_id(),
            LockSession::Pg(holding) => holding.process,
        }
    }
}

impl MyPool {
    /// Takes the server's lock `name` as [`MyPool::hold_lock_within`] does, for [`LOCK_SILENCE`].
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] as that does.
    pub fn hold_lock(&self, name: &str) -> Result<Option<HeldLock>> {
        self.hold_lock_within(name, LOCK_SILENCE)
    }

    /// Takes the server's lock `name` on a connection of its own; `None` if another session has
    /// it. A name of more than 64 characters is shortened with a hash. The server ends the session, and the
    /// lock with it, once [`HeldLock::check`] was not called for `silence`.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached or has no named locks (Galera).
    pub fn hold_lock_within(&self, name: &str, silence: Duration) -> Result<Option<HeldLock>> {
        let mark = quote_my_text(&mark_name(name));
        let name = quote_my_text(&lock_name(name));
        let mut link = Box::new(self.connect(SessionProfile::Read)?);
        let asked =
            link.client.query_first::<Option<bool>, _>(format!("SELECT GET_LOCK({name}, 0)"));
        let got = asked.map_err(|error| self.fault(&error))?;
        if !matches!(got, Some(Some(true))) {
            return Ok(None);
        }
        let bounded = format!(
            "SET wait_timeout = {}, @handoff_mark = GET_LOCK({mark}, 0)",
            silence.as_secs().max(1)
        );
        link.client.query_drop(bounded).map_err(|error| self.fault(&error))?;
        Ok(Some(HeldLock(LockSession::My { side: self.side(), name, link })))
    }

    /// Returns who holds the lock `name`, if anybody.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be asked.
    pub fn lock_holder(&self, name: &str) -> Result<Option<LockHolder>> {
        let Some(connection) = self.lock_connection(name)? else { return Ok(None) };
        let is_marked = self.lock_connection(&mark_name(name))? == Some(connection);
        let mut conn = self.get(SessionProfile::Read)?;
        // Without the PROCESS privilege only sessions of the same account are listed.
        let row = conn.exec_first::<(String, i64), _, _>(
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
        let silent = seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
        Ok(Some(LockHolder { connection, account, program, since: None, silent, is_marked }))
    }

    fn lock_connection(&self, name: &str) -> Result<Option<u32>> {
        let mut conn = self.get(SessionProfile::Read)?;
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
        Ok(seen.is_some() && seen == Some(lock.connection()) && self.folded()? == other.folded()?)
    }

    /// The database's name as the server compares it.
    fn folded(&self) -> Result<String> {
        let mut conn = self.get(SessionProfile::Read)?;
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

/// Returns the name of the second lock that a run holds beside the lock `name`: a session that has taken the
/// first alone is a stranger's. No lock of ours begins like that.
fn mark_name(name: &str) -> String {
    lock_name(&format!("run with {name}"))
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
    fn a_holder_is_told_in_one_line() {
        let run = RunId::new();
        let holder = LockHolder {
            connection: 12,
            account: Some("etl".into()),
            program: Some(format!("handoff {run}")),
            since: Some(Duration::from_secs(142)),
            silent: Some(Duration::from_secs(9)),
            is_marked: true,
        };
        let line = format!("connection 12 of etl (handoff {run}), for 142 s");
        assert_eq!(holder.to_string(), line);
        assert_eq!(holder.run(), Some(run));
        let holder = LockHolder { silent: Some(Duration::from_secs(99)), ..holder };
        assert_eq!(holder.to_string(), format!("{line}, not heard of for 99 s"));
    }
}
