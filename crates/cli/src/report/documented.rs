//! `docs/json.md` names the fields that are printed, and no others.

use super::StatusReport;
use super::samples::{
    AT, check_report, init_report, plan_preview, repair_report, run_report, status_snapshot, table,
    verify_report,
};
use handoff_pipeline::{RefusedStructure, StructureListing, TableStructure, UntranslatedPart};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn a_run() {
    check(
        &document(&run_report()),
        &[
            ("## etl run", ""),
            ("### A table of a run", "/tables/0"),
            ("### A plan", "/tables/0/plan"),
            ("### A change of a structure", "/tables/0/structure/0"),
            ("### A copy", "/tables/0/copy"),
            ("### A load", "/tables/0/load"),
            ("### The performance of a hop", "/tables/0/copy/performance"),
            ("### The performance of a hop", "/tables/0/load/performance"),
            ("### A proof", "/tables/0/proof"),
            ("### A policy that changed values", "/tables/0/lossy/0"),
            ("### Objects", "/objects"),
            ("### An object that was made", "/objects/made/0"),
            ("### An object that could not be made", "/objects/failed/0"),
            ("### A remark on an object", "/objects/remarks/0"),
            ("### Omissions", "/omissions"),
        ],
    );
}

#[test]
fn a_plan() {
    check(
        &document(&plan_preview()),
        &[
            ("## etl plan", ""),
            ("### A table of a plan", "/tables/0"),
            ("### A plan", "/tables/0/plan"),
            ("### A bound of changed rows", "/tables/0/since/0"),
            ("### A change of a structure", "/tables/0/structure/0"),
            ("### The last move", "/tables/0/last"),
            ("### A table that would fail", "/refused/0"),
            ("### An object of a plan", "/objects/0"),
        ],
    );
}

#[test]
fn a_schema() {
    let document = document(&StructureListing {
        tables: vec![TableStructure {
            table: table(),
            create: Vec::new(),
            diff: Vec::new(),
            views: Vec::new(),
        }],
        refused: vec![RefusedStructure { table: table(), error: String::new(), diff: Vec::new() }],
    });
    check(
        &document,
        &[
            ("## etl schema", ""),
            ("### A table of a schema", "/tables/0"),
            ("### A table that cannot be loaded", "/refused/0"),
        ],
    );
}

#[test]
fn the_rest_of_a_schema() {
    let (kind, name, text) = (String::new(), String::new(), String::new());
    let document = document(&[UntranslatedPart { kind, name, text }]);
    check(&document, &[("### A part for a person", "/0")]);
}

#[test]
fn a_status() {
    check(
        &document(&StatusReport::new(&status_snapshot(), AT, None)),
        &[
            ("## etl status", ""),
            ("### The latest run", "/last_run"),
            ("### A table of a status", "/tables/0"),
        ],
    );
}

#[test]
fn a_check() {
    check(
        &document(&check_report()),
        &[
            ("## etl check", ""),
            ("### A finding", "/findings/0"),
            ("### A remedy", "/findings/0/mend/0"),
            ("### Omissions", "/omissions"),
        ],
    );
}

#[test]
fn a_verification() {
    check(
        &document(&verify_report()),
        &[
            ("## etl verify", ""),
            ("### A table of a verification", "/tables/0"),
            ("### Two databases", "/tables/0/pairs/0"),
            ("### A row that differs", "/tables/0/pairs/0/rows/0"),
            ("### A recorded proof", "/tables/0/last_proof"),
        ],
    );
}

#[test]
fn a_repair() {
    check(
        &document(&repair_report()),
        &[
            ("## etl repair", ""),
            ("### A table of a repair", "/tables/0"),
            ("### Two databases", "/tables/0/before/0"),
            ("### A copy", "/tables/0/copy"),
            ("### A load", "/tables/0/load"),
        ],
    );
}

#[test]
fn first_settings() {
    check(
        &document(&init_report()),
        &[
            ("## etl init", ""),
            ("### A certificate", "/certificate"),
            ("### A proposal for a table", "/tables/0"),
            ("### A proposed extraction", "/tables/0/extraction"),
            ("### A proposed type", "/tables/0/columns/0"),
        ],
    );
}

fn document(report: &impl Serialize) -> Value {
    serde_json::to_value(report).unwrap()
}

/// Compares the fields below each heading of the page with those of the object at the pointer.
#[track_caller]
fn check(document: &Value, objects: &[(&str, &str)]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (heading, pointer) in objects {
        let object = document.pointer(pointer).and_then(Value::as_object);
        let printed: BTreeSet<&str> = object
            .unwrap_or_else(|| panic!("{pointer} is no object"))
            .keys()
            .map(|k| &**k)
            .collect();
        assert_eq!(named(&page, heading), printed, "docs/json.md, {heading}");
    }
}

/// Returns the first column of the table below a heading.
fn named<'a>(page: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let section = lines.take_while(|line| !line.starts_with('#'));
    section.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}
