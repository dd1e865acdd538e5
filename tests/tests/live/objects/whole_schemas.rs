//! Three public schemas arrive with every object carried or listed. The target's definitions are fixtures, written anew
//! with `HANDOFF_BLESS=1`.

use super::*;
use crate::schema::{mysql9, trio_of_mysql9};
use std::path::Path;
use std::process::Command;

/// A schema, and what of it PostgreSQL has no place for.
struct PublicSchema {
    name: &'static str,
    sql: &'static str,
    /// The number of parts left out, by kind.
    left_out: &'static [(&'static str, u64)],
}

const SAKILA: PublicSchema = PublicSchema {
    name: "sakila",
    sql: include_str!("../../../fixtures/objects/sakila.sql"),
    left_out: &[("index", 1), ("trigger", 1), ("view", 1), ("routine", 1)],
};

const WORDPRESS: PublicSchema = PublicSchema {
    name: "wordpress",
    sql: include_str!("../../../fixtures/objects/wordpress.sql"),
    // Keys of 64 bits without a sign, and defaults of days that no calendar has.
    left_out: &[("auto_increment", 11), ("default", 8)],
};

const TPC_H: PublicSchema = PublicSchema {
    name: "tpch",
    sql: include_str!("../../../fixtures/objects/tpch.sql"),
    left_out: &[],
};

#[track_caller]
fn check(trio: &Trio, schema: &PublicSchema, server: &str) {
    trio.sql_source(schema.sql);
    let etl = etl(trio, EVERYTHING);
    let plan = json(&etl, &["plan", "--json"]);
    let planned = plan["objects"].as_array().unwrap();
    assert!(planned.iter().all(|object| !object["statements"].as_array().unwrap().is_empty()));
    let run = json(&etl, &["run", "--prove", "--json"]);
    assert_eq!(run["objects"]["failed"], serde_json::json!([]), "{}", schema.name);
    assert_eq!(run["objects"]["made"].as_array().unwrap().len(), planned.len());
    assert!(
        run["tables"].as_array().unwrap().iter().all(|table| table["proof"]["verdict"] == "equal")
    );
    let mut counts = run["omissions"]["counts"].as_object().unwrap().clone();
    for known in ["collation", "table_option"] {
        counts.remove(known);
    }
    let left_out =
        schema.left_out.iter().map(|(kind, count)| ((*kind).to_owned(), Value::from(*count)));
    assert_eq!(counts, left_out.collect(), "{}", schema.name);
    compare(&format!("{}{server}", schema.name), &dump(trio));
    let again = json(&etl, &["run", "--prove", "--json"]);
    let others = made(&again).into_iter().filter(|made| {
        !made.starts_with("made foreign_key") && !made.starts_with("made on_update")
    });
    assert_eq!(others.collect::<Vec<_>>(), [""; 0], "{}", schema.name);
    compare(&format!("{}{server}", schema.name), &dump(trio));
}

/// Prints the definitions of the target as `pg_dump` does, without our own tables.
#[track_caller]
fn dump(trio: &Trio) -> String {
    let version: String = one(trio, "SELECT current_setting('server_version_num')");
    let major = version.parse::<u32>().unwrap() / 10_000;
    let own = format!("/usr/lib/postgresql/{major}/bin/pg_dump");
    let program = if Path::new(&own).exists() { own } else { "pg_dump".to_owned() };
    let url = trio.target_server().url(&trio.target_name());
    let done = Command::new(program)
        .args(["--schema-only", "--no-owner", "--no-privileges", "--schema=raw"])
        .args(["--exclude-table=raw.etl_*", &url])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    let noise = ["--", "SET ", "SELECT pg_catalog.set_config", "\\"];
    let lines = text.lines().filter(|line| !noise.iter().any(|noise| line.starts_with(noise)));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    format!("{}\n", lines.join("\n"))
}

#[track_caller]
fn compare(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/objects/{name}.dump"));
    if std::env::var_os("HANDOFF_BLESS").is_some() {
        std::fs::write(&file, found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{name}.dump:{}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{name}.dump");
}

#[test]
fn sakila_arrives_with_its_objects() {
    check(&Trio::new("objects_sakila"), &SAKILA, "");
}

#[test]
fn wordpress_arrives_with_its_objects() {
    check(&Trio::new("objects_wordpress"), &WORDPRESS, "");
}

#[test]
fn tpc_h_arrives_with_its_foreign_keys() {
    check(&Trio::new("objects_tpch"), &TPC_H, "");
}

#[test]
fn schemas_of_mysql_9_arrive_with_their_objects() {
    let Some(server) = mysql9() else { return };
    check(&trio_of_mysql9("objects_tpch", &server), &TPC_H, "-mysql9");
    check(&trio_of_mysql9("objects_sakila", &server), &SAKILA, "-mysql9");
}
