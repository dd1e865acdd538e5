//! Every type, as the catalogue spells it and as PostgreSQL takes it.

use super::{map, mysql9, read, table, target_pool, trio_of_mysql9};
use handoff_schema::{TargetCatalogue, ddl};
use handoff_testbed::Trio;

/// Declarations that both families know, and the types they become.
const COMMON: &[(&str, &str)] = &[
    ("tinyint", "smallint"),
    ("tinyint(1)", "smallint"),
    ("tinyint unsigned zerofill", "smallint"),
    ("smallint", "smallint"),
    ("smallint unsigned", "integer"),
    ("mediumint", "integer"),
    ("mediumint unsigned", "integer"),
    ("int", "integer"),
    ("int(10) unsigned zerofill", "bigint"),
    ("bigint", "bigint"),
    ("bigint unsigned", "numeric(20,0)"),
    ("decimal(65,30)", "numeric(65,30)"),
    ("decimal(10,0) unsigned", "numeric(10,0)"),
    ("decimal", "numeric(10,0)"),
    ("float", "real"),
    ("float(7,4) unsigned", "real"),
    ("float(30)", "double precision"),
    ("double", "double precision"),
    ("double(10,2)", "double precision"),
    ("double unsigned zerofill", "double precision"),
    ("bit(1)", "boolean"),
    ("bit(64)", "bit(64)"),
    ("bool", "smallint"),
    ("year", "smallint"),
    ("date", "date"),
    ("datetime", "timestamp(0) without time zone"),
    ("datetime(6)", "timestamp(6) without time zone"),
    ("timestamp null", "timestamp(0) with time zone"),
    ("timestamp(3) null", "timestamp(3) with time zone"),
    ("time", "interval"),
    ("time(6)", "interval"),
    ("char(10)", "text"),
    ("char(4) character set binary", "bytea"),
    ("national char(3)", "text"),
    ("varchar(20) character set latin1", "text"),
    ("tinytext character set gbk", "text"),
    ("text", "text"),
    ("mediumtext", "text"),
    ("longtext", "text"),
    ("binary(16)", "bytea"),
    ("varbinary(20)", "bytea"),
    ("tinyblob", "bytea"),
    ("blob", "bytea"),
    ("mediumblob", "bytea"),
    ("longblob", "bytea"),
    (r#"enum('a,b','it''s','back\\slash','"q"','ü','',')','n\nr\rt\t')"#, "text"),
    ("set('x','y)','z`') character set latin1", "text[]"),
    ("json", "jsonb"),
    ("geometry", "bytea"),
    ("point", "bytea"),
    ("linestring", "bytea"),
    ("polygon", "bytea"),
    ("multipoint", "bytea"),
    ("multilinestring", "bytea"),
    ("multipolygon", "bytea"),
    ("geometrycollection", "bytea"),
];

const MARIADB: &[(&str, &str)] = &[
    ("uuid", "uuid"),
    ("inet4", "inet"),
    ("inet6", "inet"),
    ("decimal(38,38)", "numeric(38,38)"),
    ("longtext check (json_valid(c{}))", "jsonb"),
    ("longtext check (json_valid(c{}) and length(c{}) > 2)", "jsonb"),
    ("longtext check (json_valid(c{}) or c{} = '')", "text"),
    ("text check (json_valid(c{}))", "text"),
    ("text compressed", "text"),
    ("blob compressed", "bytea"),
    ("varchar(100) compressed", "text"),
];

const MYSQL: &[(&str, &str)] = &[("vector(3)", "real[]"), ("geomcollection", "bytea")];

#[test]
fn mariadb_spells_every_type_and_postgresql_takes_it() {
    check(&Trio::new("every type"), MARIADB);
}

#[test]
fn mysql_9_spells_every_type_and_postgresql_takes_it() {
    let Some(server) = mysql9() else { return };
    check(&trio_of_mysql9("every type", &server), MYSQL);
}

/// Makes a table of all declarations, maps it, has PostgreSQL make it, and compares.
#[track_caller]
fn check(trio: &Trio, own: &[(&str, &str)]) {
    let all: Vec<(&str, &str)> = COMMON.iter().chain(own).copied().collect();
    let declared = |(index, (declaration, _)): (usize, &(&str, &str))| {
        format!("c{index} {}", declaration.replace("{}", &index.to_string()))
    };
    let columns: Vec<String> = all.iter().enumerate().map(declared).collect();
    trio.sql_source(&format!(
        "SET sql_mode = ''; CREATE TABLE types (id int primary key, {})",
        columns.join(", ")
    ));

    let catalogue = read(trio);
    let mapping = map(table(&catalogue, "types"));
    for (column, (declaration, expected)) in mapping.columns[1..].iter().zip(&all) {
        assert_eq!(column.pg.to_string(), *expected, "{declaration}");
        assert!(column.nullable, "{declaration}");
    }

    trio.sql_target("CREATE SCHEMA raw");
    trio.sql_target(&ddl::create_table(&mapping, "raw", "types", ddl::Persistence::Logged));
    trio.sql_target(&ddl::add_key(&mapping, "raw", "types").unwrap());
    let target = TargetCatalogue::read(&mut target_pool(trio).get().unwrap(), "raw").unwrap();
    let made = &target.tables["types"];
    assert_eq!(
        ddl::differences(&mapping, &made.columns, &made.key, ddl::SurplusColumns::Refused),
        Vec::<String>::new()
    );
    assert_eq!(made.key, ["id"]);
}
