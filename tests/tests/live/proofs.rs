//! Every run ends with its proof: what it compared, by what, and what came of it.

use crate::etl::Etl;
use crate::incremental::{BY_S, Rig, check, table};
use crate::types;
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use mysql::prelude::Queryable;
use serde_json::Value;

const CHARSETS: &str = "SET NAMES utf8mb4; CREATE TABLE t (id INT PRIMARY KEY, \
     l VARCHAR(50) CHARACTER SET latin1, u TEXT CHARACTER SET utf8mb3, a CHAR(9) CHARACTER SET ascii, \
     g VARCHAR(50) CHARACTER SET gbk, c CHAR(9) CHARACTER SET utf8mb4, \
     e ENUM('é', 'a', '') CHARACTER SET latin1, s SET('ü', 'x') CHARACTER SET utf8mb3, \
     j JSON, v VARCHAR(99) AS (CONCAT(l, u)) VIRTUAL, b BINARY(4), f FLOAT, d DOUBLE) ENGINE=§; \
     INSERT INTO t (id, l, u, a, g, c, e, s, j, b, f, d) VALUES \
     (1, 'Ärger €', 'naïve  ', 'a ', '中文', 'ß   ', 'é', 'ü,x', '{\"b\": 1.50, \"a\": [\"é\"]}', 'x', 0.1, -0.0), \
     (2, '', '', '', '', '', '', '', '[]', '', 1e-38, 1e300), \
     (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";

/// Fails unless both hops read the same, and said so.
#[track_caller]
fn is_equal_by_sums(table: &Value, covers: &str) {
    let proof = &table["proof"];
    let found = [&proof["verdict"], &proof["by"], &proof["covers"]].map(|text| text.as_str());
    assert_eq!(found, [Some("equal"), Some("sums"), Some(covers)], "{table}");
    assert!(proof["source_sum"].is_string(), "{table}");
    assert_eq!(proof["source_sum"], proof["read_sum"], "{table}");
}

/// Runs twice what has every type, and fails unless both hops take the same sums.
#[track_caller]
fn sums_agree(trio: &Trio) {
    for again in [false, true] {
        let arguments: &[&str] =
            if again { &["run", "--full", "--json"] } else { &["run", "--json"] };
        let done = Etl::new(trio).ok(arguments);
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        for table in report["tables"].as_array().unwrap() {
            is_equal_by_sums(table, "table");
            // A small table that did not change is compared with the target on its way.
            let target = &table["proof"]["target_sum"];
            assert_eq!(target == &table["proof"]["read_sum"], again, "{table}");
        }
    }
}

#[test]
fn both_hops_take_one_sum_of_every_type() {
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("proof types");
        types::make_mariadb(&trio, engine);
        trio.sql_source(&CHARSETS.replace('§', engine));
        sums_agree(&trio);
        let done = Etl::new(&trio).ok(&["run"]);
        let end = "2 of 2 tables arrived, 2 equal by the sums of the moved rows\n";
        assert!(done.stdout.ends_with(end), "{}", done.stdout);
        let done = Etl::new(&trio).ok(&["status"]);
        assert!(done.stdout.contains("equal by sums"), "{}", done.stdout);
        let records = "SELECT count(*) FROM raw.etl_load_status WHERE proof = 'equal' AND \
             proof_by = 'sums' AND proof_detail->>'covers' = 'table' AND \
             proof_detail->>'source_sum' = checksum";
        assert_eq!(trio.target().query_one(records, &[]).unwrap().get::<_, i64>(0), 2);
    }
}

#[test]
fn both_hops_take_one_sum_of_every_type_of_mysql_9() {
    let start = || MySql9::start(&ServerOptions::default());
    let (Ok(one), Ok(two)) = (start(), start()) else { return };
    // The rows then arrive by prepared statements.
    two.admin().unwrap().query_drop("SET GLOBAL local_infile = 0").unwrap();
    let trio = Trio::on("proof mysql 9", one.endpoint(), two.endpoint(), Bed::shared().target());
    trio.sql_source(&types::statements("InnoDB", &[types::COMMON, types::MYSQL9]).0);
    trio.sql_source(&CHARSETS.replace('§', "InnoDB"));
    sums_agree(&trio);
}

const STAMPED: &str = "CREATE TABLE t (id INT PRIMARY KEY, n INT, s TIMESTAMP NOT NULL, KEY (s)); \
     INSERT INTO t SELECT seq, seq, '2024-01-01' + INTERVAL seq SECOND FROM seq_1_to_100";

#[test]
fn a_window_is_compared_and_what_the_counts_hide_is_found() {
    let rig = Rig::new("proof window", STAMPED, BY_S);
    is_equal_by_sums(&rig.run(&["run"]), "table");
    rig.trio.sql_source("UPDATE t SET n = 0, s = NOW() WHERE id = 7");
    let table = rig.moves("incremental", "watermark", 1);
    is_equal_by_sums(&table, "moved_rows");
    assert_eq!(table["proof"]["target_rows"], 100);
    // One row of the window goes and an old one comes: the counts are the same.
    rig.trio.sql_source("DELETE FROM t WHERE id = 7; INSERT INTO t VALUES (999, 1, '2020-01-01')");
    let table = rig.run(&["run"]);
    check(&table, "full_table", "rows_differed");
    is_equal_by_sums(&table, "table");
    rig.is_equal();
}

#[test]
fn counts_alone_can_be_asked_for() {
    let settings = format!("[run]\nproof = \"counts\"\n{BY_S}");
    let rig = Rig::new("proof counts", STAMPED, &settings);
    let table = rig.run(&["run"]);
    assert_eq!(
        (&table["proof"]["by"], &table["proof"]["target_rows"]),
        (&"counts".into(), &100.into())
    );
    rig.trio.sql_source("UPDATE t SET n = 0, s = NOW() WHERE id = 7");
    let table = rig.moves("incremental", "watermark", 1);
    assert_eq!(
        (&table["proof"]["by"], &table["proof"]["verdict"]),
        (&"counts".into(), &"same_count".into())
    );
    assert_eq!(table["proof"]["source_sum"], Value::Null);
}

#[test]
fn one_hop_alone_says_what_it_knows() {
    let rig = Rig::new("proof hops", STAMPED, "");
    rig.etl.ok(&["run"]);
    let copied = table(&rig.etl.ok(&["replicate", "--json"]));
    assert_eq!(
        (&copied["proof"]["by"], &copied["proof"]["source_rows"]),
        (&"counts".into(), &100.into())
    );
    let loaded = table(&rig.etl.ok(&["load", "--json"]));
    assert_eq!(loaded["proof"]["verdict"], "equal", "{loaded}");
    assert_eq!(loaded["proof"]["source_sum"], Value::Null);
    assert_eq!(loaded["proof"]["target_sum"], loaded["proof"]["read_sum"]);
}
