//! Planted differences, random by a printed seed.

use super::{changes, of, repair};
use crate::diff::{compared, is_equal, moved, run};
use crate::verify::planted::{KEYS, Key, Random, each, make, where_each, with};
use crate::verify::{carry, direct_settings, settings};
use handoff_pipeline::{RepairRequest, RepairStatus, RepairWay};
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};

const ROWS: u32 = 2_000;

/// The most rows of each kind that are planted.
const MOST: u32 = 40;

/// Plants missing, stale and phantom rows in the target, and other ones in the replica: of each kind at
/// least one and `most` at most, and always the first and the last row of the table. Returns how many
/// of each the target has then, and the replica.
pub fn plant(
    trio: &Trio,
    key: &Key,
    random: &mut Random,
    (rows, most): (u32, u32),
    has_replica: bool,
) -> [[u64; 3]; 2] {
    let sizes = [(); 4].map(|()| 1 + random.below(most) as usize);
    let numbers = random.different(sizes.iter().sum(), rows);
    let mut rest = &numbers[..];
    let [missing, stale, lost, old] = sizes.map(|count| {
        let (now, later) = rest.split_at(count);
        rest = later;
        now
    });
    let phantom: Vec<u32> = (1..=1 + random.below(most)).map(|number| rows + number).collect();
    let table = key.name;
    let target = [
        where_each(key, key.target, missing, |row| format!("DELETE FROM raw.{table} WHERE {row}")),
        where_each(key, key.target, stale, |row| {
            format!("UPDATE raw.{table} SET amount = -amount WHERE {row}")
        }),
        each(&phantom, |n| {
            format!("INSERT INTO raw.{table} VALUES ({}, 'phantom', {n})", with(key.insert, n))
        }),
    ];
    target.concat().iter().for_each(|statements| trio.sql_target(statements));
    let in_target = [missing.len(), stale.len(), phantom.len()].map(|rows| rows as u64);
    if !has_replica {
        return [in_target, [0; 3]];
    }
    let late = rows + most;
    let replica = [
        where_each(key, key.replica, lost, |row| format!("DELETE FROM {table} WHERE {row}")),
        where_each(key, key.replica, old, |row| {
            format!("UPDATE {table} SET note = 'other' WHERE {row}")
        }),
        vec![format!(
            "INSERT INTO {table} SELECT {}, 'late', 1 FROM seq_{}_to_{}",
            key.value,
            late + 1,
            late + 3
        )],
    ];
    for statements in replica.concat() {
        trio.sql_replica(&format!("SET NAMES utf8mb4; {statements}"));
    }
    [in_target, [lost.len() as u64, old.len() as u64, 3]]
}

#[test]
fn every_planted_row_is_mended() {
    let mut random = Random::new();
    println!("HANDOFF_SEED={} repeats this", random.0);
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("repair planted");
        KEYS.iter().for_each(|key| make(&trio, key, engine, ROWS));
        let settings = settings(&trio);
        carry(&settings);
        let planted: Vec<_> =
            KEYS.iter().map(|key| plant(&trio, key, &mut random, (ROWS, MOST), true)).collect();
        let report = repair(&settings, &RepairRequest::default());
        assert!(report.ok, "{report:#?}");
        for (key, [[missing, stale, phantom], [lost, old, late]]) in KEYS.iter().zip(planted) {
            let table = of(&report, key.name);
            assert_eq!(table.status, RepairStatus::Repaired, "{}", key.name);
            if key.key.is_empty() {
                assert_eq!(table.way, Some(RepairWay::FullCopy));
                assert!(
                    table.notes.iter().any(|note| note.contains("it has no key")),
                    "{table:#?}"
                );
                continue;
            }
            assert_eq!(table.way, Some(RepairWay::Rows), "{}", key.name);
            let done = [(lost, old, late), (missing, stale, phantom)];
            assert_eq!(changes(table), done, "{}", key.name);
            // Nothing but the rows that differ was read again.
            let read = table.load.as_ref().unwrap().rows_loaded;
            assert_eq!(read, missing + stale + lost + old, "{}", key.name);
        }
        // Every row was compared, and counted on the way.
        let records = "SELECT count(*) FROM raw.etl_load_status WHERE proof = 'equal' AND \
             proof_by = 'rows' AND source_rows = replica_rows AND source_rows = target_rows";
        let recorded: i64 = trio.target().query_one(records, &[]).unwrap().get(0);
        assert_eq!(recorded, KEYS.len() as i64);
        is_equal(&settings);
        let again = repair(&settings, &RepairRequest::default());
        assert!(again.ok && again.tables.iter().all(|table| table.status == RepairStatus::Equal));
        assert!(again.tables.iter().all(|table| table.copy.is_none() && table.load.is_none()));
    }
}

#[test]
fn without_a_replica_the_target_is_mended() {
    let mut random = Random::new();
    println!("HANDOFF_SEED={} repeats this", random.0);
    let trio = Trio::new("repair direct");
    for (index, key) in KEYS.iter().enumerate() {
        make(&trio, key, ["InnoDB", "MyISAM"][index % 2], ROWS);
    }
    let settings = direct_settings(&trio);
    carry(&settings);
    for key in KEYS {
        let [[missing, stale, phantom], _] = plant(&trio, key, &mut random, (ROWS, MOST), false);
        let tables = vec![handoff_model::TableName::new(key.name).unwrap()];
        let report = repair(&settings, &RepairRequest { tables, ..RepairRequest::default() });
        assert!(report.ok, "{report:#?}");
        if !key.key.is_empty() {
            assert_eq!(changes(&report.tables[0]), [(0, 0, 0), (missing, stale, phantom)]);
        }
    }
    is_equal(&settings);
}

#[test]
fn mysql_9_is_mended() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => return eprintln!("not run: {error}"),
        Err(error) => panic!("{}", error.chain()),
    };
    let my = server.endpoint();
    let trio = Trio::on("repair mysql 9", my, my, Bed::shared().target());
    for (name, kind, value) in [
        ("k_int", "INT", "n"),
        ("k_text", "VARCHAR(40)", "CONCAT('Ärger ', n)"),
        ("k_latin", "VARCHAR(40) CHARACTER SET latin1", "CONCAT('Öl ', n)"),
        ("k_decimal", "DECIMAL(30,10)", "n * 0.0000000007"),
        ("k_binary", "BINARY(8)", "UNHEX(LEFT(SHA2(n, 256), 16))"),
        ("k_time", "DATETIME(6)", "'2024-01-01' + INTERVAL n MICROSECOND"),
    ] {
        trio.sql_source(&format!(
            "SET NAMES utf8mb4, cte_max_recursion_depth = 10000;
             CREATE TABLE {name} (id {kind} PRIMARY KEY, u INT UNIQUE, j JSON);
             INSERT INTO {name} WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s
                 WHERE n < 900) SELECT {value}, n, JSON_OBJECT('a', n) FROM s"
        ));
    }
    let settings = settings(&trio);
    carry(&settings);
    for table in ["k_int", "k_text", "k_latin", "k_decimal", "k_binary", "k_time"] {
        trio.sql_target(&format!(
            "DELETE FROM raw.{table} WHERE u IN (1, 900); UPDATE raw.{table} SET j = NULL WHERE u = 5"
        ));
        trio.sql_replica(&format!(
            "DELETE FROM {table} WHERE u IN (2, 3); UPDATE {table} SET u = -u WHERE u IN (10, 11);
             UPDATE {table} SET u = 11 WHERE u = -10; UPDATE {table} SET u = 10 WHERE u = -11"
        ));
    }
    let report = repair(&settings, &RepairRequest::default());
    assert!(report.ok, "{report:#?}");
    for table in &report.tables {
        assert_eq!(changes(table), [(2, 2, 0), (2, 1, 0)], "{}", table.table);
    }
    is_equal(&settings);

    let names: Vec<&str> = report.tables.iter().map(|table| table.table.as_str()).collect();
    let settings = compared(settings, &names);
    for table in names {
        trio.sql_source(&format!(
            "UPDATE {table} SET j = '[1, 2.50]' WHERE u = 20; DELETE FROM {table} WHERE u IN (1, 900)"
        ));
    }
    for table in run(&settings).tables {
        moved(&table, "diff", "compared", (0, 1, 2));
    }
    is_equal(&settings);
}

#[test]
fn a_row_that_mysql_could_never_hold_goes_from_the_target() {
    let trio = Trio::new("repair odd");
    trio.sql_source(
        "CREATE TABLE d (id DATE PRIMARY KEY); INSERT INTO d VALUES ('2024-01-01'), ('2024-01-02'),
             ('2024-01-03'), ('2024-01-04'), ('2024-01-05');
         CREATE TABLE t (id VARCHAR(5) CHARACTER SET latin1 PRIMARY KEY);
         INSERT INTO t VALUES ('a'), ('b'), ('c'), ('d'), ('e')",
    );
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_target("INSERT INTO raw.d VALUES ('infinity'); INSERT INTO raw.t VALUES ('日本')");
    let report = repair(&settings, &RepairRequest::default());
    assert!(report.ok, "{report:#?}");
    assert_eq!(changes(of(&report, "d")), [(0, 0, 0), (0, 0, 1)]);
    assert_eq!(changes(of(&report, "t")), [(0, 0, 0), (0, 0, 1)]);
}
