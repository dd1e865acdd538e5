//! What the replica carries of a table's structure.

use super::Pair;
use mysql::prelude::Queryable;

#[test]
fn foreign_keys_triggers_and_history_stay_behind_and_are_listed() {
    let pair = Pair::new("replicator structure");
    pair.trio.sql_source(
        "CREATE TABLE parent (id INT PRIMARY KEY);
         INSERT INTO parent VALUES (1);
         CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT fk1 FOREIGN KEY (p) REFERENCES parent (id),
             CONSTRAINT positive CHECK (id > 0));
         INSERT INTO child VALUES (5, 1);
         CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW SET NEW.p = 1;",
    );
    // Made anew, since the triggers are listed once a run.
    let pair = Pair::of(
        pair.trio,
        handoff_model::CancelToken::new(),
        std::sync::Arc::new(handoff_model::NopObserver),
    );
    let notes = pair.check("child").notes;
    let fk = "the foreign key `fk1` is left out".to_owned();
    // Whether the reading account sees triggers is the source's affair.
    assert_eq!(notes.first(), Some(&fk));
    let shown = show(&pair, "child");
    assert!(!shown.contains("FOREIGN") && !shown.contains("CHECK"), "{shown}");
}

#[test]
fn a_versioned_table_arrives_with_its_current_rows_and_their_times() {
    let pair = Pair::new("replicator versioned");
    pair.trio.sql_source(
        "CREATE TABLE v (id INT PRIMARY KEY, a INT,
             rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE,
             re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re))
             WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME LIMIT 100 PARTITIONS 3;
         INSERT INTO v (id, a) VALUES (1, 1), (2, 2);
         UPDATE v SET a = 3 WHERE id = 1; DELETE FROM v WHERE id = 2;
         CREATE TABLE w (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING;
         INSERT INTO w VALUES (1, 1), (2, 2); UPDATE w SET a = 3",
    );
    for (table, rows) in [("v", 1), ("w", 2)] {
        for _ in 0..2 {
            let outcome = pair.copy(table).unwrap();
            assert_eq!(outcome.figures.rows, rows);
            assert_eq!(outcome.notes, ["the history of the rows is left out"]);
            pair.check_equal(table);
        }
        let sums = pair.row_sums(table);
        assert_eq!(sums.source, sums.replica, "{table}");
        pair.trio.sql_replica(&format!("UPDATE {table} SET a = a + 1 WHERE id = 1"));
        let sums = pair.row_sums(table);
        assert_ne!(sums.source, sums.replica, "{table}");
    }
}

#[test]
fn a_default_of_any_bytes_is_no_obstacle() {
    let pair = Pair::new("replicator defaults");
    pair.trio.sql_source(
        "CREATE TABLE t (a BINARY(2) DEFAULT X'FFF0', b VARBINARY(3) DEFAULT X'E9',
             c VARCHAR(1) CHARACTER SET utf8mb4 DEFAULT '😀' COMMENT '😀', d INT) ENGINE=MyISAM;
         INSERT INTO t (d) VALUES (1)",
    );
    assert_eq!(pair.check("t").figures.rows, 1);
}

#[test]
fn a_label_that_the_server_does_not_tell_fails_the_table() {
    let pair = Pair::new("replicator labels");
    pair.trio.sql_source(
        "CREATE TABLE t (a ENUM('x', 'what?', '☃'), b SET('😀', 'y')) ENGINE=InnoDB CHARSET=utf8mb4;
         INSERT INTO t VALUES ('what?', 'y'), ('☃', '')",
    );
    // The label is there, but nobody uses it.
    assert_eq!(pair.check("t").figures.rows, 2);
    pair.trio.sql_source("INSERT INTO t VALUES ('x', 'y,😀')");
    let error = pair.copy("t").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`t`.`b` has a label with a character beyond U+FFFF, which the source's server does not \
         tell, so the replica cannot have it: leave out [replica], or rename the label"
    );
}

#[test]
fn indexes_that_come_after_the_rows_are_all_there() {
    let pair = Pair::new("replicator indexes");
    pair.trio.sql_source(
        "CREATE TABLE big (id INT AUTO_INCREMENT, a INT, b VARCHAR(60), c TEXT,
             g INT AS (a * 2) VIRTUAL, PRIMARY KEY (b), UNIQUE KEY u (a, b), KEY (id), KEY `k (` (b(3)),
             KEY g (g), FULLTEXT KEY f (c)) ENGINE=InnoDB;
         INSERT INTO big (a, b, c) SELECT seq, MD5(seq), REPEAT('word ', 8) FROM seq_1_to_30000;
         ANALYZE TABLE big",
    );
    let described = pair.describe(handoff_connect::Side::Source, "big").unwrap();
    assert!(described.rows > 20_000, "the estimate is {}", described.rows);
    assert_eq!(pair.check("big").figures.rows, 30_000);
    let mut indexes = [handoff_connect::Side::Source, handoff_connect::Side::Replica].map(|side| {
        let mut indexes = pair.describe(side, "big").unwrap().indexes;
        indexes.sort_by(|a, b| a.name.cmp(&b.name));
        indexes
    });
    assert_eq!(indexes[0].len(), 6);
    let replica = std::mem::take(&mut indexes[1]);
    assert_eq!(indexes[0], replica);
}

fn show(pair: &Pair, table: &str) -> String {
    let row: Option<(String, String)> =
        pair.trio.replica().query_first(format!("SHOW CREATE TABLE {table}")).unwrap();
    row.unwrap().1
}
