//! The names of tests' databases, and those that dead processes left.

use crate::endpoint::{MySqlEndpoint, PgEndpoint};
use crate::error::{Result, TestbedError};
use crate::system;
use mysql::prelude::Queryable;
use std::sync::atomic::{AtomicU32, Ordering};

/// Every database of ours begins with this, then names the machine and the process that made it.
const PREFIX: &str = "hot";

/// The longest name of a database, in bytes: PostgreSQL takes 63, MariaDB 64 with each `_` of a GRANT's
/// pattern as two.
const LONGEST_NAME: usize = 58;

/// Names the machine, the process (its id and its start, since ids are used again), a counter and
/// the test.
pub(crate) fn fresh_name(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let test: String =
        test.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let pid = std::process::id();
    let started = system::started_at(pid).unwrap_or_default();
    let mut name = format!("{PREFIX}_{}_{pid}_{started:x}_{count}_{test}", system::machine());
    name.truncate(LONGEST_NAME - "_s".len());
    name
}

/// Drops the databases that ended processes of this machine left on servers which outlived them.
pub(crate) fn sweep(mysql: &[&MySqlEndpoint], target: &PgEndpoint) -> Result<()> {
    for server in mysql {
        let mut conn = server.admin()?;
        let names: Vec<String> = conn
            .query(format!("SHOW DATABASES LIKE '{PREFIX}\\_%'"))
            .map_err(TestbedError::mysql("list databases"))?;
        for name in names.iter().filter(|name| is_left_over(name)) {
            server.drop_database(name)?;
        }
    }
    let listed = target
        .admin()?
        .query("SELECT datname::text FROM pg_database", &[])
        .map_err(TestbedError::postgres("list databases"))?;
    for name in listed.iter().map(|row| row.get::<_, String>(0)).filter(|name| is_left_over(name)) {
        target.drop_database(&name)?;
    }
    Ok(())
}

fn is_left_over(name: &str) -> bool {
    let mut parts = name.split('_');
    let ours = parts.next() == Some(PREFIX) && parts.next() == Some(system::machine().as_str());
    let pid = parts.next().and_then(|pid| pid.parse().ok());
    let started = parts.next().and_then(|ticks| u64::from_str_radix(ticks, 16).ok());
    match (ours, pid, started) {
        (true, Some(pid), Some(started)) => system::started_at(pid) != Some(started),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_databases_of_ended_processes_of_this_machine_are_left_over() {
        assert!(!is_left_over(&fresh_name("mine")));
        assert!(is_left_over(&format!("hot_{}_4194400_1_0_gone_s", system::machine())));
        assert!(!is_left_over("hot_elsewhere_4194400_1_0_gone_s"));
        assert!(!is_left_over("opendental"));
    }

    #[test]
    fn names_fit_into_both_kinds_of_server() {
        let name = format!("{}_s", fresh_name(&"a very long name ".repeat(9)));
        assert_eq!(name.len(), LONGEST_NAME);
        assert!(name.replace('_', "\\_").len() <= 64, "{name}");
    }
}
