use super::*;
use handoff_model::ColumnName;
use handoff_schema::StorageEngine;

/// Describes a table by columns and indexes as a catalogue does: `name type`, `name: column, column`.
fn table(columns: &[&str], indexes: &[&str]) -> TableSchema {
    let columns: Vec<ColumnSchema> = columns
        .iter()
        .map(|column| {
            let (name, kind) = column.split_once(' ').unwrap();
            let (kind, nullable) = match kind.strip_suffix(" NULL") {
                Some(kind) => (kind, true),
                None => (kind, false),
            };
            ColumnSchema { nullable, ..ColumnSchema::of_type(name, kind).unwrap() }
        })
        .collect();
    let index = |spelled: &&str| {
        let (name, parts) = spelled.split_once(": ").unwrap();
        let part = |name: &str| {
            let name = ColumnName::new(name).unwrap();
            let column = columns.iter().position(|column| column.name == name);
            IndexPart { column, prefix: None, descending: false }
        };
        let (name, unique) = match name.strip_prefix("unique ") {
            Some(name) => (name, true),
            None => (name, name == "PRIMARY"),
        };
        IndexSchema { name: name.to_owned(), unique, parts: parts.split(", ").map(part).collect() }
    };
    let indexes = indexes.iter().map(index).collect();
    TableSchema { columns, indexes, ..TableSchema::empty("t") }
}

/// The pieces between the outer parentheses, and what follows them.
struct Spelled {
    parts: Vec<String>,
    options: String,
}

#[track_caller]
fn spell(sql: &str) -> Spelled {
    let (parts, options) = sql.split_once(" (\n  ").unwrap().1.split_once("\n)").unwrap();
    let parts = parts.split(",\n  ").map(str::to_owned).collect();
    Spelled { parts, options: options.to_owned() }
}

fn omitted(of: &ReplicaTable<'_>) -> Vec<String> {
    of.omissions().iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_but_known_parts_comes_along() {
    let source = TableSchema {
        engine: StorageEngine::Other("FEDERATED".to_owned()),
        ..table(&["id int(11)", "b varchar(9) NULL", "g int(11) NULL"], &["PRIMARY: id", "g: g"])
    };
    let definition = TableDefinition::parse(
        "CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  \
         `b` varchar(9) /*M!100301 COMPRESSED*/ COLLATE utf8mb4_bin DEFAULT 'x''y' COMMENT 'c /*! z */',\n  \
         `g` int(11) GENERATED ALWAYS AS (`id` + nextval(`d`.`sq`)) STORED,\n  \
         PRIMARY KEY (`id`) USING HASH,\n  KEY `g` (`g`) COMMENT 'k' IGNORED,\n  \
         CONSTRAINT `fk` FOREIGN KEY (`b`) REFERENCES `other`.`p` (`CHECK`),\n  \
         CONSTRAINT `x CHECK` CHECK (`g` < 100)\n) ENGINE=FEDERATED AUTO_INCREMENT=7 \
         DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci ROW_FORMAT=COMPRESSED UNION=(`a`,`b`) \
         CONNECTION='mysql://u:p@h/d/t' INSERT_METHOD=LAST `file_name`='/x' DATA DIRECTORY='/x y/' \
         /*!50100 TABLESPACE `ts` */ COMMENT='DATA DIRECTORY=''x'''\n PARTITION BY HASH (`id`)\n\
         (PARTITION `p0` COMMENT = 'q' ENGINE = FEDERATED)",
    )
    .unwrap();
    let replica = ReplicaTable::new(&source, &definition, ServerFlavor::MariaDb, false);
    let Spelled { parts, options } = spell(&replica.shadow("new", IndexTiming::First).create);
    assert_eq!(
        parts,
        [
            "`id` int(11) NOT NULL",
            "`b` varchar(9) COLLATE utf8mb4_bin NULL DEFAULT 'x''y' COMMENT 'c /*! z */'",
            "`g` int(11) NULL",
            "PRIMARY KEY (`id`)",
            "KEY `g` (`g`) COMMENT 'k'",
        ]
    );
    assert_eq!(
        options,
        " ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci \
         COMMENT='DATA DIRECTORY=''x'''"
    );
    assert_eq!(
        omitted(&replica),
        [
            "attribute `b`",
            "expression of the generated column `g`",
            "foreign key `fk`",
            "CHECK `x CHECK`",
            "partitions",
            "option AUTO_INCREMENT",
            "option ROW_FORMAT",
            "option UNION",
            "option CONNECTION",
            "option INSERT_METHOD",
            "option file_name",
            "option DATA DIRECTORY",
            "option TABLESPACE",
        ]
    );
}

#[test]
fn indexes_are_those_of_the_catalogue_and_come_last_where_they_may() {
    let source = table(
        &["a int", "b varchar(9)", "p point"],
        &["PRIMARY: b", "unique u: b, a", "a: a", "k: b", "e: none", "f: b", "s: p"],
    );
    let definition = TableDefinition::parse(
        "CREATE TABLE `t` (\n  `a` int NOT NULL AUTO_INCREMENT,\n  `b` varchar(9) NOT NULL,\n  \
         `p` point NOT NULL /*!80003 SRID 4326 */,\n  PRIMARY KEY (`b`),\n  \
         UNIQUE KEY `u` (`b`,`a`),\n  KEY `a` (`a`),\n  KEY `k` (`b`) /*!80000 INVISIBLE */,\n  \
         KEY `e` ((`a` + 1)),\n  FULLTEXT KEY `f` (`b`) /*!50100 WITH PARSER `ngram` */ ,\n  \
         SPATIAL KEY `s` (`p`),\n  VECTOR KEY `v` (`p`) `M`=8\n) ENGINE=InnoDB AUTO_INCREMENT=7",
    )
    .unwrap();
    let replica = ReplicaTable::new(&source, &definition, ServerFlavor::MySql, false);
    let ShadowSql { create, add_indexes } = replica.shadow("new", IndexTiming::Last);
    let Spelled { parts, options } = spell(&create);
    assert_eq!(
        parts,
        [
            "`a` int NOT NULL AUTO_INCREMENT",
            "`b` varchar(9) NOT NULL",
            "`p` point NOT NULL SRID 4326",
            "PRIMARY KEY (`b`)",
            "KEY `a` (`a`)",
            "FULLTEXT KEY `f` (`b`)",
            "SPATIAL KEY `s` (`p`)",
        ]
    );
    assert_eq!(options, " ENGINE=InnoDB AUTO_INCREMENT=7");
    let later = add_indexes.unwrap();
    assert_eq!(later, "ALTER TABLE `new` ADD UNIQUE KEY `u` (`b`, `a`), ADD KEY `k` (`b`)");
    assert_eq!(omitted(&replica), ["index `e`", "index `v`"]);
}

#[test]
fn without_a_primary_key_a_unique_one_does_not_come_last() {
    let source = table(&["a int"], &["unique u: a", "k: a"]);
    let definition = TableDefinition::parse(
        "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  UNIQUE KEY `u` (`a`),\n  KEY `k` (`a`)\n) ENGINE=InnoDB",
    )
    .unwrap();
    let replica = ReplicaTable::new(&source, &definition, ServerFlavor::MySql, false);
    let ShadowSql { create, add_indexes } = replica.shadow("new", IndexTiming::Last);
    assert_eq!(spell(&create).parts, ["`a` int NOT NULL", "UNIQUE KEY `u` (`a`)"]);
    assert_eq!(add_indexes.as_deref(), Some("ALTER TABLE `new` ADD KEY `k` (`a`)"));
}

#[test]
fn a_server_that_demands_a_primary_key_is_given_one() {
    let source = table(&["a int", "b int NULL"], &["unique u: a"]);
    let definition = TableDefinition::parse(
        "CREATE TABLE `t` (\n  `a` int NOT NULL AUTO_INCREMENT,\n  `b` int DEFAULT NULL,\n  \
         UNIQUE KEY `u` (`a`)\n) ENGINE=InnoDB AUTO_INCREMENT=3",
    )
    .unwrap();
    let replica = ReplicaTable::new(&source, &definition, ServerFlavor::MySql, true);
    let Spelled { parts, options } = spell(&replica.shadow("new", IndexTiming::First).create);
    let own = "`__handoff_row` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */";
    let key = "PRIMARY KEY (`__handoff_row`)";
    assert_eq!(
        parts,
        ["`a` int NOT NULL", "`b` int NULL DEFAULT NULL", "UNIQUE KEY `u` (`a`)", own, key]
    );
    assert_eq!(options, " ENGINE=InnoDB");
    let staging = spell(&replica.staging("s"));
    assert_eq!(
        staging.parts,
        ["`a` int NOT NULL", "`b` int NULL DEFAULT NULL", "UNIQUE KEY (`a`)", own, key]
    );
}

#[test]
fn a_versioned_table_becomes_an_ordinary_one() {
    let columns = ["id int(11)", "a int(11) NULL", "rs timestamp(6)", "re timestamp(6)"];
    // The catalogue leaves the end of a row out of the key.
    let source = TableSchema { system_versioned: true, ..table(&columns, &["PRIMARY: id"]) };
    let definition = TableDefinition::parse(
        "CREATE TABLE `v` (\n  `id` int(11) NOT NULL,\n  \
         `a` int(11) DEFAULT NULL WITHOUT SYSTEM VERSIONING,\n  \
         `rs` timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE,\n  \
         `re` timestamp(6) GENERATED ALWAYS AS ROW END,\n  PRIMARY KEY (`id`,`re`),\n  \
         PERIOD FOR SYSTEM_TIME (`rs`, `re`),\n  PERIOD FOR `p` (`a`, `id`)\n) ENGINE=InnoDB \
         DEFAULT CHARSET=latin1 WITH SYSTEM VERSIONING\n \
         PARTITION BY SYSTEM_TIME INTERVAL 1 DAY\nPARTITIONS 3",
    )
    .unwrap();
    let replica = ReplicaTable::new(&source, &definition, ServerFlavor::MariaDb, false);
    let Spelled { parts, options } = spell(&replica.shadow("new", IndexTiming::First).create);
    assert_eq!(
        parts,
        [
            "`id` int(11) NOT NULL",
            "`a` int(11) NULL DEFAULT NULL",
            "`rs` timestamp(6) NOT NULL DEFAULT 0",
            "`re` timestamp(6) NOT NULL DEFAULT 0",
            "PRIMARY KEY (`id`)",
        ]
    );
    assert_eq!(options, " ENGINE=InnoDB DEFAULT CHARSET=latin1");
    assert_eq!(
        omitted(&replica),
        [
            "attribute `a`",
            "attribute `rs`",
            "period `SYSTEM_TIME`",
            "period `p`",
            "history of the rows",
        ]
    );
}

#[test]
fn rows_are_gathered_in_the_columns_and_the_key_alone() {
    let source = TableSchema {
        engine: StorageEngine::Other("MEMORY".to_owned()),
        ..table(&["a int", "j json NULL"], &["PRIMARY: a", "unique u: j"])
    };
    let definition = TableDefinition::parse(
        "CREATE TABLE `t` (\n  `a` int(11) NOT NULL AUTO_INCREMENT,\n  \
         `j` longtext CHARACTER SET utf8mb4 DEFAULT NULL CHECK (json_valid(`j`)),\n  \
         PRIMARY KEY (`a`),\n  UNIQUE KEY `u` (`j`)\n) ENGINE=MEMORY AUTO_INCREMENT=7 \
         DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=COMPRESSED COMMENT='ENGINE=x'",
    )
    .unwrap();
    let replica = ReplicaTable::new(&source, &definition, ServerFlavor::MariaDb, false);
    assert_eq!(
        replica.staging("s"),
        "`s` (\n  `a` int(11) NOT NULL,\n  `j` longtext CHARACTER SET utf8mb4 NULL DEFAULT NULL \
         CHECK (json_valid(`j`)),\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 \
         COLLATE=utf8mb4_bin"
    );
}
