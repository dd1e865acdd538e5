//! What a MySQL session is set to, in one statement.

use crate::{Flavor, Profile, ServerVersion, quote_my_text};

/// A day's idling, since a run's lock is held by an idle session.
const WAIT_TIMEOUT_S: u32 = 7 * 24 * 3600;
/// How long the server waits for us while we wait for the other server.
const NET_TIMEOUT_S: u32 = 2 * 3600;
/// How long a statement waits for a lock at most; the default of a day would eat the nightly window.
const LOCK_TIMEOUT_S: u32 = 60;

/// Returns the statement for a new connection. `label`, if any, is a named lock that the session
/// takes so that it can be found from outside.
pub(crate) fn set_up(version: &ServerVersion, profile: Profile, label: Option<&str>) -> String {
    let mut set = vec![
        "time_zone = '+00:00'".to_owned(),
        "character_set_client = utf8mb4".to_owned(),
        "collation_connection = utf8mb4_bin".to_owned(),
        "autocommit = 1".to_owned(),
        "sql_quote_show_create = 1".to_owned(),
        "sql_big_selects = 1".to_owned(),
        format!("sql_select_limit = {}", u64::MAX),
        "group_concat_max_len = 16777216".to_owned(),
        format!("wait_timeout = {WAIT_TIMEOUT_S}"),
        format!("net_read_timeout = {NET_TIMEOUT_S}"),
        format!("net_write_timeout = {NET_TIMEOUT_S}"),
        format!(
            "lock_wait_timeout = CAST(LEAST(@@lock_wait_timeout, {LOCK_TIMEOUT_S}) AS UNSIGNED)"
        ),
        format!("innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}"),
    ];
    set.extend(no_limits(version).iter().map(|&limit| format!("{limit} = 0")));
    set.extend(of_profile(version, profile));
    if let Some(label) = label {
        set.push(format!("@handoff_session = GET_LOCK({}, 0)", quote_my_text(label)));
    }
    format!("SET {}", set.join(", "))
}

/// Returns the statement that takes a session from one profile to another.
pub(crate) fn switch(version: &ServerVersion, profile: Profile) -> String {
    format!("SET {}", of_profile(version, profile).join(", "))
}

/// Limits of time that may stand in the server's configuration, and MySQL's day-old catalogue.
fn no_limits(version: &ServerVersion) -> &'static [&'static str] {
    match (version.flavor, version.number) {
        (Flavor::MariaDb, (..=10, ..=2, _)) => &["max_statement_time"],
        (Flavor::MariaDb, _) => &[
            "max_statement_time",
            "idle_transaction_timeout",
            "idle_readonly_transaction_timeout",
            "idle_write_transaction_timeout",
        ],
        (Flavor::MySql, (..=7, ..)) => &["max_execution_time"],
        (Flavor::MySql, _) => &["max_execution_time", "information_schema_stats_expiry"],
    }
}

fn of_profile(version: &ServerVersion, profile: Profile) -> Vec<String> {
    let (mode, checks, isolation) = match profile {
        // A consistent snapshot needs REPEATABLE READ.
        Profile::Read | Profile::RawRead => ("", 1, "REPEATABLE-READ"),
        // INSERT … SELECT locks every row it reads at any higher level.
        Profile::Write | Profile::Merge => {
            ("NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES", 0, "READ-COMMITTED")
        }
    };
    // Without its checks InnoDB may keep a duplicate where the page of its index is not in memory.
    let unique = if profile == Profile::Merge { 1 } else { checks };
    let results = if profile == Profile::RawRead { "NULL" } else { "utf8mb4" };
    let mut set = vec![
        format!("sql_mode = '{mode}'"),
        format!("character_set_results = {results}"),
        format!("foreign_key_checks = {checks}"),
        format!("unique_checks = {unique}"),
        format!("{} = '{isolation}'", isolation_variable(version)),
    ];
    if version.flavor == Flavor::MariaDb && version.number >= (10, 2, 1) {
        set.push(format!("check_constraint_checks = {checks}"));
    }
    set
}

fn isolation_variable(version: &ServerVersion) -> &'static str {
    let renamed = match version.flavor {
        Flavor::MariaDb => (11, 1, 1),
        Flavor::MySql => (5, 7, 20),
    };
    if version.number >= renamed { "transaction_isolation" } else { "tx_isolation" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ServerVersion {
        ServerVersion::parse(text).unwrap()
    }

    #[test]
    fn each_server_gets_only_variables_it_knows() {
        let maria = set_up(&version("10.11.19-MariaDB"), Profile::Write, None);
        assert!(maria.contains("max_statement_time = 0") && maria.contains(", tx_isolation = "));
        assert!(maria.contains("check_constraint_checks = 0"));
        assert!(maria.contains("sql_select_limit = 18446744073709551615"));
        assert!(!maria.contains("max_execution_time"));
        let mysql = set_up(&version("9.7.1"), Profile::Write, None);
        assert!(mysql.contains("information_schema_stats_expiry = 0"));
        assert!(mysql.contains("transaction_isolation = 'READ-COMMITTED'"));
        assert!(!mysql.contains("check_constraint_checks"));
        let old = set_up(&version("5.7.44"), Profile::Read, None);
        assert!(!old.contains("information_schema_stats_expiry"));
    }

    #[test]
    fn a_switch_undoes_what_another_profile_set() {
        let names = |profile| -> Vec<String> {
            of_profile(&version("10.11.19-MariaDB"), profile)
                .iter()
                .map(|set| set.split(" = ").next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(Profile::Read), names(Profile::Write));
        assert_eq!(names(Profile::Read), names(Profile::RawRead));
        assert_eq!(names(Profile::Read), names(Profile::Merge));
    }
}
