//! Reading in ranges and in one statement: every row once, by the index, and cut off at once.

use super::{Gather, Rig, on_both};
use handoff_connect::{MyClient, SessionProfile, ValueRef};
use handoff_model::{
    CancelToken, ColumnName, KeyRange, KeyValue, RowFilter, Watermark, WatermarkWindow,
};
use handoff_rows::{Error, Locking, ReadSpec, RowReader, RowSink};
use handoff_schema::{TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};
use mysql::prelude::Queryable;
use std::time::{Duration, Instant};

/// Takes the first column of every row, pretends that a row is so many bytes long, and notes where
/// it was flushed.
#[derive(Default)]
struct Ids {
    ids: Vec<i64>,
    row_bytes: usize,
    pending: usize,
    flushes: Vec<usize>,
    fail_after: Option<usize>,
    cancel_after: Option<(usize, CancelToken)>,
}

impl RowSink for Ids {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<(), Error> {
        assert_eq!(row.len(), 1, "the sink gets what was selected, and no key");
        let ValueRef::Int(id) = row[0] else { panic!("an INT is an integer") };
        self.ids.push(id);
        self.pending += self.row_bytes;
        if self.fail_after == Some(self.ids.len()) {
            let problem = "the sink is full".to_owned();
            return Err(Error::Filter { table: "t".parse().unwrap(), problem });
        }
        if let Some((count, cancel)) = &self.cancel_after
            && *count == self.ids.len()
        {
            cancel.cancel();
        }
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.pending
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.flushes.push(self.ids.len());
        self.pending = 0;
        Ok(())
    }
}

fn id_column() -> Vec<String> {
    vec!["`id`".to_owned()]
}

/// Makes the catalogue believe that rows are so wide that the first range has about so many.
fn first_range(schema: &mut TableSchema, rows: u64) {
    schema.data_bytes = schema.rows.max(1) * ((1 << 20) / rows);
}

/// Reads `t` in ranges and checks that every row came once, and that the servers' handlers touched
/// hardly more rows than there are.
#[track_caller]
fn check_ranges(rig: &Rig, what: &str) {
    let mut schema = rig.schema("t");
    assert!(schema.key().is_some(), "{what} is a key");
    first_range(&mut schema, 50);
    let mut conn = rig.source.get(SessionProfile::Read).unwrap();
    let expected: Vec<i64> = conn.query("SELECT id FROM t ORDER BY id").unwrap();
    let before = handler_reads(&mut conn);
    let mut sink = Ids { row_bytes: 16 * 1024, ..Ids::default() };
    let (cancel, select) = (CancelToken::new(), id_column());
    let spec = ReadSpec {
        table: &schema,
        select: &select,
        filter: &RowFilter::All,
        locking: Locking::Ranges,
        cancel: &cancel,
    };
    let rows = RowReader::new(spec).read(&mut conn, &mut sink).unwrap();
    let touched = handler_reads(&mut conn) - before;
    sink.ids.sort_unstable();
    assert_eq!(sink.ids, expected, "{what}");
    assert_eq!(rows, expected.len() as u64);
    assert!(sink.flushes.len() > 3, "{what} was read in {} ranges", sink.flushes.len());
    let most = 2 * expected.len() as u64 + 500;
    // Neither server finds its way into an index by the number of a label.
    let by_label = what.contains("ENUM") || what.contains("SET(");
    assert!(
        by_label || touched < most,
        "{what}: {touched} handler reads for {} rows",
        expected.len()
    );
}

fn handler_reads(conn: &mut MyClient) -> u64 {
    let counts: Vec<(String, u64)> =
        conn.query("SHOW SESSION STATUS LIKE 'Handler_read%'").unwrap();
    // A condition that is checked in the index counts as a retry of it.
    counts.iter().filter(|(name, _)| !name.contains("retry")).map(|(_, count)| count).sum()
}

#[test]
fn ranges_follow_every_kind_of_key() {
    on_both("rows keys in ranges", |rig| {
        let maria = rig.source.version().flavor == handoff_connect::ServerFlavor::MariaDb;
        let mut kinds = vec![
            ("a INT", "id * 3 - 3000"),
            ("a BIGINT UNSIGNED", "18446744073709551615 - id"),
            ("a DECIMAL(40,20)", "id / 7 - 100"),
            ("a DOUBLE", "SQRT(id) - 20"),
            ("a FLOAT", "id / 8 - 100"),
            ("a BIT(20)", "id"),
            ("a DATE", "DATE_ADD('1999-12-30', INTERVAL id DAY)"),
            ("a DATETIME(6)", "DATE_ADD('1999-12-30', INTERVAL id * 1234567 MICROSECOND)"),
            (
                "a TIMESTAMP(3) NULL DEFAULT NULL",
                "DATE_ADD('1999-12-30', INTERVAL id * 1234 SECOND)",
            ),
            ("a TIME(3)", "SEC_TO_TIME(id * 1000.125 - 2000000)"),
            ("a VARCHAR(20)", "CONCAT('Ä', id)"),
            ("a VARCHAR(20) CHARACTER SET latin1", "CONCAT('é', id)"),
            ("a VARCHAR(20) CHARACTER SET utf8mb3", "CONCAT('é', id, ' ')"),
            ("a VARCHAR(20) CHARACTER SET gbk", "CONCAT('漢', id)"),
            ("a VARCHAR(20) CHARACTER SET utf16 COLLATE utf16_bin", "CONCAT('😀', id)"),
            ("a CHAR(64) CHARACTER SET ascii", "SHA2(id, 256)"),
            ("a VARBINARY(32)", "UNHEX(SHA2(id, 256))"),
            ("a BINARY(32)", "UNHEX(SHA2(id, 256))"),
            ("a ENUM('z','y','x','w'), b INT", "1 + id % 4, id"),
            ("a SET('z','y','x','w'), b INT", "id % 16, id"),
            ("a INT, b VARCHAR(9), c INT", "id % 5, id % 31, id"),
            ("a YEAR, b INT", "1970 + id % 50, id"),
        ];
        if maria {
            kinds.push((
                "a UUID",
                "CONCAT(LEFT(MD5(id), 8), '-0000-1000-8000-', RIGHT(MD5(id), 12))",
            ));
            kinds.push(("a INET6", "CONCAT('::', HEX(id))"));
            kinds.push(("a INET4", "CONCAT('10.1.', id DIV 256, '.', id % 256)"));
        }
        let numbers: Vec<String> = (0..1600).map(|id| format!("({id})")).collect();
        rig.trio.sql_source(&format!(
            "CREATE TABLE n (id INT PRIMARY KEY); INSERT INTO n VALUES {}",
            numbers.join(", ")
        ));
        for (index, (columns, values)) in kinds.iter().enumerate() {
            let key: Vec<&str> =
                columns.split(", ").map(|column| column.split(' ').next().unwrap()).collect();
            let columns: Vec<String> = columns
                .split(", ")
                .map(|column| column.replace(" NULL DEFAULT NULL", "") + " NOT NULL")
                .collect();
            let columns = columns
                .join(", ")
                .replace("TIMESTAMP(3) NOT NULL", "TIMESTAMP(3) NOT NULL DEFAULT '2020-01-01'");
            // Both ways to be a key.
            let unique = if index % 2 == 0 { "PRIMARY KEY" } else { "UNIQUE KEY `u k`" };
            rig.trio.sql_source(&format!(
                "SET NAMES utf8mb4; SET sql_mode = ''; DROP TABLE IF EXISTS t;
                 CREATE TABLE t (id INT, {columns}, {unique} ({})) ENGINE=MyISAM;
                 INSERT INTO t SELECT id, {values} FROM n",
                key.join(", ")
            ));
            check_ranges(rig, &columns);
        }
    });
}

#[test]
fn ranges_follow_keys_in_any_order() {
    on_both("rows keys descending", |rig| {
        // No other engine of MySQL has such indexes.
        let maria = rig.source.version().flavor == handoff_connect::ServerFlavor::MariaDb;
        let engine = if maria { "MyISAM" } else { "InnoDB" };
        let numbers: Vec<String> = (0..1600).map(|id| format!("({id})")).collect();
        rig.trio.sql_source(&format!(
            "CREATE TABLE n (id INT PRIMARY KEY); INSERT INTO n VALUES {}",
            numbers.join(", ")
        ));
        for key in ["a DESC, b", "a, b DESC", "b DESC", "a DESC, b DESC", "b, a DESC"] {
            rig.trio.sql_source(&format!(
                "DROP TABLE IF EXISTS t;
                 CREATE TABLE t (id INT, a DATE NOT NULL, b VARCHAR(9) NOT NULL, PRIMARY KEY ({key}))
                     ENGINE={engine};
                 INSERT INTO t SELECT id, '2024-01-01' + INTERVAL id % 40 DAY, CONCAT('ä', id) FROM n;
                 ANALYZE TABLE t"
            ));
            check_ranges(rig, key);
        }
    });
}

#[test]
fn strange_values_in_keys_are_passed_by() {
    let rig = Rig::new("rows strange keys");
    rig.trio.sql_source(
        "SET sql_mode = 'ALLOW_INVALID_DATES';
         CREATE TABLE t (id INT, a DATETIME NOT NULL, PRIMARY KEY (a, id)) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, ELT(1 + seq % 5, '0000-00-00', '2020-00-00', '2023-02-31 10:00:00',
            '0000-01-01', '2024-01-01') FROM seq_1_to_2000",
    );
    check_ranges(&rig, "dates that are none");
    rig.trio.sql_source(
        "SET sql_mode = ''; DROP TABLE t;
         CREATE TABLE t (id INT, a ENUM('b','a') NOT NULL, b VARCHAR(9) NOT NULL, PRIMARY KEY (a, b))
            ENGINE=Aria;
         INSERT INTO t SELECT seq, seq % 3, CONCAT(CHAR(seq % 7), seq) FROM seq_1_to_2000",
    );
    check_ranges(&rig, "ENUM with index 0, and control characters");
}

#[test]
fn a_small_table_costs_one_prepared_statement() {
    on_both("rows statements", |rig| {
        rig.trio.sql_source(
            "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO t VALUES (1), (2)",
        );
        let schema = rig.schema("t");
        for locking in [Locking::Ranges, Locking::Free, Locking::Snapshot] {
            let (cancel, select) = (CancelToken::new(), id_column());
            let spec = ReadSpec {
                table: &schema,
                select: &select,
                filter: &RowFilter::All,
                locking,
                cancel: &cancel,
            };
            let mut sink = Ids::default();
            let mut reading = rig.source.get(SessionProfile::Read).unwrap();
            let at = |conn: &mut MyClient| -> Vec<(String, u64)> {
                conn.query(
                    "SHOW SESSION STATUS WHERE Variable_name IN ('Com_stmt_prepare', 'Questions')",
                )
                .unwrap()
            };
            let first = at(&mut reading);
            RowReader::new(spec).read(&mut reading, &mut sink).unwrap();
            let second = at(&mut reading);
            let spent: Vec<u64> = second.iter().zip(&first).map(|(b, a)| b.1 - a.1).collect();
            // The question asked here is one of them.
            // The same statement is prepared once.
            let prepared = if locking == Locking::Snapshot { 0 } else { 1 };
            assert_eq!(spent, [prepared, 2], "{locking:?}: prepared, asked");
            assert_eq!(sink.ids, [1, 2]);
        }
    });
}

#[test]
fn the_sink_writes_between_ranges_only() {
    let rig = Rig::new("rows flushes");
    rig.trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO t SELECT seq FROM seq_1_to_5000",
    );
    let mut schema = rig.schema("t");
    first_range(&mut schema, 1000);
    let mut sink = Ids { row_bytes: 1024, ..Ids::default() };
    rig.read(&schema, &id_column(), &RowFilter::All, Locking::Ranges, &mut sink).unwrap();
    assert_eq!(sink.flushes[0], 1000, "more than a threshold was gathered, and kept");
    let mut sink = Ids { row_bytes: 1024, ..Ids::default() };
    rig.read(&schema, &id_column(), &RowFilter::All, Locking::Free, &mut sink).unwrap();
    assert_eq!(sink.flushes[0], 256);
}

#[test]
fn a_range_of_large_rows_is_ended_before_it_fills_the_memory() {
    on_both("rows large ranges", |rig| {
        rig.trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM");
        let list: Vec<String> = (0..20_000).map(|id| format!("({id})")).collect();
        rig.trio.sql_source(&format!("INSERT INTO t VALUES {}", list.join(",")));
        let schema = rig.schema("t");
        let mut sink = Ids { row_bytes: 100_000, ..Ids::default() };
        rig.read(&schema, &id_column(), &RowFilter::All, Locking::Ranges, &mut sink).unwrap();
        assert_eq!(sink.ids, (0..20_000).collect::<Vec<_>>());
        let largest = sink.flushes.windows(2).map(|w| w[1] - w[0]).max().unwrap();
        assert!(sink.flushes[0].max(largest) <= 84, "8 MiB are 84 rows");
    });
}

#[test]
fn a_read_that_fails_in_the_middle_is_cut_at_once() {
    let rig = big_table("rows cut off");
    for locking in [Locking::Free, Locking::Ranges] {
        let cancel = CancelToken::new();
        let mut failing = Ids { fail_after: Some(2000), ..Ids::default() };
        assert!(matches!(cut(&rig, locking, &cancel, &mut failing), Error::Filter { .. }));
        let cancelling = CancelToken::new();
        let after = Some((2000, cancelling.clone()));
        let mut stopped = Ids { cancel_after: after, ..Ids::default() };
        assert!(matches!(cut(&rig, locking, &cancelling, &mut stopped), Error::Cancelled(_)));
    }
}

/// Reads until the sink has enough, and checks that the statement does not go on after it.
#[track_caller]
fn cut(rig: &Rig, locking: Locking, cancel: &CancelToken, sink: &mut Ids) -> Error {
    let schema = rig.schema("t");
    let mut conn = rig.source.get(SessionProfile::Read).unwrap();
    let (id, select) = (conn.connection_id(), id_column());
    let filter = RowFilter::All;
    let spec = ReadSpec { table: &schema, select: &select, filter: &filter, locking, cancel };
    let began = Instant::now();
    let error = RowReader::new(spec).read(&mut conn, sink).unwrap_err();
    drop(conn);
    assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
    assert!(sink.ids.len() <= 2001);
    let mut admin = rig.trio.source();
    let end = Instant::now() + Duration::from_secs(2);
    let running = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND command <> 'Sleep'"
    );
    while admin.query_first::<u64, _>(&running).unwrap() != Some(0) {
        assert!(Instant::now() < end, "the statement goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
    // The pool does not hand the connection out again.
    assert_ne!(rig.source.get(SessionProfile::Read).unwrap().connection_id(), id);
    error
}

fn big_table(name: &str) -> Rig {
    let rig = Rig::new(name);
    rig.trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, pad CHAR(100)) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, 'x' FROM seq_1_to_1000000",
    );
    rig
}

#[test]
fn writers_wait_for_no_more_than_a_range() {
    let rig = big_table("rows writers");
    let schema = rig.schema("t");
    let mapping =
        TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default()).unwrap();
    let mut sink = Gather::new(&mapping, &ValuePolicies::default());
    let select = sink.0.select_list().to_vec();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let mut writer = rig.trio.source();
    let worst = std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            let mut worst = Duration::ZERO;
            while stopped.recv_timeout(Duration::from_millis(50)).is_err() {
                let began = Instant::now();
                writer.query_drop("UPDATE t SET pad = 'y' WHERE id = 500000").unwrap();
                worst = worst.max(began.elapsed());
            }
            worst
        });
        let mut slow = Slow(&mut sink);
        rig.read(&schema, &select, &RowFilter::All, Locking::Ranges, &mut slow).unwrap();
        stop.send(()).unwrap();
        writing.join().unwrap()
    });
    println!("longest wait of a writer: {} ms", worst.as_millis());
    assert!(worst < Duration::from_secs(1));
    assert_eq!(sink.0.sum().rows, 1_000_000);
}

/// Writes as slowly as a far target.
struct Slow<'a>(&'a mut Gather);

impl RowSink for Slow<'_> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<(), Error> {
        self.0.row(row)
    }

    fn buffered(&self) -> usize {
        self.0.buffered()
    }

    fn flush(&mut self) -> Result<(), Error> {
        std::thread::sleep(Duration::from_millis(20));
        self.0.0.clear();
        Ok(())
    }
}

#[test]
fn filters_select_what_they_say() {
    on_both("rows filters", |rig| {
        let rows: Vec<String> = (0..3000)
            .map(|id| {
                format!("({}, {}, {id}, '2024-01-01' + INTERVAL {id} SECOND)", id % 10, id / 10)
            })
            .collect();
        rig.trio.sql_source(&format!(
            "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, id INT NOT NULL, changed DATETIME NULL,
                 PRIMARY KEY (a, b)) ENGINE=MyISAM;
             INSERT INTO t VALUES {}; UPDATE t SET changed = NULL WHERE id = 2999",
            rows.join(", ")
        ));
        let key = |a, b| Some(vec![KeyValue::Int(a), KeyValue::Int(b)]);
        check_filter(
            rig,
            &RowFilter::Range(KeyRange { after: key(2, 250), upto: key(4, 7) }),
            |id| (2, 250) < (id % 10, id / 10) && (id % 10, id / 10) <= (4, 7),
        );
        check_filter(rig, &RowFilter::Range(KeyRange { after: None, upto: key(0, 5) }), |id| {
            (id % 10, id / 10) <= (0, 5)
        });
        let at = |text: &str| Watermark::DateTime(text.to_owned());
        let bound = |column: &str, from, below| WatermarkWindow {
            column: ColumnName::new(column).unwrap(),
            from,
            below,
        };
        let of = |bounds| RowFilter::Changed { bounds, nulls: Vec::new() };
        let changed = bound("changed", at("2024-01-01 00:10:00"), Some(at("2024-01-01 00:20:00")));
        check_filter(rig, &of(vec![changed.clone()]), |id| (600..1200).contains(&id));
        let new = bound("id", Watermark::Integer(2990), None);
        check_filter(rig, &of(vec![changed, new]), |id| (600..1200).contains(&id) || id >= 2990);
        let wrong = of(vec![bound("changed", Watermark::Integer(5), None)]);
        let schema = rig.schema("t");
        let error = rig
            .read(&schema, &id_column(), &wrong, Locking::Free, &mut Ids::default())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot select the rows of `t`: its column `changed` is datetime and its watermark is not"
        );
    });
}

#[track_caller]
fn check_filter(rig: &Rig, filter: &RowFilter, expected: impl Fn(i64) -> bool) {
    let mut schema = rig.schema("t");
    first_range(&mut schema, 70);
    let expected: Vec<i64> = (0..3000).filter(|&id| expected(id)).collect();
    for locking in [Locking::Free, Locking::Snapshot, Locking::Ranges] {
        let mut sink = Ids { row_bytes: 10_000, ..Ids::default() };
        rig.read(&schema, &id_column(), filter, locking, &mut sink).unwrap();
        sink.ids.sort_unstable();
        assert_eq!(sink.ids, expected, "{locking:?} {filter:?}");
    }
}

/// A window of a table that locks out writers is looked for by one scan, where that is short.
#[test]
fn a_window_is_read_whole_however_long_the_scan_takes() {
    on_both("rows windows", |rig| {
        let slow = "LENGTH(SHA2(REPEAT('x', 200000), 512)) * 0";
        rig.trio.sql_source(&format!(
            "CREATE TABLE many (id INT PRIMARY KEY) ENGINE=MyISAM;
             CREATE TABLE slow (id INT PRIMARY KEY, changed INT AS (id + {slow}) VIRTUAL)
                 ENGINE=MyISAM;
             CREATE TABLE text (id VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, n INT)
                 ENGINE=MyISAM"
        ));
        let list = |rows: i64| (0..rows).map(|id| format!("({id})")).collect::<Vec<_>>().join(",");
        rig.trio.sql_source(&format!("INSERT INTO many VALUES {}", list(30_000)));
        rig.trio.sql_source(&format!("INSERT INTO slow (id) VALUES {}", list(1_500)));
        rig.trio.sql_source("INSERT INTO text SELECT CONCAT('é', id), id FROM slow");
        check_window(rig, "many", "id", "id", 10, 25_000);
        check_window(rig, "many", "id", "id", 100, 1_600);
        check_window(rig, "slow", "id", "changed", 10, 1_200);
        check_window(rig, "text", "n", "n", 1_000, 5_000);
        check_window(rig, "text", "n", "n", 5_000, 6_000);
    });
}

/// Reads the rows of `table` whose `watermark` is from `from` to below `below`.
#[track_caller]
fn check_window(rig: &Rig, table: &str, id: &str, watermark: &str, from: i64, below: i64) {
    let mut schema = rig.schema(table);
    first_range(&mut schema, 70);
    let bound = WatermarkWindow {
        column: ColumnName::new(watermark).unwrap(),
        from: Watermark::Integer(from.into()),
        below: Some(Watermark::Integer(below.into())),
    };
    let filter = RowFilter::Changed { bounds: vec![bound], nulls: Vec::new() };
    let mut sink = Ids::default();
    rig.read(&schema, &[format!("`{id}`")], &filter, Locking::Ranges, &mut sink).unwrap();
    sink.ids.sort_unstable();
    let rows = i64::try_from(schema.rows).unwrap();
    assert_eq!(sink.ids, (from.min(rows)..below.min(rows)).collect::<Vec<_>>(), "{table}");
}
