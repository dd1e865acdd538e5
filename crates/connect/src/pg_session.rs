//! The settings of every PostgreSQL session.
//!
//! A role, a database or the server may default to anything. Three kinds of settings are therefore set
//! by each session: those that decide which object a name means, those that change what a statement
//! means or how its result is printed, and those that can make a statement fail, wait or run for ever.
//! Settings that say where the data lives (tablespaces, table access methods, TOAST compression) and how
//! much memory a statement may take stay as the administrator chose them.

use crate::quote::{quote_pg, quote_pg_text};
use postgres::SimpleQueryMessage;

/// The first statements of a session, and what the first session learns about its server.
///
/// Nothing is run before the path is set: whoever may create objects in a schema of the role's path
/// could have their own function, operator or table run with our rights in place of PostgreSQL's.
pub(crate) const FIRST: &str = "SET search_path = pg_catalog, pg_temp; \
    SELECT current_setting('server_version_num'), current_setting('server_encoding')";

/// Settings that any role may change, by name; a server that does not know one is not asked to.
const SETTINGS: &[(&str, &str)] = &[
    // What a statement means.
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    ("array_nulls", "on"),
    ("row_security", "on"),
    ("gin_fuzzy_search_limit", "0"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_deferrable", "off"),
    // How a result is printed.
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    // What ends, delays or slows a statement.
    ("statement_timeout", "0"),
    ("transaction_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("exit_on_error", "off"),
    ("vacuum_cost_delay", "0"),
    ("jit", "off"),
    ("plan_cache_mode", "auto"),
    // Scans begin at the first row, so that equal statements read rows in an equal order.
    ("synchronize_seqscans", "off"),
    // Without one of these a merge may compare each row with every other.
    ("enable_hashjoin", "on"),
    ("enable_mergejoin", "on"),
    ("enable_nestloop", "on"),
    ("enable_hashagg", "on"),
    ("enable_sort", "on"),
    ("enable_seqscan", "on"),
    ("enable_indexscan", "on"),
    ("enable_indexonlyscan", "on"),
    ("enable_bitmapscan", "on"),
    ("enable_tidscan", "on"),
    ("enable_material", "on"),
    // What is told and logged: the values of parameters are rows.
    ("client_min_messages", "warning"),
    ("log_parameter_max_length_on_error", "0"),
];

/// Settings that only a superuser, or a role that was granted them, may change.
const RESTRICTED: &[(&str, &str)] = &[
    // The server's log would hold bound values, and the row that a DETAIL or CONTEXT quotes.
    ("log_parameter_max_length", "0"),
    ("log_error_verbosity", "terse"),
    // Under `replica` foreign keys and triggers would not act, though the catalogue shows them.
    ("session_replication_role", "origin"),
];

/// Returns the statements for a new session of a server of this version, for one round trip.
///
/// Waiting for a lock is bounded, by a minute or less where the role has less; statements are not.
pub(crate) fn set_up(version_num: u32) -> String {
    let may = if version_num >= 150_000 {
        "has_parameter_privilege(s.name, 'SET')"
    } else {
        "current_setting('is_superuser')::bool"
    };
    format!(
        "SET search_path = pg_catalog, pg_temp; {}; {}; \
         SELECT set_config('lock_timeout', '60s', false) \
         WHERE current_setting('lock_timeout')::interval NOT BETWEEN '1ms' AND '1min'; \
         SELECT current_setting('session_replication_role'), pg_backend_pid() AS pid",
        set_where(SETTINGS, "current_setting(s.name, true) IS NOT NULL"),
        set_where(RESTRICTED, may)
    )
}

/// Returns the statement that makes these settings, each if it meets `condition`.
fn set_where(settings: &[(&str, &str)], condition: &str) -> String {
    let rows: Vec<String> = settings.iter().map(row).collect();
    format!(
        "SELECT count(set_config(s.name, s.value, false)) FROM (VALUES {}) s (name, value) \
         WHERE {condition}",
        rows.join(", ")
    )
}

/// Returns why a session, set up with these answers, is not one to write with.
pub(crate) fn obstacle(answers: &[SimpleQueryMessage], role: &str) -> Option<String> {
    let last = answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten(),
        _ => None,
    });
    let found = last.filter(|&found| found != "origin")?;
    Some(format!(
        "sessions of {role} begin with session_replication_role = {found}, under which foreign keys \
         and triggers do not act, and it may not change that: run, as a superuser, ALTER ROLE {role} \
         RESET session_replication_role, or the same IN DATABASE",
        role = quote_pg(role)
    ))
}

fn row(setting: &(&str, &str)) -> String {
    let (name, value) = setting;
    format!("({}, {})", quote_pg_text(name), quote_pg_text(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_before_the_path_is_set() {
        for statements in [FIRST, &set_up(130_000), &set_up(180_000)] {
            assert!(statements.starts_with("SET search_path = pg_catalog, pg_temp; "));
        }
    }

    #[test]
    fn no_timeout_of_the_role_ends_a_long_transaction_of_a_server_that_knows_such_a_bound() {
        let statements = set_up(170_000);
        assert!(statements.contains("('transaction_timeout', '0')"), "{statements}");
        assert!(statements.contains("WHERE current_setting(s.name, true) IS NOT NULL"));
    }

    #[test]
    fn each_server_is_asked_for_rights_in_words_that_it_knows() {
        assert!(!set_up(140_000).contains("has_parameter_privilege"));
        assert!(set_up(150_000).contains("has_parameter_privilege"));
    }
}
