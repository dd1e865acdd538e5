//! The servers' lists of sessions, and their meaning.

use crate::fault::{Result, Side};
use crate::my_link::MyDialer;
use crate::patience::Patience;
use crate::pg_link::PgDialer;
use crate::seat::WatchSeats;
use crate::watchdog::{SessionActivity, Watchable};
use postgres::Client;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Watchable for MyDialer {
    fn side(&self) -> Side {
        self.side
    }

    fn at(&self) -> String {
        MyDialer::at(self)
    }

    fn patience(&self) -> &Patience {
        &self.patience
    }

    fn seats(&self) -> &WatchSeats {
        &self.seats
    }

    fn sessions(self: Arc<Self>, numbers: &[u32]) -> Result<BTreeMap<u32, SessionActivity>> {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        let ask = format!(
            "SELECT ID, COMMAND, COALESCE(STATE, '') FROM information_schema.PROCESSLIST \
             WHERE ID IN ({}) LIMIT {}",
            numbers.join(", "),
            // A session that is not set up may have a limit of the server's.
            u64::MAX
        );
        self.ask_briefly(move |conn| {
            let rows: Vec<(u32, String, String)> = conn.query(ask)?;
            Ok(rows.iter().map(|(id, command, state)| (*id, of_my(command, state))).collect())
        })
    }
}

impl MyDialer {
    /// Makes sure that none of these sessions waits for room on the server's disk: MariaDB (10.11 was
    /// tried) crashes when the table of a session that was ended in that state is dropped.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if one does, or the server can't be asked.
    pub(crate) fn demand_room_for(self: &Arc<Self>, ids: &[u32]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let sessions = Arc::clone(self).sessions(ids)?;
        match sessions.values().find_map(|activity| activity.no_room(self.side)) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

/// Reads a line of MySQL's or MariaDB's list of processes.
fn of_my(command: &str, state: &str) -> SessionActivity {
    match (command, state.to_ascii_lowercase().as_str()) {
        ("Sleep", _) => SessionActivity::Done,
        ("Killed", _) => SessionActivity::Gone,
        (_, "writing to net" | "sending to client") => SessionActivity::Sends,
        (_, "reading from net" | "receiving from client") => SessionActivity::Receives,
        (_, "waiting for someone to free space" | "waiting for disk space") => {
            SessionActivity::NoRoom
        }
        _ => SessionActivity::Works,
    }
}

impl Watchable for PgDialer {
    fn side(&self) -> Side {
        Side::Target
    }

    fn at(&self) -> String {
        PgDialer::at(self)
    }

    fn patience(&self) -> &Patience {
        &self.patience
    }

    fn seats(&self) -> &WatchSeats {
        &self.seats
    }

    fn sessions(self: Arc<Self>, numbers: &[u32]) -> Result<BTreeMap<u32, SessionActivity>> {
        let processes: Vec<i32> = numbers.iter().map(|number| number.cast_signed()).collect();
        let ask = move |client: &mut Client| {
            let ask = "SELECT pid, coalesce(state, ''), coalesce(wait_event, '') \
                       FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=) ANY ($1)";
            let mut sessions = BTreeMap::new();
            for row in client.query(ask, &[&processes])? {
                let (pid, state, event): (i32, &str, &str) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                sessions.insert(pid.cast_unsigned(), of_pg(state, event));
            }
            Ok(sessions)
        };
        if !self.pooled.load(Ordering::Relaxed) {
            return self.ask_briefly(ask);
        }
        // A pool that is in use to the last connection serves no further one, and that tells nothing.
        let served = self.ask_if_served(ask)?;
        Ok(served.unwrap_or_else(|| numbers.iter().map(|&n| (n, SessionActivity::Works)).collect()))
    }
}

/// Reads a line of PostgreSQL's list of activities.
fn of_pg(state: &str, event: &str) -> SessionActivity {
    match (state, event) {
        (state, _) if state.starts_with("idle") => SessionActivity::Done,
        (_, "ClientWrite") => SessionActivity::Sends,
        (_, "ClientRead") => SessionActivity::Receives,
        _ => SessionActivity::Works,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_mysql_and_mariadb() {
        let cases = [
            ("Query", "altering table", SessionActivity::Works),
            ("Execute", "", SessionActivity::Works),
            ("Query", "Writing to net", SessionActivity::Sends),
            ("Execute", "Sending to client", SessionActivity::Sends),
            ("Query", "Reading from net", SessionActivity::Receives),
            ("Query", "Receiving from client", SessionActivity::Receives),
            ("Query", "Waiting for someone to free space", SessionActivity::NoRoom),
            ("Sleep", "", SessionActivity::Done),
            ("Killed", "altering table", SessionActivity::Gone),
        ];
        for (command, state, expected) in cases {
            assert_eq!(of_my(command, state), expected, "{command} {state}");
        }
    }

    #[test]
    fn states_of_postgresql() {
        let cases = [
            ("active", "", SessionActivity::Works),
            ("active", "DataFileRead", SessionActivity::Works),
            ("active", "ClientRead", SessionActivity::Receives),
            ("active", "ClientWrite", SessionActivity::Sends),
            ("idle in transaction", "ClientRead", SessionActivity::Done),
            ("idle", "ClientRead", SessionActivity::Done),
            ("disabled", "", SessionActivity::Works),
        ];
        for (state, event, expected) in cases {
            assert_eq!(of_pg(state, event), expected, "{state} {event}");
        }
    }
}
