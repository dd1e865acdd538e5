//! Tables that are not just columns and a primary key.

use super::{map, mysql9, name, read, table, trio_of_mysql9};
use handoff_schema::{MySqlType, SchemaError, StorageEngine, TextEncoding};
use handoff_testbed::Trio;

fn key(catalogue: &handoff_schema::SourceCatalogue, of: &str) -> Vec<String> {
    let schema = table(catalogue, of);
    let key = schema.key().unwrap_or_default();
    key.iter().map(|&index| schema.columns[index].name.to_string()).collect()
}

#[test]
fn system_versioned_tables_are_keyed_without_the_end_of_a_row() {
    let trio = Trio::new("versioned");
    trio.sql_source(
        "CREATE TABLE hidden (a int primary key, b int) WITH SYSTEM VERSIONING;
         CREATE TABLE shown (a int primary key, b int without system versioning,
             s timestamp(6) generated always as row start,
             e timestamp(6) generated always as row end invisible,
             period for system_time (s, e)) WITH SYSTEM VERSIONING;
         CREATE TABLE parted (a int primary key, b int) WITH SYSTEM VERSIONING
             PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION p1 CURRENT)",
    );
    let catalogue = read(&trio);
    for versioned in ["hidden", "shown", "parted"] {
        assert!(table(&catalogue, versioned).system_versioned, "{versioned}");
        assert_eq!(key(&catalogue, versioned), ["a"], "{versioned}");
    }
    assert_eq!(table(&catalogue, "hidden").columns.len(), 2);
    let shown = &table(&catalogue, "shown").columns;
    assert_eq!(shown[3].expression.as_deref(), Some("ROW END"));
    assert!(shown[2].generated && shown[3].generated && shown[3].invisible);
    assert!(table(&catalogue, "parted").partitioned);
}

#[test]
fn generated_and_invisible_columns_engines_and_partitions_are_seen() {
    let trio = Trio::new("odd tables");
    trio.sql_source(
        "CREATE TABLE g (a int primary key, v int as (a + 1) virtual, s int as (a + 2) stored,
             i int invisible default 3,
             t timestamp not null default current_timestamp on update current_timestamp,
             u timestamp(3) not null default current_timestamp(3) on update current_timestamp(3));
         CREATE TABLE parts (a int primary key) PARTITION BY HASH (a) PARTITIONS 3;
         CREATE TABLE isam (a int not null, b varchar(10) not null, unique (b)) ENGINE = MyISAM;
         INSERT INTO isam VALUES (1, 'a'), (2, 'b'), (3, 'c');
         CREATE TABLE aria (a int) ENGINE = Aria;
         CREATE TABLE mem (a int) ENGINE = MEMORY",
    );
    let catalogue = read(&trio);
    let columns = &table(&catalogue, "g").columns;
    let flags = |index: usize| {
        let column = &columns[index];
        (column.generated, column.invisible, column.on_update)
    };
    assert_eq!(flags(0), (false, false, false));
    assert_eq!(flags(1), (true, false, false));
    assert_eq!(flags(2), (true, false, false));
    assert_eq!(columns[2].expression.as_deref(), Some("`a` + 2"));
    assert_eq!(flags(3), (false, true, false));
    assert_eq!(flags(4), (false, false, true));
    assert_eq!(flags(5), (false, false, true));
    assert!(table(&catalogue, "parts").partitioned && !table(&catalogue, "g").partitioned);
    let isam = table(&catalogue, "isam");
    assert_eq!((&isam.engine, isam.rows, isam.rows_are_exact()), (&StorageEngine::MyIsam, 3, true));
    assert_eq!(key(&catalogue, "isam"), ["b"]);
    assert_eq!(table(&catalogue, "aria").engine, StorageEngine::Aria);
    assert_eq!(table(&catalogue, "mem").engine, StorageEngine::Other("MEMORY".to_owned()));
}

#[test]
fn keys_are_chosen_alike_on_both_families() {
    let tables = "CREATE TABLE two (a int not null, b int not null, primary key (b, a));
         CREATE TABLE uniq (n int, a int not null, b int not null,
             unique zz (a), unique mm (b), unique aa (n));
         CREATE TABLE prefix (a varchar(100) not null, unique (a(10)));
         CREATE TABLE nothing (a int)";
    let check = |trio: &Trio| {
        trio.sql_source(tables);
        let catalogue = read(trio);
        assert_eq!(key(&catalogue, "two"), ["b", "a"]);
        assert_eq!(key(&catalogue, "uniq"), ["b"]);
        assert_eq!(key(&catalogue, "prefix"), Vec::<String>::new());
        assert_eq!(key(&catalogue, "nothing"), Vec::<String>::new());
        catalogue
    };
    let maria = check(&Trio::new("keys"));
    let Some(server) = mysql9() else { return };
    let trio = trio_of_mysql9("keys", &server);
    trio.sql_source("CREATE TABLE expr (a int not null, unique ((a + 1)))");
    let mysql = check(&trio);
    assert_eq!(key(&mysql, "expr"), Vec::<String>::new());
    // What differs, display widths for one, does not count.
    for same in ["two", "uniq"] {
        let (one, other) = (table(&maria, same), table(&mysql, same));
        assert_eq!(one.fingerprint(), other.fingerprint(), "{same}");
    }
}

#[test]
fn names_come_byte_by_byte_and_own_tables_not_at_all() {
    let trio = Trio::new("names");
    let long = "ü".repeat(64);
    trio.sql_source(&format!(
        "CREATE TABLE `we``ird na\"me.%` (`c ol` int, `ü` int, `select` int, xmin int);
         CREATE TABLE Patient (a int); CREATE TABLE patient (b int);
         CREATE TABLE `{long}` (`{long}` int primary key);
         CREATE TABLE `__handoff_new_1` (a int); CREATE TABLE etl_copy_status (a int);
         CREATE VIEW v AS SELECT 1 AS a; CREATE SEQUENCE sq;
         CREATE TABLE gone (a int); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone"
    ));
    let catalogue = read(&trio);
    let names: Vec<&str> = catalogue.tables.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["Patient", "patient", "we`ird na\"me.%", long.as_str()]);
    let left: Vec<(&str, &str)> =
        catalogue.not_carried.iter().map(|n| (n.name.as_str(), n.kind.as_str())).collect();
    assert_eq!(left, [("broken", "VIEW"), ("sq", "SEQUENCE"), ("v", "VIEW")]);
    assert_eq!(table(&catalogue, "Patient").columns[0].name.as_str(), "a");
    assert_eq!(table(&catalogue, "patient").columns[0].name.as_str(), "b");

    let weird = map(table(&catalogue, "we`ird na\"me.%"));
    let names: Vec<&str> = weird.columns.iter().map(|c| c.pg_name.as_str()).collect();
    assert_eq!(names, ["c ol", "ü", "select", "xmin_"]);
    let mapping = map(table(&catalogue, &long));
    assert!(mapping.pg_table.len() <= 63 && mapping.pg_table.starts_with("üüü"));
    assert_eq!(mapping.notes.len(), 2);
}

#[test]
fn character_sets_decide_how_texts_are_read() {
    let trio = Trio::new("charsets");
    trio.sql_source(
        "CREATE TABLE t (a text character set utf8mb4, b text character set utf8mb3,
             c text character set ascii, d enum('a') character set latin1,
             e text character set gbk, f json, g enum('a') character set binary, h blob)",
    );
    let catalogue = read(&trio);
    let encodings: Vec<_> =
        table(&catalogue, "t").columns.iter().map(|c| c.text_encoding()).collect();
    use TextEncoding::{Ascii, Latin1, Server, Utf8};
    let expected = [Some(Utf8), Some(Utf8), Some(Ascii), Some(Latin1), Some(Server), Some(Utf8)];
    assert_eq!(encodings[..6], expected);
    assert_eq!(encodings[6..], [Some(Utf8), None]);
}

#[test]
fn labels_come_as_they_were_written() {
    let declaration =
        r"CREATE TABLE t (e enum('a,b','it''s','back\\s','n\nr\r','\0','''',')','ü'))";
    let labels = ["a,b", "it's", "back\\s", "n\nr\r", "\0", "'", ")", "ü"].map(str::to_owned);
    let check = |trio: &Trio| {
        trio.sql_source(declaration);
        let catalogue = read(trio);
        assert_eq!(table(&catalogue, "t").columns[0].kind, MySqlType::Enum(labels.to_vec()));
    };
    check(&Trio::new("labels"));
    if let Some(server) = mysql9() {
        check(&trio_of_mysql9("labels", &server));
    }
}

#[test]
fn a_table_that_cannot_be_opened_is_an_error_of_its_own() {
    let trio = Trio::new("broken tables");
    trio.sql_source(
        "CREATE TABLE good (a int primary key);
         CREATE TABLE one (a int) ENGINE = MyISAM; CREATE TABLE other (b varchar(9)) ENGINE = MyISAM;
         CREATE TABLE merged (a int) ENGINE = MERGE UNION = (one, other)",
    );
    let catalogue = read(&trio);
    assert!(catalogue.tables["good"].is_ok());
    let error = catalogue.tables["merged"].as_ref().unwrap_err();
    assert!(matches!(error, SchemaError::Undescribed { .. }), "{error}");
    assert_eq!(error.table(), Some(&name("merged")));
}

#[test]
fn mysql_9_tells_srid_invisible_and_generated_columns() {
    let Some(server) = mysql9() else { return };
    let trio = trio_of_mysql9("odd", &server);
    trio.sql_source(
        "CREATE TABLE t (a int primary key, g point srid 4326, i int default 3 invisible,
             v int as (a + 1) virtual,
             u timestamp not null default current_timestamp on update current_timestamp)",
    );
    let catalogue = read(&trio);
    let columns = &table(&catalogue, "t").columns;
    assert_eq!(columns[1].srid, Some(4326));
    assert!(columns[2].invisible && !columns[2].generated);
    assert!(columns[3].generated && columns[3].expression.as_deref() == Some("(`a` + 1)"));
    assert!(columns[4].on_update && !columns[4].generated);
}
