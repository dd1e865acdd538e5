//! The structure and the policies that a table was moved with.

use super::*;

/// A policy counts for the columns that it concerns, and a default for none.
#[test]
fn a_fingerprint_has_the_policies_of_its_columns() {
    use handoff_settings::{BadJson, NulBytes, TableSettings, ZeroDates};
    let normal = ValuePolicies::default();
    let dates = ValuePolicies { zero_dates: ZeroDates::Fail, ..normal };
    let texts = ValuePolicies { nul_bytes: NulBytes::Replace, ..normal };
    let documents = ValuePolicies { bad_json: BadJson::Null, ..normal };
    for (column_type, expected) in [
        ("int", [false, false, false, false]),
        ("date", [false, true, false, false]),
        ("datetime(3)", [false, true, false, false]),
        ("varchar(9)", [false, false, true, true]),
        ("json", [false, false, true, true]),
        ("enum('a')", [false, false, true, true]),
    ] {
        let columns = vec![handoff_schema::ColumnSchema::of_type("c", column_type).unwrap()];
        let schema =
            handoff_schema::TableSchema { columns, ..handoff_schema::TableSchema::empty("t") };
        let mapping = TableMapping::new(&schema, &TableSettings::default(), &normal).unwrap();
        let has = |values| policies(&fingerprint_of(7, &mapping, &values)).is_some();
        assert_eq!([normal, dates, texts, documents].map(has), expected, "{column_type}");
        assert_eq!(structure(&fingerprint_of(7, &mapping, &dates)), "0000000000000007");
    }
}

#[test]
fn each_hop_compares_the_structure_with_what_it_moved_itself() {
    let copied = |tracked: &mut TrackedTable| copy(tracked).fingerprint = Some("g".to_owned());
    let loaded = |tracked: &mut TrackedTable| load(tracked).fingerprint = Some("g".to_owned());
    full(copied, |known| known.hops = Hops::Copy, Reason::SchemaChanged);
    full(loaded, |known| known.hops = Hops::Load, Reason::SchemaChanged);
    full(copied, |_| {}, Reason::SchemaChanged);
    full(loaded, |_| {}, Reason::SchemaChanged);
    assert_eq!(decided(loaded, |known| known.hops = Hops::Copy).reason, Reason::Watermark);
    assert_eq!(decided(copied, |known| known.hops = Hops::Load).reason, Reason::Watermark);
}

#[test]
fn a_structure_that_was_never_recorded_is_taken_for_the_same() {
    let forgotten = |tracked: &mut TrackedTable| {
        copy(tracked).fingerprint = None;
        load(tracked).fingerprint = None;
    };
    assert_eq!(decided(forgotten, |_| {}).reason, Reason::Watermark);
}

#[test]
fn a_replica_that_holds_other_columns_is_filled_anew() {
    full(|_| {}, |known| known.replica_fits = false, Reason::SchemaChanged);
}

#[test]
fn policies_are_the_matter_of_the_load() {
    let asked = |known: &mut DecisionInputs<'_>| {
        known.hops = Hops::Copy;
        known.fingerprint = "f+g";
    };
    assert_eq!(decided(|_| {}, asked).reason, Reason::Watermark);
    full(
        |_| {},
        |known| (known.hops, known.fingerprint) = (Hops::Load, "f+g"),
        Reason::PoliciesChanged,
    );
}

#[test]
fn a_policy_that_is_taken_back_counts_as_a_change() {
    let with = |tracked: &mut TrackedTable| load(tracked).fingerprint = Some("f+g".to_owned());
    full(with, |_| {}, Reason::PoliciesChanged);
    assert_eq!(decided(with, |known| known.fingerprint = "f+g").reason, Reason::Watermark);
}

/// The text of the policies that is hashed must stay, or every table that has one is moved again.
#[test]
fn the_fingerprint_of_policies_is_pinned() {
    use handoff_settings::{TableSettings, ZeroDates};
    let columns = vec![handoff_schema::ColumnSchema::of_type("c", "date").unwrap()];
    let schema = handoff_schema::TableSchema { columns, ..handoff_schema::TableSchema::empty("t") };
    let normal = ValuePolicies::default();
    let mapping = TableMapping::new(&schema, &TableSettings::default(), &normal).unwrap();
    assert_eq!(fingerprint_of(7, &mapping, &normal), "0000000000000007");
    let strict = ValuePolicies { zero_dates: ZeroDates::Fail, ..normal };
    assert_eq!(fingerprint_of(7, &mapping, &strict), "0000000000000007+6f07f768e6d12741");
    let first = ValuePolicies { zero_dates: ZeroDates::Date(1, 1, 1), ..normal };
    assert_ne!(fingerprint_of(7, &mapping, &first), fingerprint_of(7, &mapping, &strict));
}
