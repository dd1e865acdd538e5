//! Reducing errors of the PostgreSQL driver.

use super::answers::of_pg;
use crate::fault::kind::{FaultKind, is_lost};
use crate::fault::server_fault::{Fault, FaultNames};
use crate::fault::side::Side;
use postgres::error::DbError;
use std::error::Error as _;
use std::io;

pub(super) fn reduce(side: Side, error: &postgres::Error) -> Fault {
    match error.as_db_error() {
        Some(error) => from_server(side, &PgMessage::from(error)),
        None => from_driver(side, error),
    }
}

/// The parts of a server's message that are looked at.
#[derive(Debug, Default)]
struct PgMessage<'a> {
    code: &'a str,
    message: &'a str,
    context: Option<&'a str>,
    constraint: Option<&'a str>,
    table: Option<&'a str>,
    column: Option<&'a str>,
}

impl<'a> From<&'a DbError> for PgMessage<'a> {
    fn from(error: &'a DbError) -> PgMessage<'a> {
        PgMessage {
            code: error.code().code(),
            message: error.message(),
            context: error.where_(),
            constraint: error.constraint(),
            table: error.table(),
            column: error.column(),
        }
    }
}

fn from_server(side: Side, said: &PgMessage<'_>) -> Fault {
    let names = FaultNames {
        constraint: said.constraint.map(str::to_owned),
        table: said.table.map(str::to_owned),
        column: said.column.map(str::to_owned),
    };
    let mut text =
        if holds_names_only(said.code) { said.message.to_owned() } else { sentence(said) };
    if let Some(place) = said.context.and_then(copy_place) {
        text.push_str(&format!(" in {place}"));
    }
    let answer = of_pg(said.code);
    let path = said.context.and_then(|context| path_of(said.code, context)).unwrap_or_default();
    let text = format!("{text} (SQLSTATE {}){}{path}", said.code, answer.remedy());
    Fault::build(side, text, Some(said.code.to_owned()), names, answer.kind)
}

/// Returns true for the classes whose messages are made of names, numbers and settings. Class 22
/// quotes the value, class 23 is told by its constraint, P0 and 38 to HV are somebody's own text.
fn holds_names_only(code: &str) -> bool {
    const CLASSES: [&str; 24] = [
        "08", "0A", "0B", "0L", "0P", "21", "24", "25", "26", "28", "2B", "2D", "34", "3D", "3F",
        "40", "42", "44", "53", "54", "55", "57", "58", "XX",
    ];
    CLASSES.iter().any(|class| code.starts_with(class))
}

fn sentence(said: &PgMessage<'_>) -> String {
    let what = match said.code {
        "23505" => "a value is there twice in a unique key",
        "23502" => "a value is missing in a column that allows no NULL",
        "23503" => "a foreign key is violated",
        "23514" => "a check constraint is violated",
        "23P01" => "an exclusion constraint is violated",
        "22003" | "22008" => "a value is out of range",
        "22001" => "a text is too long for its column",
        "22021" | "22P05" => "a text holds a character that the database cannot store",
        "22P03" => "a value is not in the binary form of its type",
        "22P04" => "the COPY data is malformed",
        "22030" | "22031" | "22032" | "22033" => "a JSON document is not valid",
        code if code.starts_with("22") => "a value is not valid for its type",
        code if code.starts_with("23") => "a constraint is violated",
        "P0001" | "P0000" => "a trigger or function raised an error",
        _ => "the server refused the statement",
    };
    let mut text = what.to_owned();
    let parts = [("constraint", said.constraint), ("table", said.table), ("column", said.column)];
    for (kind, name) in parts {
        if let Some(name) = name {
            text.push_str(&format!(", {kind} {name}"));
        }
    }
    text
}

/// Returns `COPY table, line n, column c` of a COPY's context, without the line or value that the
/// server quotes behind it.
fn copy_place(context: &str) -> Option<&str> {
    let line = context.lines().next().filter(|line| line.starts_with("COPY "))?;
    Some(line.split(": ").next().unwrap_or(line))
}

/// Returns what to do about a function of somebody's own, called by a trigger, a default, a generated
/// column, a constraint or an index, that does not find what it names without a schema.
fn path_of(code: &str, context: &str) -> Option<String> {
    // An unknown table, function, type or schema.
    if !matches!(code, "42P01" | "42883" | "42704" | "3F000") {
        return None;
    }
    let function = context.lines().find_map(function_in)?;
    let schema = schema_of(function).filter(|&schema| schema != "public");
    let path = schema.map(|schema| format!("{schema}, ")).unwrap_or_default();
    Some(format!(
        "; it is named so in the function {function}, and sessions of Handoff look up names in \
         pg_catalog alone, so that nobody's object stands in for one of PostgreSQL's: give the \
         function a path of its own, ALTER FUNCTION {function} SET search_path = {path}public, pg_temp"
    ))
}

/// Returns the function that a line of a context names.
fn function_in(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("PL/pgSQL function ") {
        return rest.split(" line ").next().filter(|name| name.ends_with(')'));
    }
    let rest = line.strip_prefix("SQL function ")?;
    Some(&rest[..=rest.rfind('"')?])
}

/// Returns the quoted or plain schema before the dot of a function's name.
fn schema_of(function: &str) -> Option<&str> {
    let mut quoted = false;
    let dot = function.char_indices().find(|&(_, c)| {
        quoted ^= c == '"';
        !quoted && (c == '.' || c == '(')
    });
    dot.filter(|&(_, c)| c == '.').map(|(at, _)| &function[..at])
}

fn from_driver(side: Side, error: &postgres::Error) -> Fault {
    let kind = driver_kind(error);
    if kind == FaultKind::Disconnect {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let text = format!("the connection was lost ({cause})");
        return Fault::build(side, text, None, FaultNames::default(), kind);
    }
    let mut text = error.to_string();
    // What a conversion of ours complains about may be the value.
    let about_a_value = text.starts_with("error serializing") || text.starts_with("error deseri");
    if !about_a_value && let Some(cause) = error.source() {
        text.push_str(&format!(": {cause}"));
    }
    Fault::build(side, text, None, FaultNames::default(), kind)
}

fn driver_kind(error: &postgres::Error) -> FaultKind {
    if error.is_closed() {
        return FaultKind::Disconnect;
    }
    match error.source().and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(cause) if is_lost(cause.kind()) => FaultKind::Disconnect,
        _ => FaultKind::Lasting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &PgMessage<'_>, expected: &str) -> Fault {
        let fault = from_server(Side::Target, said);
        assert_eq!(fault.to_string(), format!("target: {expected}"));
        fault
    }

    #[test]
    fn a_duplicate_key_names_the_constraint_and_not_the_value() {
        let fault = check(
            &PgMessage {
                code: "23505",
                message: "duplicate key value violates unique constraint \"patient_pkey\"",
                constraint: Some("patient_pkey"),
                table: Some("patient"),
                context: Some("COPY patient, line 17"),
                ..PgMessage::default()
            },
            "a value is there twice in a unique key, constraint patient_pkey, table patient \
             in COPY patient, line 17 (SQLSTATE 23505)",
        );
        assert_eq!(fault.constraint(), Some("patient_pkey"));
        assert_eq!(fault.table(), Some("patient"));
    }

    #[test]
    fn values_in_message_and_context_are_dropped() {
        check(
            &PgMessage {
                code: "22P02",
                message: "invalid input syntax for type integer: \"Smith\"",
                context: Some("COPY patient, line 2, column PatNum: \"Smith\""),
                ..PgMessage::default()
            },
            "a value is not valid for its type in COPY patient, line 2, column PatNum \
             (SQLSTATE 22P02)",
        );
        check(
            &PgMessage {
                code: "22021",
                message: "invalid byte sequence for encoding \"UTF8\": 0xff",
                context: Some("COPY t, line 1: \"a\nb: Smith\""),
                ..PgMessage::default()
            },
            "a text holds a character that the database cannot store in COPY t, line 1 \
             (SQLSTATE 22021)",
        );
        check(
            &PgMessage {
                code: "P0001",
                message: "patient Smith is locked",
                ..PgMessage::default()
            },
            "a trigger or function raised an error (SQLSTATE P0001)",
        );
        check(
            &PgMessage {
                code: "42601",
                message: "syntax error at or near \"x\"",
                context: Some("SQL function \"Smith\" statement 1"),
                ..PgMessage::default()
            },
            "syntax error at or near \"x\" (SQLSTATE 42601)",
        );
    }

    #[test]
    fn a_function_that_finds_no_table_is_named_with_the_path_that_it_needs() {
        let path = |context| path_of("42P01", context).unwrap_or_default();
        let said = path("PL/pgSQL function raw.stamp() line 3 at SQL statement");
        let remedy = "ALTER FUNCTION raw.stamp() SET search_path = raw, public, pg_temp";
        assert!(said.ends_with(remedy), "{said}");
        let said = path("SQL statement\nPL/pgSQL function \"a. b\".f(integer) line 1 at RETURN");
        let remedy =
            "ALTER FUNCTION \"a. b\".f(integer) SET search_path = \"a. b\", public, pg_temp";
        assert!(said.ends_with(remedy), "{said}");
        let said = path("SQL function \"f\" during startup");
        let remedy = "ALTER FUNCTION \"f\" SET search_path = public, pg_temp";
        assert!(said.ends_with(remedy), "{said}");
        assert_eq!(path("PL/pgSQL function inline_code_block line 1 at SQL statement"), "");
        assert_eq!(path_of("23505", "PL/pgSQL function raw.stamp() line 3 at x"), None);
    }

    #[test]
    fn codes_say_what_a_fault_means() {
        let of = |code| from_server(Side::Target, &PgMessage { code, ..PgMessage::default() });
        for code in ["40001", "40P01", "55P03", "53300"] {
            assert!(of(code).is_transient() && !of(code).is_disconnect(), "{code}");
        }
        for code in ["57P01", "57P03", "08006"] {
            assert!(of(code).is_transient() && of(code).is_disconnect(), "{code}");
        }
        assert!(of("57014").is_cancelled() && !of("57014").is_transient());
        assert!(!of("42501").is_transient());
    }
}
