//! Definitions that a server may print and that a replica need not have: each arrives, is merged, proved
//! and compared.

use crate::etl::Etl;
use handoff_testbed::{Bed, MariaDb, MySql9, ServerOptions, Trio};
use mysql::prelude::Queryable;
use serde_json::Value;
use std::fmt::Write as _;

const MARIADB: &str = "
    SET sql_mode = '';
    CREATE SEQUENCE sq;
    CREATE TABLE sqd (id BIGINT DEFAULT NEXTVAL(sq) PRIMARY KEY, at INT, a INT DEFAULT (1 + 2), b INT DEFAULT (at),
        u UUID DEFAULT UUID(), t TIMESTAMP, d DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        x VARBINARY(3) DEFAULT X'E9', `we``ird, (\"name\")` INT COMMENT 'a /*! b */ ''c'' AUTO_INCREMENT', `select` INT);
    CREATE TABLE ver (id INT, at INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START,
        e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e), PRIMARY KEY (id), UNIQUE KEY (at))
        WITH SYSTEM VERSIONING;
    CREATE TABLE app (id INT, at INT, s DATE, e DATE, PERIOD FOR p (s, e), PRIMARY KEY (id, p WITHOUT OVERLAPS));
    CREATE TABLE packed (id INT PRIMARY KEY, at INT, c VARCHAR(2000) COMPRESSED CHARACTER SET utf8mb3, b BLOB COMPRESSED)
        ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4 STATS_PERSISTENT=1 COMMENT='ENGINE=FEDERATED';
    CREATE TABLE paged (id INT PRIMARY KEY, at INT) PAGE_COMPRESSED=1 STATS_AUTO_RECALC=0 AVG_ROW_LENGTH=9;
    CREATE TABLE parts (id INT PRIMARY KEY, at INT) PARTITION BY RANGE (id)
        (PARTITION p0 VALUES LESS THAN (10) COMMENT = 'x', PARTITION p1 VALUES LESS THAN MAXVALUE);
    CREATE TABLE checked (id INT PRIMARY KEY, at INT CHECK (at <> 'x'), j JSON, CONSTRAINT c CHECK (LENGTH(j) > id OR 1),
        CONSTRAINT tied FOREIGN KEY (at) REFERENCES checked (id));
    CREATE TABLE indexed (id INT PRIMARY KEY, at INT, b TEXT, l TEXT, g POINT NOT NULL DEFAULT POINT(1, 2), v INT AS (at + 1),
        i INT INVISIBLE NOT NULL DEFAULT (UUID_SHORT() % 7), KEY k (at) IGNORED, FULLTEXT KEY f (b), SPATIAL KEY s (g),
        UNIQUE KEY lu (l), KEY v (v));
    CREATE TABLE counted (id INT, at INT, n INT AUTO_INCREMENT, PRIMARY KEY (id, n)) ENGINE=MyISAM;
    CREATE TABLE aria (id INT PRIMARY KEY, at INT) ENGINE=Aria TRANSACTIONAL=0 PAGE_CHECKSUM=1;
    CREATE TABLE Patient (id INT PRIMARY KEY, at INT)";

const MYSQL9: &str = "
    CREATE TABLE odd (id INT PRIMARY KEY, at INT, j JSON, a VARCHAR(20) DEFAULT (CONCAT('a', 'b')) COMMENT 'a /*! b */',
        i INT DEFAULT 3 INVISIBLE, p POINT NOT NULL SRID 4326 DEFAULT (ST_GeomFromText('POINT(1 2)', 4326)),
        x BINARY(2) DEFAULT X'FFF0', t TEXT DEFAULT ('q'), e ENUM('a', 'b') CHARACTER SET binary COLUMN_FORMAT DYNAMIC,
        n INT NOT SECONDARY, g INT AS (id * 2) STORED NOT NULL, v VARCHAR(30) AS (CONCAT(a, 'x')),
        c INT CHECK (c > 3), KEY f ((id + 1)), KEY m ((CAST(j->'$' AS UNSIGNED ARRAY))), KEY k (a DESC, at) INVISIBLE,
        SPATIAL KEY s (p), FULLTEXT KEY ft (a) WITH PARSER ngram, UNIQUE KEY u (g), CONSTRAINT c2 CHECK (at > 0))
        STATS_PERSISTENT=1 COMMENT='CONNECTION=''x''' AUTOEXTEND_SIZE=4M SECONDARY_ENGINE=rapid;
    CREATE TABLE parts (id INT PRIMARY KEY, at INT) PARTITION BY RANGE (id) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
        (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
    CREATE TABLE keyless (a INT, at INT);
    CREATE TABLE half (id INT NOT NULL AUTO_INCREMENT, at INT, UNIQUE KEY (id)) ENGINE=MyISAM";

/// Tables of which the changed rows alone are moved.
const MERGED: &[&str] = &[
    "sqd", "ver", "app", "packed", "paged", "parts", "checked", "indexed", "counted", "aria",
    "Patient", "odd", "half",
];

/// The settings, with a watermark for each table that has a key.
fn settings(trio: &Trio) -> String {
    let mut toml = trio.settings_toml();
    let there: Vec<String> = trio.source().query("SHOW TABLES").unwrap();
    for table in MERGED.iter().filter(|table| there.iter().any(|name| name == **table)) {
        let entry = "extraction = \"incremental\"\nwatermark = [\"at\"]";
        write!(toml, "\n[tables.{table}]\n{entry}\n").unwrap();
    }
    toml
}

/// Runs twice, with a row more in between, and fails unless that row alone was moved and everything is
/// equal.
#[track_caller]
fn check(trio: &Trio, more: &str) {
    let etl = Etl::with(&settings(trio));
    etl.ok(&["run", "--prove"]);
    etl.ok(&["verify"]);
    trio.sql_source(more);
    let report: Value =
        serde_json::from_str(&etl.ok(&["run", "--prove", "--json"]).stdout).unwrap();
    for table in report["tables"].as_array().unwrap() {
        let name = table["table"].as_str().unwrap();
        if MERGED.contains(&name) {
            assert_eq!(table["plan"]["reason"], "watermark", "{table}");
        }
        assert_eq!(table["proof"]["verdict"], "equal", "{table}");
    }
    etl.ok(&["verify"]);
    etl.ok(&["repair"]);
}

#[test]
fn definitions_of_mariadb_arrive() {
    let options = ServerOptions {
        arguments: vec!["--sql-safe-updates=1".to_owned()],
        ..ServerOptions::default()
    };
    let (bed, server) = (Bed::shared(), MariaDb::start(&options).unwrap());
    let trio = Trio::on("definitions", bed.source(), server.endpoint(), bed.target());
    trio.sql_source(MARIADB);
    let rows = |id: u32| {
        format!(
            "SET sql_mode = ''; INSERT INTO sqd (at) VALUES ({id}); INSERT INTO ver (id, at) VALUES ({id}, {id});
             INSERT INTO app VALUES ({id}, {id}, '2020-01-0{id}', '2020-02-01'); INSERT INTO packed VALUES ({id}, {id}, 'ä', 'b');
             INSERT INTO paged VALUES ({id}, {id}); INSERT INTO parts VALUES ({id}, {id}); INSERT INTO aria VALUES ({id}, {id});
             INSERT INTO checked VALUES ({id}, {id}, '{{\"a\": {id}}}'); INSERT INTO indexed (id, at, b, l) VALUES ({id}, {id}, 'b', '{id}');
             INSERT INTO counted (id, at) VALUES (1, {id}); INSERT INTO Patient VALUES ({id}, {id})"
        )
    };
    trio.sql_source(&rows(1));
    trio.sql_source(&rows(2));
    check(&trio, &format!("{}; UPDATE ver SET at = 4 WHERE id = 2", rows(3)));
    let folders: Vec<String> = trio
        .replica()
        .query("SELECT CREATE_OPTIONS FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'parts'")
        .unwrap();
    assert_eq!(folders, [""]);
}

#[test]
fn definitions_of_mysql_9_arrive_whatever_the_replica_demands() {
    let start = || MySql9::start(&ServerOptions::default());
    let (Ok(one), Ok(two)) = (start(), start()) else { return };
    let set = |server: &MySql9, sql: &str| server.admin().unwrap().query_drop(sql).unwrap();
    let rows = |id: u32| {
        format!(
            "INSERT INTO odd (id, at, j, a, c) VALUES ({id}, {id}, '[{id}]', 'abc', 4); INSERT INTO parts VALUES ({id}, {id});
             INSERT INTO keyless VALUES ({id}, {id}), ({id}, {id}); INSERT INTO half (at) VALUES ({id})"
        )
    };
    for demand in ["sql_require_primary_key", "sql_generate_invisible_primary_key"] {
        set(&two, &format!("SET GLOBAL {demand} = ON"));
        let target = Bed::shared().target();
        let trio = Trio::on("definitions 9", one.endpoint(), two.endpoint(), target);
        trio.sql_source(&format!("{MYSQL9}; {}; {}", rows(1), rows(2)));
        check(&trio, &rows(3));
        assert_eq!((trio.rows("keyless").len(), trio.rows("keyless")[0].len()), (6, 2), "{demand}");
        set(&two, &format!("SET GLOBAL {demand} = OFF"));
    }
    // A key that the source's server made by itself, shown or not.
    let trio = Trio::on("definitions gipk", one.endpoint(), two.endpoint(), Bed::shared().target());
    trio.sql_source(
        "SET sql_generate_invisible_primary_key = ON; CREATE TABLE made (a INT); INSERT INTO made VALUES (1), (1)",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run", "--prove"]);
    set(&one, "SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF");
    trio.sql_source("INSERT INTO made VALUES (1)");
    etl.ok(&["run", "--prove"]);
    etl.ok(&["verify"]);
    assert_eq!(trio.rows("made").len(), 3);
}

#[test]
fn a_replica_that_folds_case_finds_its_tables_again() {
    // With 2 a server on a file system of Linux behaves as with 0.
    let arguments = vec!["--lower-case-table-names=1".to_owned()];
    let server = MariaDb::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on("folded case", bed.source(), server.endpoint(), bed.target());
    trio.sql_source(
        "CREATE TABLE Patient (id INT PRIMARY KEY, at INT); INSERT INTO Patient VALUES (1, 1), (2, 2)",
    );
    check(&trio, "INSERT INTO Patient VALUES (3, 3)");
    let etl = Etl::new(&trio);
    for _ in 0..2 {
        etl.ok(&["run", "--full", "--prove"]);
        assert!(!etl.ok(&["status"]).stdout.contains("missing"));
    }
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let said = "are one table to the replica's server (lower_case_table_names)";
    assert!(etl.run(&["check"]).stdout.contains(said));
    assert!(etl.exits(1, &["plan"]).stdout.contains(said));
    assert!(etl.exits(1, &["run"]).stdout.contains(said));
    // Before anything was carried as well.
    let empty = Trio::on("folded names", bed.source(), server.endpoint(), bed.target());
    empty.sql_source("CREATE TABLE A (id INT PRIMARY KEY); CREATE TABLE a (id INT PRIMARY KEY)");
    let first = Etl::new(&empty);
    assert!(first.run(&["check"]).stdout.contains(said));
    assert!(first.exits(1, &["plan"]).stdout.contains(said));
    assert!(first.exits(1, &["run"]).stdout.contains(said));
    let apart = trio.settings_toml() + "\n[run]\nexclude = [\"patient\"]\n";
    Etl::with(&apart).ok(&["run", "--prove"]);
    assert_eq!(trio.rows("Patient").len(), 3);
}

#[test]
fn a_value_that_no_key_can_hold_is_carried_as_the_error_says() {
    let trio = Trio::new("odd keys");
    trio.sql_source(
        "SET sql_mode = ''; CREATE TABLE dated (k DATETIME PRIMARY KEY, a INT) ENGINE=MyISAM;
         INSERT INTO dated VALUES ('0000-00-00', 1), ('2020-00-01', 2), ('2020-01-01', 3);
         CREATE TABLE nul (k VARCHAR(9) PRIMARY KEY, a INT); INSERT INTO nul VALUES ('a\\0', 1), ('a', 2)",
    );
    let etl = Etl::new(&trio);
    let done = etl.exits(1, &["run", "dated", "nul"]);
    let mut toml = trio.settings_toml();
    for (table, line) in
        [("dated", "columns = { k = \"text\" }"), ("nul", "columns = { k = \"bytea\" }")]
    {
        assert!(
            done.stdout.contains(&format!("`{line}` under [tables.{table}]")),
            "{}",
            done.stdout
        );
        write!(toml, "\n[tables.{table}]\n{line}\n").unwrap();
    }
    let etl = Etl::with(&toml);
    for _ in 0..2 {
        etl.ok(&["run", "dated", "nul", "--prove"]);
        etl.ok(&["verify", "dated", "nul"]);
    }
    let keys: Vec<_> = trio.rows("dated").into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(keys, ["0000-00-00 00:00:00", "2020-00-01 00:00:00", "2020-01-01 00:00:00"]);
    assert_eq!(trio.rows("nul").len(), 2);
}
