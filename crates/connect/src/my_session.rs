//! The settings of a MySQL session, in one statement.

use crate::quote::quote_my_text;
use crate::session_profile::SessionProfile;
use crate::version::{ServerFlavor, ServerVersion};
use std::time::Duration;

/// A day's idling, since a run's lock is held by an idle session.
const WAIT_TIMEOUT_S: u32 = 7 * 24 * 3600;
/// The longest that the server waits for us to take rows while we wait for the other server.
const NET_TIMEOUT_S: u32 = 2 * 3600;
/// The least time that the server waits for more of a file, however little silence the settings allow.
const LEAST_FILE_WAIT: Duration = Duration::from_secs(10);
/// The longest that a statement waits for a lock; the default of a day would eat the nightly
/// window.
const LOCK_TIMEOUT_S: u32 = 60;

/// As many bytes as a key may have, and more: a key is read in its order to the last of them.
const SORT_LENGTH: u32 = 16_384;

/// A new session, and what it may be set to.
pub(crate) struct NewSession<'a> {
    pub(crate) version: &'a ServerVersion,
    pub(crate) profile: SessionProfile,
    /// A named lock that the session takes so that it can be found from outside.
    pub(crate) label: Option<&'a str>,
    pub(crate) rights: SessionRights,
    /// The longest that the server waits for more of a file.
    pub(crate) file_wait: Duration,
}

/// Returns the longest that a server waits for more of a file, by the silence that the settings allow. Whoever sends
/// one sends something more often.
pub(crate) fn file_wait(silence: Duration) -> Duration {
    silence.max(LEAST_FILE_WAIT)
}

/// True if a session tries to set what MySQL lets only some accounts set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionRights {
    /// It tries, and learns by the answer whether it may.
    Tried,
    /// The server has refused.
    Refused,
}

/// Returns the statement for a new session.
///
/// An account, a server or its `init_connect` may default to anything. A session therefore sets each
/// variable that changes what a statement means, which rows it sees, how its result is printed, or
/// whether and when it fails. Limits of memory stay as the administrator chose them.
pub(crate) fn set_up(session: &NewSession<'_>) -> String {
    let NewSession { version, profile, label, rights, file_wait } = *session;
    let mut set = vec![
        "time_zone = '+00:00'".to_owned(),
        "character_set_client = utf8mb4".to_owned(),
        "collation_connection = utf8mb4_bin".to_owned(),
        "lc_messages = 'en_US'".to_owned(),
        "autocommit = 1".to_owned(),
        "completion_type = 'NO_CHAIN'".to_owned(),
        format!("{} = 0", renamed(version, "read_only")),
        "sql_quote_show_create = 1".to_owned(),
        "sql_big_selects = 1".to_owned(),
        "sql_safe_updates = 0".to_owned(),
        "sql_auto_is_null = 0".to_owned(),
        "sql_buffer_result = 0".to_owned(),
        "div_precision_increment = 4".to_owned(),
        format!("max_sort_length = {SORT_LENGTH}"),
        format!("sql_select_limit = {}", u64::MAX),
        "group_concat_max_len = 16777216".to_owned(),
        format!("wait_timeout = {WAIT_TIMEOUT_S}"),
        // MariaDB keeps a core busy while it waits for a client that is gone.
        format!("net_read_timeout = {}", file_wait.as_secs()),
        format!("net_write_timeout = {NET_TIMEOUT_S}"),
        format!(
            "lock_wait_timeout = CAST(LEAST(@@lock_wait_timeout, {LOCK_TIMEOUT_S}) AS UNSIGNED)"
        ),
        format!("innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}"),
    ];
    set.extend(no_limits(version).iter().map(|&limit| format!("{limit} = 0")));
    set.extend(of_flavor(version));
    set.extend(of_profile(version, profile));
    if rights == SessionRights::Tried {
        set.extend(restricted(version, profile).iter().map(|&name| format!("{name} = 0")));
    }
    if let Some(label) = label {
        set.push(format!("@handoff_session = GET_LOCK({}, 0)", quote_my_text(label)));
    }
    format!("SET {}", set.join(", "))
}

/// Returns the statement that takes a session from one profile to another.
pub(crate) fn switch(version: &ServerVersion, profile: SessionProfile) -> String {
    format!("SET {}", of_profile(version, profile).join(", "))
}

/// Limits of time that may stand in the server's configuration, and MySQL's day-old catalogue.
fn no_limits(version: &ServerVersion) -> &'static [&'static str] {
    match (version.flavor, version.number) {
        (ServerFlavor::MariaDb, (..=10, ..=2, _)) => &["max_statement_time"],
        (ServerFlavor::MariaDb, _) => &[
            "max_statement_time",
            "idle_transaction_timeout",
            "idle_readonly_transaction_timeout",
            "idle_write_transaction_timeout",
        ],
        (ServerFlavor::MySql, (..=7, ..)) => &["max_execution_time"],
        (ServerFlavor::MySql, _) => &["max_execution_time", "information_schema_stats_expiry"],
    }
}

/// A variable that only some versions of one family have.
struct FlavorSetting {
    flavor: ServerFlavor,
    from: (u16, u16, u16),
    before: (u16, u16, u16),
    set: &'static str,
}

const NEWEST: (u16, u16, u16) = (u16::MAX, 0, 0);

/// A setting of every MariaDB.
const MARIA: FlavorSetting =
    FlavorSetting { flavor: ServerFlavor::MariaDb, from: (0, 0, 0), before: NEWEST, set: "" };

const FLAVOR_SETTINGS: [FlavorSetting; 6] = [
    // A table with a history would be read as it was.
    FlavorSetting { from: (10, 3, 4), set: "system_versioning_asof = DEFAULT", ..MARIA },
    // RENAME and DROP would pass by what is not there.
    FlavorSetting { from: (10, 5, 2), set: "sql_if_exists = 0", ..MARIA },
    FlavorSetting {
        from: (10, 3, 7),
        before: (11, 5, 0),
        set: "alter_algorithm = 'DEFAULT'",
        ..MARIA
    },
    FlavorSetting { before: (10, 6, 1), set: "old_mode = ''", ..MARIA },
    FlavorSetting { from: (10, 6, 1), set: "old_mode = 'UTF8_IS_UTF8MB3'", ..MARIA },
    FlavorSetting {
        flavor: ServerFlavor::MySql,
        from: (8, 0, 30),
        before: NEWEST,
        set: "show_gipk_in_create_table_and_information_schema = 1",
    },
];

fn of_flavor(version: &ServerVersion) -> impl Iterator<Item = String> {
    let known = |setting: &&FlavorSetting| {
        setting.flavor == version.flavor && (setting.from..setting.before).contains(&version.number)
    };
    FLAVOR_SETTINGS.iter().filter(known).map(|setting| setting.set.to_owned())
}

/// Variables under which MySQL refuses a table without a key or adds one to it. Only an account with
/// `SESSION_VARIABLES_ADMIN` may set them.
fn restricted(version: &ServerVersion, profile: SessionProfile) -> &'static [&'static str] {
    let writes = profile.writes();
    match (version.flavor, version.number) {
        (ServerFlavor::MySql, (8, 0, 30..) | (8, 1.., _) | (9.., ..)) if writes => {
            &["sql_require_primary_key", "sql_generate_invisible_primary_key"]
        }
        (ServerFlavor::MySql, (8, 0, 13..)) if writes => &["sql_require_primary_key"],
        _ => &[],
    }
}

fn of_profile(version: &ServerVersion, profile: SessionProfile) -> Vec<String> {
    let (mode, checks, isolation) = match profile {
        // A consistent snapshot needs REPEATABLE READ.
        SessionProfile::Read | SessionProfile::RawRead => ("", 1, "REPEATABLE-READ"),
        // INSERT … SELECT locks every row it reads at any higher level.
        SessionProfile::Write | SessionProfile::Merge => {
            ("NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES", 0, "READ-COMMITTED")
        }
    };
    // Without its checks InnoDB may keep a duplicate where the page of its index is not in memory.
    let unique = if profile == SessionProfile::Merge { 1 } else { checks };
    let results = if profile == SessionProfile::RawRead { "NULL" } else { "utf8mb4" };
    let mut set = vec![
        format!("sql_mode = '{mode}'"),
        format!("character_set_results = {results}"),
        format!("foreign_key_checks = {checks}"),
        format!("unique_checks = {unique}"),
        format!("{} = '{isolation}'", renamed(version, "isolation")),
    ];
    if version.flavor == ServerFlavor::MariaDb && version.number >= (10, 2, 1) {
        set.push(format!("check_constraint_checks = {checks}"));
    }
    set
}

/// Returns the name of a variable of transactions, which both families have renamed.
fn renamed(version: &ServerVersion, variable: &str) -> String {
    let renamed = match version.flavor {
        ServerFlavor::MariaDb => (11, 1, 1),
        ServerFlavor::MySql => (5, 7, 20),
    };
    let prefix = if version.number >= renamed { "transaction" } else { "tx" };
    format!("{prefix}_{variable}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ServerVersion {
        ServerVersion::parse(text).unwrap()
    }

    fn set_up(version: &ServerVersion, profile: SessionProfile) -> String {
        let rights = SessionRights::Tried;
        let file_wait = Duration::from_secs(300);
        super::set_up(&NewSession { version, profile, label: None, rights, file_wait })
    }

    #[test]
    fn a_server_waits_for_a_file_as_long_as_silence_may_last_and_not_too_short() {
        let maria = set_up(&version("10.11.19-MariaDB"), SessionProfile::Write);
        assert!(maria.contains("net_read_timeout = 300,"), "{maria}");
        assert_eq!(file_wait(Duration::from_secs(300)), Duration::from_secs(300));
        assert_eq!(file_wait(Duration::from_secs(1)), LEAST_FILE_WAIT);
    }

    #[test]
    fn each_server_gets_only_variables_it_knows() {
        let maria = set_up(&version("10.11.19-MariaDB"), SessionProfile::Write);
        assert!(maria.contains("max_statement_time = 0") && maria.contains(", tx_isolation = "));
        assert!(maria.contains("check_constraint_checks = 0"));
        assert!(maria.contains("sql_select_limit = 18446744073709551615"));
        assert!(!maria.contains("max_execution_time"));
        let mysql = set_up(&version("9.7.1"), SessionProfile::Write);
        assert!(mysql.contains("information_schema_stats_expiry = 0"));
        assert!(mysql.contains("transaction_isolation = 'READ-COMMITTED'"));
        assert!(!mysql.contains("check_constraint_checks"));
        let old = set_up(&version("5.7.44"), SessionProfile::Read);
        assert!(!old.contains("information_schema_stats_expiry") && !old.contains("_gipk_"));
        assert!(maria.contains("system_versioning_asof") && !mysql.contains("system_versioning"));
        assert!(maria.contains("tx_read_only = 0") && mysql.contains("transaction_read_only = 0"));
    }

    #[test]
    fn only_a_writing_session_asks_for_what_few_may_set() {
        const KEY: &str = "sql_require_primary_key";
        const HIDDEN: &str = "sql_generate_invisible_primary_key";
        for (text, key, hidden) in [
            ("9.7.1", true, true),
            ("8.4.0", true, true),
            ("8.0.30", true, true),
            ("8.0.29", true, false),
            ("8.0.12", false, false),
            ("5.7.44", false, false),
            ("11.8.2-MariaDB", false, false),
        ] {
            let version = version(text);
            let write = set_up(&version, SessionProfile::Merge);
            assert_eq!([KEY, HIDDEN].map(|name| write.contains(name)), [key, hidden], "{text}");
            assert!(!set_up(&version, SessionProfile::Read).contains(KEY));
        }
    }

    #[test]
    fn a_switch_undoes_what_another_profile_set() {
        let names = |profile| -> Vec<String> {
            of_profile(&version("10.11.19-MariaDB"), profile)
                .iter()
                .map(|set| set.split(" = ").next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(SessionProfile::Read), names(SessionProfile::Write));
        assert_eq!(names(SessionProfile::Read), names(SessionProfile::RawRead));
        assert_eq!(names(SessionProfile::Read), names(SessionProfile::Merge));
    }
}
