//! Reducing errors of the MySQL driver.

use super::answers::{AnswerRow, NO_ROOM, of_my, of_pg};
use crate::fault::kind::{FaultKind, is_lost};
use crate::fault::server_fault::{Fault, FaultNames};
use crate::fault::side::Side;
use mysql::{DriverError, Error, MySqlError};
use std::error::Error as _;
use std::io;

pub(super) fn reduce(side: Side, error: &Error) -> Fault {
    let plain =
        |message: String, kind| Fault::build(side, message, None, FaultNames::default(), kind);
    match error {
        Error::MySqlError(error) => from_server(side, error),
        // What the driver meets while it sends a file it wraps once more.
        Error::IoError(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner) => reduce(side, inner),
            None => plain(lost(error), io_kind(error)),
        },
        Error::CodecError(error) => match error.source() {
            Some(wire) => match wire.downcast_ref::<io::Error>() {
                Some(error) => plain(lost(error), FaultKind::Disconnect),
                None => plain(format!("the connection was lost ({wire})"), FaultKind::Disconnect),
            },
            None => plain(format!("protocol error: {error}"), FaultKind::Disconnect),
        },
        Error::DriverError(error) => plain(error.to_string(), driver_kind(error)),
        Error::UrlError(_) => plain("the address is not valid".into(), FaultKind::Lasting),
        // These two hold the value itself.
        Error::FromValueError(_) | Error::FromRowError(_) => plain(
            "an answer of the server has another type than expected".into(),
            FaultKind::Lasting,
        ),
    }
}

fn lost(error: &io::Error) -> String {
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        "the server was silent for longer than silence_timeout in [run] allows".to_owned()
    } else if is_lost(error.kind()) {
        format!("the connection was lost ({error})")
    } else {
        error.to_string()
    }
}

fn io_kind(error: &io::Error) -> FaultKind {
    if is_lost(error.kind()) { FaultKind::Disconnect } else { FaultKind::Lasting }
}

fn driver_kind(error: &DriverError) -> FaultKind {
    match error {
        DriverError::ConnectTimeout
        | DriverError::PacketOutOfSync
        | DriverError::Timeout
        | DriverError::UnexpectedPacket => FaultKind::Disconnect,
        DriverError::CouldNotConnect(Some((_, _, kind))) if is_lost(*kind) => FaultKind::Disconnect,
        _ => FaultKind::Lasting,
    }
}

fn from_server(side: Side, error: &MySqlError) -> Fault {
    let MySqlError { code, state, message } = error;
    let found = names(*code, message);
    let text = if holds_names_only(*code) {
        message.trim_end_matches('.').to_owned()
    } else {
        sentence(*code, state, &found)
    };
    let row = answer(*code, message);
    let full = format!("{text} (error {code}){}", row.remedy());
    Fault::build(side, full, Some(code.to_string()), found, row.kind)
}

/// A failed write is answered as a full disk where its message says that this is what it met.
fn answer(code: u16, message: &str) -> &'static AnswerRow {
    match code {
        3..=20 | 1004..=1034 | 1114 if tells_of_no_room(message) => of_pg(NO_ROOM),
        _ => of_my(code),
    }
}

/// Returns true if a message holds the number of a full disk (28, or 122 of a quota) or of a full file (135
/// and 136 of a storage engine), or says so in words.
fn tells_of_no_room(message: &str) -> bool {
    let words = ["No space left on device", "No more room in", "Disk quota exceeded"];
    words.iter().any(|words| message.contains(words))
        || ["28", "122", "135", "136"].iter().any(|errno| tells_errno(message, errno))
}

fn tells_errno(message: &str, errno: &str) -> bool {
    ["errno: ", "Errcode: ", "error: ", "error "].iter().any(|word| {
        let behind = message.split(word).nth(1).and_then(|rest| rest.strip_prefix(errno));
        behind.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Returns true for the codes whose messages are made of names, numbers and settings.
///
/// Taken from the servers' message catalogues; a code that is not here loses its message.
fn holds_names_only(code: u16) -> bool {
    matches!(
        code,
        1004..=1010 | 1012..=1021 | 1023..=1031 | 1033..=1061 | 1063..=1075 | 1077..=1084
            | 1090 | 1091 | 1093 | 1094..=1103 | 1107..=1118 | 1120..=1135 | 1137..=1149
            | 1150..=1156 | 1158..=1164 | 1166..=1168 | 1170..=1175 | 1177..=1185 | 1192..=1217
            | 1219..=1235 | 1237..=1239 | 1245..=1253 | 1264..=1271 | 1273 | 1280..=1286
            | 1289..=1291 | 1293..=1299 | 1304..=1325 | 1346..=1366 | 1369..=1371 | 1375
            | 1380..=1390 | 1395..=1398 | 1406 | 1412 | 1418..=1425 | 1437..=1449 | 1451..=1453
            | 1459 | 1461 | 1465 | 1470 | 1471 | 1475 | 1477..=1525 | 1527..=1568 | 1578 | 1580
            | 1595 | 1602..=1606 | 1614..=1620 | 1637 | 1638 | 1659..=1672 | 1698 | 1701
            | 1707..=1709 | 1713..=1716 | 1785..=1794 | 1800..=1846 | 1862 | 1877 | 1880..=1892
            | 1901..=1911 | 1927 | 1932 | 1969 | 3024 | 3098 | 3100..=3111 | 3118 | 3159 | 3161
            | 3167 | 3169 | 3675 | 3723 | 3730 | 3819 | 3948 | 4025 | 4031 | 4068 | 4151
    ) && !quotes_values(code)
}

/// Codes inside the ranges above whose messages quote a value, an expression of the statement, or
/// whatever an engine or another server said.
fn quotes_values(code: u16) -> bool {
    matches!(
        code,
        1062 | 1076
            | 1139
            | 1219
            | 1220
            | 1231
            | 1292
            | 1296
            | 1297
            | 1300
            | 1366
            | 1367
            | 1411
            | 1425
            | 1426
            | 1439
            | 1470
            | 1525
            | 1526
            | 1557
            | 1690
            | 1815
            | 1890
            | 4068
    )
}

fn sentence(code: u16, state: &str, names: &FaultNames) -> String {
    let what = match code {
        1..=200 => "the server met a fault of its files, memory or storage engine",
        1022 | 1062 | 1169 | 1557 | 1586 | 1761 | 1762 | 1859 => "a value is there twice in a key",
        1265 | 1292 | 1366 | 1367 | 1411 | 1525 => "a value is not valid for its type",
        1264 | 1416 | 1690 => "a value is out of range",
        1300 | 3854 | 3988 => "a text is not valid in its character set",
        1526 => "a value fits no partition",
        1644 => "a trigger or routine raised an error",
        3750 => "the table has no primary key, and the server wants one",
        3140..=3158 | 4037..=4044 => "a JSON document is not valid",
        _ => return format!("the server refused the statement (SQLSTATE {state})"),
    };
    let mut text = what.to_owned();
    if let Some(key) = &names.constraint {
        text.push_str(&format!(": key {key}"));
    }
    if let Some(column) = &names.column {
        text.push_str(&format!(": column {column}"));
    }
    text
}

/// Picks the names out of a message. They stand behind the value, so the last match is ours.
fn names(code: u16, message: &str) -> FaultNames {
    let mut names = FaultNames::default();
    match code {
        1062 | 1586 | 1761 | 1762 | 1859 => names.constraint = behind(message, "for key "),
        1264 | 1265 | 1292 | 1366 | 1406 | 3140 => names.column = behind(message, "for column "),
        1048 => names.column = behind(message, "Column "),
        3819 => names.constraint = behind(message, "Check constraint "),
        4025 => names.constraint = behind(message, "CONSTRAINT "),
        1146 => names.table = behind(message, "Table "),
        _ => {}
    }
    names
}

/// Returns the quoted name after the last `marker`, without its quotes.
fn behind(message: &str, marker: &str) -> Option<String> {
    let rest = message[message.rfind(marker)? + marker.len()..].trim_end_matches('.');
    let end = [" at row ", " cannot be", " is violated", " failed for", " doesn't exist"]
        .iter()
        .filter_map(|end| rest.find(end))
        .min()
        .unwrap_or(rest.len());
    let name = rest[..end].replace(['`', '\''], "");
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: u16, message: &str, expected: &str) -> Fault {
        let error = MySqlError { code, state: "HY000".into(), message: message.into() };
        let fault = reduce(Side::Replica, &Error::MySqlError(error));
        assert_eq!(fault.to_string(), format!("replica: {expected}"));
        assert_eq!(fault.code(), Some(code.to_string().as_str()));
        fault
    }

    #[test]
    fn a_duplicate_key_names_the_key_and_not_the_value() {
        let fault = check(
            1062,
            "Duplicate entry 'O'Hara for key 'x'' for key 'patient.PRIMARY'",
            "a value is there twice in a key: key patient.PRIMARY (error 1062)",
        );
        assert_eq!(fault.constraint(), Some("patient.PRIMARY"));
    }

    #[test]
    fn quoted_values_are_dropped() {
        check(
            1292,
            "Incorrect datetime value: '2023-02-31' for column `d`.`t`.`Birthdate` at row 3",
            "a value is not valid for its type: column d.t.Birthdate (error 1292)",
        );
        check(
            1292,
            "Truncated incorrect DOUBLE value: 'Smith'",
            "a value is not valid for its type (error 1292)",
        );
        check(
            1366,
            "Incorrect string value: '\\xF0\\x9F' for column 'LName' at row 1",
            "a value is not valid for its type: column LName (error 1366)",
        );
        check(
            1411,
            "Incorrect datetime value: 'x' for function str_to_date",
            "a value is not valid for its type (error 1411)",
        );
        check(
            1690,
            "BIGINT value is out of range in '(9223372036854775807 + 1)'",
            "a value is out of range (error 1690)",
        );
        check(
            1526,
            "Table has no partition for value 17",
            "a value fits no partition (error 1526)",
        );
        check(
            3140,
            "Invalid JSON text: \"Invalid value.\" at position 0 in value for column 't.doc'.",
            "a JSON document is not valid: column t.doc (error 3140)",
        );
        check(
            1525,
            "Incorrect TIMESTAMP value: 'Smith'",
            "a value is not valid for its type (error 1525)",
        );
        check(
            1557,
            "Upholding foreign key constraints for table 't', entry 'Smith', key 1 would lead to a \
             duplicate entry",
            "a value is there twice in a key (error 1557)",
        );
        check(1644, "patient Smith is locked", "a trigger or routine raised an error (error 1644)");
        check(9999, "Smith", "the server refused the statement (SQLSTATE HY000) (error 9999)");
    }

    #[test]
    fn messages_with_whatever_was_said_elsewhere_are_dropped() {
        for code in [1139, 1219, 1220, 1296, 1297, 1425, 1439, 1470, 1815, 1890, 4068] {
            let fault = "the server refused the statement (SQLSTATE HY000)";
            check(code, "'Smith'", &format!("{fault} (error {code})"));
        }
    }

    #[test]
    fn messages_made_of_names_are_kept() {
        check(1146, "Table 'd.t' doesn't exist", "Table 'd.t' doesn't exist (error 1146)");
        let fault = check(
            1048,
            "Column 'PatNum' cannot be null",
            "Column 'PatNum' cannot be null (error 1048)",
        );
        assert_eq!(fault.column(), Some("PatNum"));
        let fault = check(
            1406,
            "Data too long for column 'LName' at row 1",
            "Data too long for column 'LName' at row 1 (error 1406)",
        );
        assert_eq!(fault.column(), Some("LName"));
        let denied = "SELECT command denied to user 'r'@'h' for table `d`.`t`";
        check(1142, denied, &format!("{denied} (error 1142){}", of_my(1142).remedy()));
        let fault = check(
            4025,
            "CONSTRAINT `note.doc` failed for `d`.`note`",
            "CONSTRAINT `note.doc` failed for `d`.`note` (error 4025)",
        );
        assert_eq!(fault.constraint(), Some("note.doc"));
    }

    #[test]
    fn codes_say_what_a_fault_means() {
        let of = |code| {
            let error = MySqlError { code, state: "HY000".into(), message: String::new() };
            reduce(Side::Source, &Error::MySqlError(error))
        };
        for code in [1040, 1205, 1213, 1615] {
            assert!(of(code).is_transient() && !of(code).is_disconnect(), "{code}");
        }
        for code in [1053, 1927, 2006, 2013, 4031] {
            assert!(of(code).is_transient() && of(code).is_disconnect(), "{code}");
        }
        for code in [1317, 1969, 3024] {
            assert!(of(code).is_cancelled() && !of(code).is_transient(), "{code}");
        }
        assert!(!of(1146).is_transient());
    }

    #[test]
    fn a_lost_connection_may_be_tried_again_and_our_own_io_error_may_not() {
        let io = |kind| reduce(Side::Source, &Error::IoError(io::Error::new(kind, "x")));
        assert!(io(io::ErrorKind::BrokenPipe).is_disconnect());
        assert!(!io(io::ErrorKind::Other).is_transient());
    }

    #[test]
    fn a_connection_lost_within_a_packet_or_a_file_may_be_tried_again() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let codec = || Error::CodecError(broken().into());
        for error in [codec(), Error::IoError(io::Error::other(codec()))] {
            let fault = reduce(Side::Replica, &error);
            assert!(fault.is_disconnect() && fault.is_transient(), "{fault:?}");
            assert_eq!(fault.to_string(), "replica: the connection was lost (broken pipe)");
        }
    }

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        check(
            1114,
            "The table 't' is full",
            "The table 't' is full (error 1114); the server's disk is full, or its tablespace may \
             not grow: free some space",
        );
        check(
            1005,
            "Can't create table `d`.`t` (errno: 135 \"No more room in record file\")",
            "Can't create table `d`.`t` (errno: 135 \"No more room in record file\") (error 1005); \
             the server's disk is full: free some space",
        );
        for message in ["(errno: 28)", "(Errcode: 28 \"x\")", "error: 136", "Got error 135 from"] {
            assert!(tells_of_no_room(message), "{message}");
        }
        for message in ["(errno: 150)", "(errno: 2800)", "table 28"] {
            assert!(!tells_of_no_room(message), "{message}");
        }
        check(
            1030,
            "Got error 28 \"No space left on device\" from storage engine Aria",
            "Got error 28 \"No space left on device\" from storage engine Aria (error 1030); the \
             server's disk is full: free some space",
        );
    }

    #[test]
    fn low_codes_have_a_text_of_their_own_and_no_message() {
        let says = "the server met a fault of its files, memory or storage engine";
        let log = "; the server's error log says more";
        let fault = check(6, "Error on delete of 'Smith'", &format!("{says} (error 6){log}"));
        assert!(fault.is_transient() && !fault.is_disconnect());
        let fault = check(121, "Smith", &format!("{says} (error 121){log}"));
        assert!(!fault.is_transient());
        let fault = check(145, "Table './d/t' is crashed", &format!("{says} (error 145){log}"));
        assert!(!fault.is_transient() && fault.is_damage());
        check(199, "Smith", &format!("{says} (error 199)"));
        let full = "; the server's disk is full: free some space";
        check(20, "Disk is full writing 'Smith'", &format!("{says} (error 20){full}"));
        check(3, "Error writing file (Errcode: 28)", &format!("{says} (error 3){full}"));
    }

    #[test]
    fn a_value_of_another_type_is_not_shown() {
        let error = Error::FromValueError(mysql::Value::Bytes(b"Smith".to_vec()));
        let fault = reduce(Side::Source, &error);
        assert!(!format!("{fault} {fault:?}").contains("Smith"));
    }
}
