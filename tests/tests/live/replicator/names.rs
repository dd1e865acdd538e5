//! Names of every kind, and tables of odd shapes.

use super::{Pair, quoted};

#[test]
fn names_of_every_kind_are_only_names() {
    let pair = Pair::new("replicator names");
    let long = "ü".repeat(64);
    let names =
        ["we`ird \"t\" 'x'", "a.b 100%", "select", "день 日本", "a,b)(", "\\n{}?:x @v0", &long];
    for engine in ["MyISAM", "InnoDB"] {
        for name in names {
            let q = quoted(name);
            pair.trio.sql_source(&format!(
                "DROP TABLE IF EXISTS {q};
                 CREATE TABLE {q} ({q} INT, `e {}` ENUM('a','b'), KEY {q} ({q}), \
                 CONSTRAINT {q} CHECK ({q} > 0)) ENGINE={engine}",
                name.replace('`', "``").chars().take(50).collect::<String>().trim_end()
            ));
            pair.trio.sql_source(&format!("INSERT INTO {q} VALUES (1, 'b'), (2, NULL)"));
            assert_eq!(pair.check(name).figures.rows, 2, "{name}");
            assert_eq!(pair.check(name).figures.rows, 2, "{name}, again");
        }
    }
}

#[test]
fn tables_without_rows_keys_or_values_arrive() {
    let pair = Pair::new("replicator shapes");
    pair.trio.sql_source(
        "CREATE TABLE empty (a INT PRIMARY KEY, b TEXT) ENGINE=MyISAM;
         CREATE TABLE keyless (a VARCHAR(9), b INT) ENGINE=MyISAM;
         INSERT INTO keyless VALUES ('x', 1), ('x', 1), (NULL, NULL), ('', 0);
         CREATE TABLE one_text (a TEXT) ENGINE=InnoDB;
         INSERT INTO one_text VALUES (''), (''), (NULL), ('\\n');
         CREATE TABLE composite (a VARCHAR(20), b DATE, c DECIMAL(9,2), PRIMARY KEY (a, b, c));
         INSERT INTO composite VALUES ('a', '2024-01-01', 1.5), ('a', '2024-01-01', 2), ('b', '0001-01-01', 0);
         CREATE TABLE parted (a INT, b INT, PRIMARY KEY (a)) PARTITION BY HASH (a) PARTITIONS 4;
         INSERT INTO parted SELECT seq, -seq FROM seq_1_to_100",
    );
    for (table, rows) in
        [("empty", 0), ("keyless", 4), ("one_text", 4), ("composite", 3), ("parted", 100)]
    {
        assert_eq!(pair.check(table).figures.rows, rows, "{table}");
        assert_eq!(pair.check(table).figures.rows, rows, "{table}, again");
    }
}
