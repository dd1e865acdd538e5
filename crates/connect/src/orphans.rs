//! Finding and ending what a dead run left behind.

use crate::fault::{Fault, Result, Side};
use crate::my_pool::MyPool;
use crate::pg_pool::PgPool;
use crate::quote::quote_my_text;
use crate::session_profile::SessionProfile;
use crate::sessions::{MOST, label, program};
use handoff_model::RunId;
use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(50);

impl MyPool {
    /// Returns the connection ids of the sessions of `run` on this side that the server still
    /// keeps. A session whose client is gone lives on while its statement runs.
    ///
    /// Needs no privilege. On a server without named locks (Galera) the answer is always empty.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be asked.
    pub fn orphans(&self, run: RunId) -> Result<Vec<u32>> {
        let ask: Vec<String> = (1..=MOST)
            .map(|number| {
                format!("IS_USED_LOCK({})", quote_my_text(&label(run, self.side(), number)))
            })
            .collect();
        let mut conn = self.get(SessionProfile::Read)?;
        let row = conn.query_first::<mysql::Row, _>(format!("SELECT {}", ask.join(", ")));
        let row = match row {
            Err(mysql::Error::MySqlError(error)) if error.code == 1235 => None,
            row => row.map_err(|error| conn.fault(&error))?,
        };
        let ids = row.into_iter().flat_map(mysql::Row::unwrap);
        Ok(ids.filter_map(|id| mysql::from_value_opt(id).ok()).collect())
    }

    /// Ends the sessions with these connection ids. Those that are gone already are no error.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached or refuses.
    pub fn end_sessions(&self, ids: &[u32]) -> Result<()> {
        self.dialer().demand_room_for(ids)?;
        let mut conn = self.get(SessionProfile::Read)?;
        for id in ids {
            match conn.query_drop(format!("KILL CONNECTION {id}")) {
                Err(mysql::Error::MySqlError(error)) if error.code == 1094 => {}
                done => done.map_err(|error| conn.fault(&error))?,
            }
        }
        Ok(())
    }

    /// Ends all sessions of `run` on this side, waits until they are gone, and returns how many
    /// there were.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server refuses, or a session lives on after `patience`.
    pub fn end_orphans(&self, run: RunId, patience: Duration) -> Result<usize> {
        end(self.side(), run, patience, || self.orphans(run), |ids| self.end_sessions(ids))
    }
}

impl PgPool {
    /// Returns the process ids of the sessions of `run` in this database that the server still
    /// keeps.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be asked.
    pub fn orphans(&self, run: RunId) -> Result<Vec<u32>> {
        let mut conn = self.get()?;
        let rows = conn.query(
            // A pooler may add its client's address to the name.
            "SELECT pid FROM pg_stat_activity \
             WHERE (application_name = $1 OR application_name LIKE $1 || ' - %') \
             AND datname = current_database() AND usename = session_user \
             AND pid <> pg_backend_pid()",
            &[&program(run)],
        );
        let rows = rows.map_err(|error| conn.fault(&error))?;
        let ids = rows.iter().map(|row| row.try_get::<_, i32>(0).map(i32::unsigned_abs));
        ids.collect::<Result<_, _>>().map_err(|error| conn.fault(&error))
    }

    /// Ends the sessions with these process ids. Those that are gone already are no error.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be reached or refuses.
    pub fn end_sessions(&self, ids: &[u32]) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        let mut conn = self.get()?;
        // A role may become another one at its login, which need not have rights over its sessions.
        let done = conn.batch_execute(&format!(
            "BEGIN; SET LOCAL ROLE NONE; \
             SELECT pg_terminate_backend(pid) FROM unnest('{{{}}}'::int4[]) pid; COMMIT",
            ids.join(",")
        ));
        done.map_err(|error| conn.fault(&error))
    }

    /// Ends all sessions of `run` in this database, waits until they are gone, and returns how
    /// many there were.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server refuses, or a session lives on after `patience`.
    pub fn end_orphans(&self, run: RunId, patience: Duration) -> Result<usize> {
        end(Side::Target, run, patience, || self.orphans(run), |ids| self.end_sessions(ids))
    }
}

fn end(
    side: Side,
    run: RunId,
    patience: Duration,
    list: impl Fn() -> Result<Vec<u32>>,
    kill: impl Fn(&[u32]) -> Result<()>,
) -> Result<usize> {
    let found = list()?;
    if found.is_empty() {
        return Ok(0);
    }
    kill(&found)?;
    let end = Instant::now() + patience;
    loop {
        let left = list()?;
        if left.is_empty() {
            return Ok(found.len());
        }
        if Instant::now() >= end {
            let text = format!(
                "sessions {left:?} of the earlier run {run} do not end, though they were told to \
                 {} s ago: look what they are doing there",
                patience.as_secs()
            );
            return Err(Fault::transient(side, text));
        }
        thread::sleep(POLL);
    }
}
