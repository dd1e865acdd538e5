//! The tables, as the settings take them.

use super::{expect, fine, odd, settings};
use handoff_connect::Side;
use handoff_model::{ColumnName, TableName};
use handoff_pipeline::{CheckReport, CheckSubject as S, CheckVerdict, check};
use handoff_settings::TableSettings;
use handoff_testbed::Trio;

fn name(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

#[track_caller]
fn says(report: &CheckReport, subject: S, part: &str) {
    let mut findings = report.findings.iter();
    let found = findings.any(|found| found.subject == subject && found.what.contains(part));
    assert!(found, "{part:?} is missing in {:#?}", report.findings);
}

#[test]
fn what_the_settings_name_in_vain_is_told() {
    let trio = Trio::new("check names");
    trio.sql_source(
        "CREATE TABLE Patient (id INT PRIMARY KEY, changed DATETIME); \
         CREATE VIEW v AS SELECT 1 AS a",
    );
    let mut settings = settings(&trio);
    settings.tables.insert(name("patient"), TableSettings::default());
    let report = check(&settings);
    assert!(report.ok);
    let finding = odd(&report, Side::Source, S::Tables);
    let part = "the settings name the table `patient`, which is not there";
    expect(finding, CheckVerdict::Warning, part, &["[tables.Patient]"]);
    says(&report, S::Tables, "1 table, ");
    says(&report, S::Tables, "not moved: `v`");

    settings.tables.clear();
    let watermark = vec![column("CHANGED"), column("updated")];
    settings.tables.insert(name("Patient"), TableSettings { watermark, ..Default::default() });
    let report = check(&settings);
    let finding = odd(&report, Side::Source, S::Tables);
    expect(finding, CheckVerdict::Fault, "a column that it does not have: `updated`", &[]);
}

#[test]
fn settings_that_take_no_table_are_told() {
    let trio = Trio::new("check none");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let mut settings = settings(&trio);
    settings.run.include = vec!["proc*".to_owned()];
    let report = check(&settings);
    let finding = odd(&report, Side::Source, S::Tables);
    let all = "[run]\ninclude = [\"*\"]\nexclude = []";
    expect(finding, CheckVerdict::Warning, "take none of 1 table", &[all]);
}

#[test]
fn tables_that_cannot_be_carried_are_named_with_the_line_that_leaves_them_out() {
    let trio = Trio::new("check mapping");
    trio.sql_source(
        "CREATE TABLE patient (id INT PRIMARY KEY, seen DATE); \
         CREATE TABLE etl_runs (id INT PRIMARY KEY)",
    );
    let mut settings = settings(&trio);
    settings.run.exclude = vec!["tmp_*".to_owned()];
    let report = check(&settings);
    assert!(!report.ok);
    let finding = odd(&report, Side::Source, S::Mapping);
    let exclude = "[run]\nexclude = [\"tmp_*\", \"etl_runs\"]";
    expect(finding, CheckVerdict::Fault, "`etl_runs` cannot be moved", &[exclude]);

    settings.run.exclude.push("etl_runs".to_owned());
    fine(&check(&settings), Side::Source, S::Mapping);

    let columns = [(column("seen"), "boolean".to_owned())].into();
    settings.tables.insert(name("patient"), TableSettings { columns, ..Default::default() });
    let report = check(&settings);
    let finding = odd(&report, Side::Source, S::Mapping);
    expect(finding, CheckVerdict::Fault, "`patient`.`seen` is date, which cannot become", &[]);
}
