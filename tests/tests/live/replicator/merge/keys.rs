//! Which rows a changed row replaces.

use super::{ENGINES, Pair, counts, since};
use handoff_replicator::Error;
use mysql::prelude::Queryable;

#[test]
fn two_rows_swap_a_unique_value() {
    let pair = Pair::new("replicator merge swap");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, u INT, v VARCHAR(9), at INT,
                 UNIQUE KEY (u), UNIQUE KEY (v, u)) ENGINE={engine};
             INSERT INTO t VALUES (1, 10, 'a', 0), (2, 20, 'b', 0), (3, 30, 'c', 0), (4, 40, 'd', 0)"
        ));
        pair.trio.sql_source(
            "UPDATE t SET u = NULL, at = 1 WHERE id IN (1, 2, 3);
             UPDATE t SET u = IF(id = 1, 20, IF(id = 2, 30, 10)) WHERE id < 4;
             INSERT INTO t VALUES (5, 50, 'e', 1)",
        );
        let outcome = pair.merge("t", &since("at", 1));
        assert_eq!(counts(&outcome), (1, 3, 0), "{engine}");
        assert_eq!(counts(&pair.merge("t", &since("at", 1))), (0, 0, 4), "{engine}");
    }
}

#[test]
fn a_unique_value_of_a_row_that_is_gone_asks_for_a_full_copy() {
    let pair = Pair::new("replicator merge phantom");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, u INT, at INT, UNIQUE KEY uni (u)) ENGINE={engine};
             INSERT INTO t VALUES (1, 10, 0), (2, 20, 0), (3, 30, 0)"
        ));
        pair.trio.sql_source(
            "DELETE FROM t WHERE id = 2; UPDATE t SET at = 1 WHERE id = 1;
             UPDATE t SET u = 20, at = 1 WHERE id = 3",
        );
        let error = pair.try_merge("t", &since("at", 1)).unwrap_err();
        assert!(error.is_merge_conflict() && !error.is_transient(), "{error}");
        assert_eq!(error.table().unwrap().as_str(), "t");
        assert_eq!(
            error.to_string(),
            "the changed rows of `t` collide with rows that were not read (unique key `uni`): copy it \
             in full (etl run t --full)"
        );
        if engine == "InnoDB" {
            let rows: Vec<(u8, u8, u8)> = pair.trio.replica().query("SELECT * FROM t").unwrap();
            assert_eq!(rows, [(1, 10, 0), (2, 20, 0), (3, 30, 0)]);
        }
        assert_eq!(pair.replicator.leftovers().unwrap(), []);
        pair.check("t");
    }
}

#[test]
fn keys_are_told_apart_as_the_index_does() {
    let pair = Pair::new("replicator merge keys");
    for engine in ENGINES {
        // The label '' and the number 0, which is none, are one text.
        pair.start(&format!(
            "CREATE TABLE t (a VARCHAR(9) NOT NULL, e ENUM('x', '') NOT NULL, f FLOAT NOT NULL,
                 d DATE NOT NULL, at INT, PRIMARY KEY (a, e, f, d)) ENGINE={engine};
             SET sql_mode = 'ALLOW_INVALID_DATES';
             INSERT INTO t VALUES ('a', '', 0, '2023-02-31', 0), ('b', '', 0, '0000-00-00', 0),
                 ('c', '', 1.1, '2023-00-00', 0);
             INSERT INTO t SELECT a, 0, f, d, 0 FROM t"
        ));
        pair.trio.sql_source(
            "SET sql_mode = 'ALLOW_INVALID_DATES';
             UPDATE t SET a = 'A', f = -0e0, at = 1 WHERE a = 'a' AND e = 2;
             UPDATE t SET a = 'B', at = 1 WHERE a = 'b' AND e = 0;
             UPDATE t SET at = 1 WHERE a = 'c' AND e = 2;
             INSERT INTO t VALUES ('ä', '', 7, '2023-02-31', 1), ('c', '', 7, '2023-02-30', 1)",
        );
        let outcome = pair.merge("t", &since("at", 1));
        assert_eq!(counts(&outcome), (2, 3, 0), "{engine}");
    }
}

#[test]
fn tables_of_odd_make_are_merged() {
    let pair = Pair::new("replicator merge odd");
    for create in [
        "(id INT, at INT, PRIMARY KEY (id)) ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4",
        "(id INT, at INT, PRIMARY KEY (id)) ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3",
        "(id INT, at INT, PRIMARY KEY (id)) ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=FIXED CHECKSUM=1",
        "(id INT NOT NULL, at INT, UNIQUE KEY (id)) ENGINE=MyISAM ROW_FORMAT=FIXED",
        "(id INT NOT NULL, at INT, b BLOB NOT NULL DEFAULT id, UNIQUE KEY (b)) ENGINE=InnoDB",
        "(id INT, at INT, n INT NOT NULL AUTO_INCREMENT, PRIMARY KEY (id), KEY (n)) ENGINE=MyISAM",
        "(id INT PRIMARY KEY, at INT CHECK (at < 2), g INT AS (id + 1) STORED, v INT AS (at), \
          UNIQUE KEY (g), KEY (v), CONSTRAINT c CHECK (id < 9)) ENGINE=InnoDB",
        "(id INT, at INT, PRIMARY KEY (id), FULLTEXT KEY (t), t TEXT DEFAULT 'some words') ENGINE=InnoDB",
        "(id INT, at INT, PRIMARY KEY (id), p POINT NOT NULL DEFAULT POINT(1, 2), SPATIAL KEY (p)) \
          ENGINE=MyISAM",
        "(id INT, at INT INVISIBLE, PRIMARY KEY (id), FOREIGN KEY (id) REFERENCES p (id)) ENGINE=InnoDB",
    ] {
        pair.trio.sql_source(
            "CREATE TABLE IF NOT EXISTS p (id INT PRIMARY KEY); INSERT IGNORE INTO p VALUES (1), (2), (3)",
        );
        pair.start(&format!(
            "CREATE TABLE t {create}; INSERT INTO t (id, at) VALUES (1, 0), (2, 0)"
        ));
        pair.trio
            .sql_source("UPDATE t SET at = 1 WHERE id = 2; INSERT INTO t (id, at) VALUES (3, 1)");
        assert_eq!(counts(&pair.merge("t", &since("at", 1))), (1, 1, 0), "{create}");
        assert_eq!(counts(&pair.merge("t", &since("id", 0))), (0, 0, 3), "{create}");
    }
}

#[test]
fn some_rows_of_a_table_that_cannot_be_merged_are_refused() {
    let pair = Pair::new("replicator merge refused");
    pair.trio
        .sql_source("CREATE TABLE t (id INT PRIMARY KEY, at INT); INSERT INTO t VALUES (1, 0)");
    let refused = |problem: &str| {
        let error = pair.try_merge("t", &since("at", 0)).unwrap_err();
        assert!(matches!(error, Error::NotMergeable { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "only the changed rows of `t` were to be copied, and {problem}: copy it in full (etl \
                 run t --full)"
            )
        );
        assert_eq!(pair.replicator.leftovers().unwrap(), []);
    };
    refused("the replica has no such table yet");
    pair.check("t");
    pair.trio.sql_source("ALTER TABLE t ADD c INT");
    refused("the table of the replica has another structure");
    pair.check("t");
    pair.trio.sql_replica("ALTER TABLE t ENGINE=MyISAM");
    refused("the table of the replica has another structure");
    pair.trio.sql_source("ALTER TABLE t DROP PRIMARY KEY, MODIFY id INT, ADD UNIQUE KEY (id)");
    pair.check("t");
    refused("it has no key by which to merge them");
}
