//! Windows of changed rows, and what keeps a table from having one.

use super::*;
use crate::testing::SampleTable;
use handoff_model::Extraction;
use handoff_schema::{IndexPart, IndexSchema};

fn name(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

/// A table with the key `id`, a text `note`, and these columns.
fn table(columns: &[(&str, &str)]) -> TableSchema {
    let marks = SampleTable { marks: Vec::new(), lookback: None, extraction: Extraction::Diff };
    let mut schema = marks.schema();
    schema.columns.truncate(1);
    for (name, kind) in [("note", "text")].iter().chain(columns) {
        schema.columns.push(ColumnSchema::of_type(name, kind).unwrap());
    }
    schema
}

fn settings(watermark: &[&str]) -> TableSettings {
    let watermark = watermark.iter().map(|column| name(column)).collect();
    TableSettings { watermark, ..TableSettings::default() }
}

fn clock() -> SourceClock {
    SourceClock::parse("2026-03-01 05:00:00", "2026-02-28 23:00:00").unwrap()
}

#[track_caller]
fn refused(schema: &TableSchema, settings: &TableSettings) -> String {
    Window::of(schema, settings).unwrap_err().to_string()
}

/// Returns the lower bound of a window behind `watermark` in a column of `kind`.
#[track_caller]
fn begins(kind: &str, watermark: &Watermark) -> Option<Watermark> {
    let schema = table(&[("w", kind)]);
    let window = Window::of(&schema, &settings(&["w"])).unwrap();
    let base = handoff_model::CopyId::new();
    let since = [WatermarkAt { column: name("w"), watermark: watermark.clone(), base }];
    match window.filter(&since, &clock(), SignedDuration::ZERO)? {
        RowFilter::Changed { bounds, .. } => Some(bounds[0].from.clone()),
        other => panic!("{other:?}"),
    }
}

fn timestamp(text: &str) -> Watermark {
    Watermark::Timestamp(text.to_owned())
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_that_would_do() {
    let schema = table(&[("edited", "timestamp"), ("day", "date"), ("n", "int")]);
    assert_eq!(
        refused(&schema, &settings(&["changed"])),
        "watermark names `changed`, which the table has not; columns that would do: `edited`, `day`"
    );
}

#[test]
fn where_no_column_would_do_the_whole_table_is_proposed() {
    let told = refused(&table(&[]), &settings(&["changed"]));
    assert!(
        told.ends_with("no column of it would do: write extraction = \"full_table\""),
        "{told}"
    );
}

#[test]
fn a_column_that_does_not_grow_is_refused_with_its_type() {
    let told = refused(&table(&[]), &settings(&["note"]));
    assert!(told.starts_with("watermark names `note`, which is text and does not grow"), "{told}");
}

#[test]
fn a_table_without_a_key_has_no_window() {
    let mut schema = table(&[("edited", "timestamp")]);
    schema.indexes.clear();
    assert_eq!(Window::of(&schema, &settings(&["edited"])), Err(NoWindow::NoKey));
}

#[test]
fn only_times_tell_the_age_of_a_row() {
    let schema = table(&[("n", "int")]);
    let lookback = Some(Lookback { days: 3, columns: vec![name("n")] });
    let told = refused(&schema, &TableSettings { lookback, ..settings(&["n"]) });
    assert!(told.starts_with("lookback names `n`, which is int"), "{told}");
}

#[test]
fn every_type_that_grows_is_a_watermark() {
    use WatermarkKind as K;
    for (kind, expected) in [
        ("tinyint", Some(K::Integer)),
        ("smallint", Some(K::Integer)),
        ("mediumint", Some(K::Integer)),
        ("int", Some(K::Integer)),
        ("bigint unsigned", Some(K::Integer)),
        ("decimal(9,2)", Some(K::Decimal)),
        ("date", Some(K::Date)),
        ("datetime(6)", Some(K::DateTime)),
        ("timestamp", Some(K::Timestamp)),
        ("time", None),
        ("year", None),
        ("varchar(9)", None),
        ("float", None),
    ] {
        assert_eq!(WatermarkKind::of(&kind.parse().unwrap()), expected, "{kind}");
    }
}

#[test]
fn numbers_begin_a_thousand_before() {
    let begins = |number: i128| begins("bigint", &Watermark::Integer(number));
    assert_eq!(begins(5_000), Some(Watermark::Integer(4_000)));
    // An unsigned column has nothing below zero, and refuses to be compared with it.
    assert_eq!(begins(10), Some(Watermark::Integer(0)));
    assert_eq!(begins(-10), Some(Watermark::Integer(-1_010)));
    assert_eq!(begins(i128::MIN), Some(Watermark::Integer(i128::MIN)));
}

#[test]
fn decimals_begin_where_they_ended() {
    let mark = Watermark::Decimal("7.5000".to_owned());
    assert_eq!(begins("decimal(20,4)", &mark), Some(mark));
}

#[test]
fn days_begin_a_day_before() {
    let day = |text: &str| Watermark::Date(text.to_owned());
    assert_eq!(begins("date", &day("2026-03-01")), Some(day("2026-02-28")));
}

#[test]
fn times_begin_before_the_longest_transaction() {
    let local = |text: &str| Watermark::DateTime(text.to_owned());
    // The hour that summer time ends with comes twice.
    assert_eq!(
        begins("datetime", &local("2026-03-01 05:00:00")),
        Some(local("2026-03-01 03:55:00"))
    );
    assert_eq!(
        begins("timestamp", &timestamp("2026-03-01 05:00:00")),
        Some(timestamp("2026-03-01 04:55:00"))
    );
}

#[test]
fn no_bound_is_before_the_first_timestamp() {
    assert_eq!(
        begins("timestamp", &timestamp("1970-01-01 00:00:01")),
        Some(timestamp("1970-01-02 00:00:00"))
    );
}

#[test]
fn a_watermark_that_is_no_time_makes_no_window() {
    assert_eq!(begins("timestamp", &timestamp("0000-00-00 00:00:00")), None);
    assert_eq!(begins("date", &Watermark::Date("2026-02-31".to_owned())), None);
}

#[test]
fn a_watermark_of_another_kind_makes_no_window() {
    assert_eq!(begins("timestamp", &Watermark::DateTime("2026-03-01 05:00:00".to_owned())), None);
    assert_eq!(begins("int", &Watermark::Decimal("1.0".to_owned())), None);
}

#[test]
fn every_watermark_column_needs_a_watermark() {
    let schema = table(&[("a", "timestamp"), ("b", "timestamp")]);
    let window = Window::of(&schema, &settings(&["a", "b"])).unwrap();
    let base = handoff_model::CopyId::new();
    let since =
        [WatermarkAt { column: name("a"), watermark: timestamp("2026-03-01 00:00:00"), base }];
    assert_eq!(window.filter(&since, &clock(), SignedDuration::ZERO), None);
}

/// Returns the bound of `column`, which looks back three days, `elapsed` after the last good run.
fn young(kind: &str, elapsed: SignedDuration) -> Watermark {
    let schema = table(&[("w", "int"), ("day", kind)]);
    let lookback = Some(Lookback { days: 3, columns: vec![name("day")] });
    let asked = TableSettings { lookback, ..settings(&["w"]) };
    let window = Window::of(&schema, &asked).unwrap();
    let base = handoff_model::CopyId::new();
    let since = [WatermarkAt { column: name("w"), watermark: Watermark::Integer(7), base }];
    match window.filter(&since, &clock(), elapsed).unwrap() {
        RowFilter::Changed { bounds, .. } => bounds[1].from.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn young_rows_are_moved_again_by_the_clock_that_wrote_them() {
    // A DATETIME is written in the server's own zone, where it is the day before.
    let none = SignedDuration::ZERO;
    assert_eq!(young("date", none), Watermark::Date("2026-02-25".to_owned()));
    assert_eq!(young("datetime", none), Watermark::DateTime("2026-02-25 00:00:00".to_owned()));
    assert_eq!(young("timestamp", none), timestamp("2026-02-26 00:00:00"));
}

#[test]
fn rows_that_were_young_at_the_last_run_are_moved_once_more() {
    let week = SignedDuration::from_hours(7 * 24);
    assert_eq!(young("date", week), Watermark::Date("2026-02-18".to_owned()));
    // A clock that was set back makes nothing younger.
    assert_eq!(young("date", -week), Watermark::Date("2026-02-25".to_owned()));
}

#[test]
fn rows_that_no_watermark_finds_are_those_with_null_in_all_of_them() {
    let mut schema = table(&[("a", "timestamp"), ("b", "timestamp")]);
    let nulls = |schema: &TableSchema| Window::of(schema, &settings(&["a", "b"])).unwrap().nulls();
    assert_eq!(nulls(&schema), [name("a"), name("b")]);
    schema.columns[2].nullable = false;
    assert_eq!(nulls(&schema), []);
}

fn notes(columns: &[(&str, &str)], watermark: &[&str]) -> Vec<String> {
    Window::of(&table(columns), &settings(watermark)).unwrap().notes()
}

#[test]
fn a_number_is_said_to_find_new_rows_only() {
    let said = notes(&[("n", "int")], &["n"]);
    assert!(said[0].starts_with("`n` is a number: new rows are found by it"), "{said:?}");
}

#[test]
fn a_column_without_an_index_is_said_to_cost_a_scan() {
    let said = notes(&[("w", "timestamp")], &["w"]);
    assert!(said[0].starts_with("no index begins with `w`"), "{said:?}");
}

#[test]
fn columns_that_may_be_null_are_said_to_be_moved_every_time() {
    let said = notes(&[("v", "timestamp"), ("w", "timestamp")], &["v", "w"]);
    assert!(said[2].starts_with("rows in which `v` and `w` is NULL"), "{said:?}");
}

#[test]
fn an_index_counts_if_it_begins_with_the_whole_column() {
    assert!(finds_by_index(&[2, 0], None));
    assert!(!finds_by_index(&[0, 2], None));
    assert!(!finds_by_index(&[2], Some(4)));
}

/// Returns true if an index of these columns, the first of which has this prefix, finds the column `w`.
fn finds_by_index(columns: &[usize], prefix: Option<u32>) -> bool {
    let mut schema = table(&[("w", "timestamp")]);
    schema.columns[2].nullable = false;
    let part = |&column| IndexPart { column: Some(column), prefix, descending: false };
    let parts = columns.iter().map(part).collect();
    schema.indexes.push(IndexSchema { name: "i".to_owned(), unique: false, parts });
    Window::of(&schema, &settings(&["w"])).unwrap().notes().is_empty()
}

#[test]
fn a_day_and_a_moment_are_read_and_impossible_ones_are_not() {
    for (text, read) in [
        ("2026-03-01", true),
        ("2026-03-01 05:00:00", true),
        ("2026-03-01 05:00:00.123456", true),
        ("0000-00-00", false),
        ("2023-02-31", false),
        ("", false),
    ] {
        assert_eq!(moment(text).is_some(), read, "{text}");
    }
}
