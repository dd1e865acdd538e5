//! Locks with a name in PostgreSQL: advisory locks, held by a session of their own.

use crate::fault::Result;
use crate::lock::{HeldLock, LOCK_SILENCE, LockHolder};
use crate::pg_holding::PgHolding;
use crate::pg_pool::PgPool;
use crate::sessions::run_of_program;
use std::time::Duration;

/// The first version that can end a session which is idle outside a transaction.
const ENDS_IDLE_SESSIONS: u32 = 140_000;

/// The owner of a lock, on which the bounds of its session depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LockScope {
    /// The session.
    Session,
    /// A transaction that is left open. It takes no snapshot and no transaction id, so it keeps no row version
    /// alive. A pooler whose client is gone in the middle of a transaction ends the server's session; of one
    /// outside a transaction it may keep the session, and the lock with it.
    Transaction,
}

impl LockScope {
    fn of(pool: &PgPool) -> LockScope {
        let alone = pool.version_num() >= ENDS_IDLE_SESSIONS && !pool.is_pooled();
        if alone { LockScope::Session } else { LockScope::Transaction }
    }

    fn function(self) -> &'static str {
        match self {
            LockScope::Session => "pg_try_advisory_lock",
            LockScope::Transaction => "pg_try_advisory_xact_lock",
        }
    }

    /// Returns the statements that have the server end the session after `silence`, and notice sooner that
    /// our machine is gone.
    fn set_up(self, silence: Duration) -> String {
        let millis = silence.as_millis().max(1);
        let seconds = |part: u64| (silence.as_secs() / part).max(1);
        let timeout = match self {
            LockScope::Session => "idle_session_timeout",
            LockScope::Transaction => "idle_in_transaction_session_timeout",
        };
        format!(
            "SET tcp_keepalives_idle = {}; SET tcp_keepalives_interval = {}; \
             SET tcp_keepalives_count = 3; SET tcp_user_timeout = {millis}; SET {timeout} = {millis}",
            seconds(4),
            seconds(12)
        )
    }
}

impl PgPool {
    /// Takes the database's advisory lock for `name` as [`PgPool::hold_lock_within`] does, for
    /// [`LOCK_SILENCE`].
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) as that does.
    pub fn hold_lock(&self, name: &str) -> Result<Option<HeldLock>> {
        self.hold_lock_within(name, LOCK_SILENCE)
    }

    /// Takes the database's advisory lock for `name` on a connection of its own; `None` if another
    /// session has it. The server ends the session, and the lock with it, once [`HeldLock::check`] was not
    /// called for `silence`.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the server cannot be reached.
    pub fn hold_lock_within(&self, name: &str, silence: Duration) -> Result<Option<HeldLock>> {
        let scope = LockScope::of(self);
        let mut link = Box::new(self.get()?.into_link());
        let fault = |error| self.fault(&error);
        link.client.batch_execute(&scope.set_up(silence)).map_err(fault)?;
        if scope == LockScope::Transaction {
            link.client.batch_execute("BEGIN").map_err(fault)?;
        }
        let take = format!("SELECT {}($1), pg_backend_pid()", scope.function());
        let row = link.client.query_one(&take, &[&lock_key(name)]).map_err(fault)?;
        let held: bool = row.try_get(0).map_err(fault)?;
        let process = row.try_get::<_, i32>(1).map_err(fault)?.unsigned_abs();
        Ok(held.then(|| HeldLock::pg(PgHolding { process, link })))
    }

    /// Returns who holds the lock `name`, if anybody.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](crate::Fault) if the server cannot be asked.
    pub fn lock_holder(&self, name: &str) -> Result<Option<LockHolder>> {
        let mut conn = self.get()?;
        let ask = format!(
            "SELECT held.pid, a.usename::text, a.application_name, \
             extract(epoch FROM clock_timestamp() - a.backend_start)::int8, \
             extract(epoch FROM clock_timestamp() - a.state_change)::int8, \
             a.usename = session_user \
             FROM ({}) held LEFT JOIN pg_stat_activity a USING (pid) LIMIT 1",
            pg_holders(lock_key(name))
        );
        let row = conn.query_opt(&ask, &[]).map_err(|error| conn.fault(&error))?;
        let Some(row) = row else { return Ok(None) };
        let fault = |error| conn.fault(&error);
        let since: Option<i64> = row.try_get(3).map_err(fault)?;
        let silent: Option<i64> = row.try_get(4).map_err(fault)?;
        let program: Option<String> = row.try_get(2).map_err(fault)?;
        let is_same_account = row.try_get::<_, Option<bool>>(5).map_err(fault)? == Some(true);
        let is_named = program.as_deref().and_then(run_of_program).is_some();
        Ok(Some(LockHolder {
            connection: row.try_get::<_, i32>(0).map_err(fault)?.unsigned_abs(),
            account: row.try_get(1).map_err(fault)?,
            // Anybody can name a session so.
            is_marked: is_named && is_same_account,
            program,
            since: since.map(seconds),
            silent: silent.map(seconds),
        }))
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.max(0).unsigned_abs())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_name_never_changes() {
        assert_eq!(lock_key("handoff:raw"), -6_598_494_358_591_031_366);
    }

    #[test]
    fn the_server_ends_a_session_that_says_nothing() {
        let minutes = Duration::from_secs(120);
        let session = LockScope::Session.set_up(minutes);
        assert!(session.contains("SET idle_session_timeout = 120000"), "{session}");
        assert!(session.contains("SET tcp_keepalives_idle = 30; "), "{session}");
        let open = LockScope::Transaction.set_up(minutes);
        assert!(open.ends_with("SET idle_in_transaction_session_timeout = 120000"), "{open}");
        let short = LockScope::Transaction.set_up(Duration::from_secs(1));
        assert!(short.contains("SET tcp_keepalives_interval = 1; "), "{short}");
    }
}
