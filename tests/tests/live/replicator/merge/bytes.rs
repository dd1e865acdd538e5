//! What counts as changed: a byte, not a value.

use super::super::{mysql9, quoted, values};
use super::{ENGINES, Pair, counts, since, types};
use handoff_connect::Side;
use handoff_model::{CancelToken, NopObserver};
use handoff_testbed::{Bed, Trio};
use std::sync::Arc;

#[test]
fn every_type_is_merged_byte_for_byte_on_every_engine() {
    let pair = Pair::new("replicator merge types");
    for engine in ENGINES {
        types::make(&pair, engine);
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        pair.check("t");
        check(&pair, "t", 9, true);
    }
}

#[test]
fn every_type_of_mysql_9_is_merged_byte_for_byte() {
    let Some((one, two)) = mysql9::pair() else { return };
    for replica in [two.endpoint(), one.endpoint()] {
        let trio = Trio::on("merge mysql 9", one.endpoint(), replica, Bed::shared().target());
        let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
        mysql9::make(&pair);
        pair.trio.sql_source("UPDATE t SET id = 1 WHERE id > 9");
        pair.check("t");
        check(&pair, "t", 5, false);
        // Unlike MariaDB it keeps the sign of a zero.
        for (sign, value) in [("", "0e0"), ("-", "-0e0")] {
            pair.trio.sql_source("UPDATE t SET fl = 0, dou = 0 WHERE id = 4");
            pair.try_merge("t", &since("id", 0)).unwrap();
            pair.trio.sql_source(&format!("UPDATE t SET dou = {value} WHERE id = 4"));
            let outcome = pair.merge("t", &since("id", 0));
            assert_eq!(counts(&outcome), (0, sign.len() as u64, 5 - sign.len() as u64));
            pair.trio.sql_source(&format!("UPDATE t SET fl = {value} WHERE id = 4"));
            let outcome = pair.merge("t", &since("id", 0));
            assert_eq!(counts(&outcome), (0, sign.len() as u64, 5 - sign.len() as u64));
        }
    }
}

/// Gives each column of the replica's rows another row's values, and merges the source's rows.
#[track_caller]
fn check(pair: &Pair, table: &str, rows: u64, warns: bool) {
    assert_eq!(counts(&pair.merge(table, &since("id", 0))), (0, 0, rows));
    let columns = pair.describe(Side::Replica, table).unwrap().columns;
    let columns: Vec<&str> =
        columns.iter().filter(|c| !c.generated).map(|c| c.name.as_str()).collect();
    // A column with ON UPDATE would move with each of the others.
    let kept = if columns.contains(&"ts3") { ", a.ts3 = a.ts3" } else { "" };
    for column in columns.iter().filter(|&&column| column != "id") {
        let name = quoted(column);
        let (kept, value) = match *column {
            "ts3" => ("", "o.ts3".to_owned()),
            // Its values are unique.
            "u" => (kept, "NULL".to_owned()),
            _ => (kept, format!("o.{name}")),
        };
        let ask = format!("SELECT id, {name}, HEX({name}) FROM {table}");
        let before = values(pair.trio.replica(), &ask);
        pair.trio.sql_replica(&format!(
            "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';
             CREATE TABLE other LIKE {table}; INSERT INTO other ({list}) SELECT {list} FROM {table};
             UPDATE {table} a JOIN other o ON CAST(o.id AS DECIMAL(20)) = \
                 IF(CAST(a.id AS DECIMAL(20)) = 3, 0, IF(a.id < 3, a.id + 1, a.id - 3)) \
             SET a.{name} = {value}{kept};
             DROP TABLE other",
            list = columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", "),
        ));
        let after = values(pair.trio.replica(), &ask);
        let changed = after.iter().filter(|row| !before.contains(row)).count() as u64;
        assert!(changed > 0, "{column}");
        let outcome = pair.try_merge(table, &since("id", 0)).unwrap();
        assert_eq!(counts(&outcome), (0, changed, rows - changed), "{column}");
        assert_eq!(values(pair.trio.replica(), &ask), before, "{column}");
    }
    pair.check_sums(table);
    pair.trio.sql_replica(&format!("DELETE FROM {table}"));
    let outcome = pair.merge(table, &since("id", 0));
    assert_eq!((counts(&outcome), outcome.checked), ((rows, 0, 0), warns));
}

#[test]
fn what_the_server_calls_equal_is_changed_where_its_bytes_are() {
    let pair = Pair::new("replicator merge bytes");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(9), x TEXT CHARACTER SET latin1, f FLOAT,
                 d DOUBLE, j JSON, u VARCHAR(9) CHARACTER SET utf16, b VARBINARY(9)) ENGINE={engine};
             INSERT INTO t VALUES (0, 'a', 'é', 0, 0, '{{}}', 'ß', 'a'),
                 (1, 'a', 'é', 0, 0, '{{}}', 'ß', 'a'), (2, '', NULL, NULL, NULL, NULL, NULL, ''),
                 (3, NULL, '', 1, 1, '[1]', '', NULL), (4, 'k', 'k', 16777216, 0.1, '1', 'k', 'k')"
        ));
        for change in [
            "c = 'A'",
            "c = 'a '",
            "c = 'á'",
            "x = 'E'",
            "f = 1e-45",
            "d = 5e-324",
            "j = '{ }'",
            "u = 'ss'",
            "b = 'a '",
            "c = NULL",
            "d = NULL",
        ] {
            pair.trio.sql_source(&format!("UPDATE t SET {change} WHERE id = 1"));
            let outcome = pair.merge("t", &since("id", 0));
            assert_eq!(counts(&outcome), (0, 1, 4), "{change}, {engine}");
        }
        for (row, change) in [
            (2, "c = NULL"),
            (2, "x = ''"),
            (2, "f = 0"),
            (3, "c = ''"),
            (3, "x = NULL"),
            (3, "j = '[1.0]'"),
            (3, "u = ' '"),
            (4, "f = 16777218"),
            (4, "d = 0.10000000000000002"),
        ] {
            pair.trio.sql_source(&format!("UPDATE t SET {change} WHERE id = {row}"));
            let outcome = pair.merge("t", &since("id", 0));
            assert_eq!(counts(&outcome), (0, 1, 4), "{change}, {engine}");
        }
    }
}
