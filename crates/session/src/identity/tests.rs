//! Whose data the tables of a run hold, and what is said of it.

use super::*;
use handoff_plan::testing;
use handoff_tracking::DataOrigin;

fn at(host: &str) -> DatabaseIdentity {
    let machine = Some(format!("{host}:3306:/var/lib/mysql/"));
    let birthmark = Some(format!("born on {host}"));
    DatabaseIdentity { machine, birthmark, ..DatabaseIdentity::at(host, 3306, "x") }
}

fn table(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

/// A table that was carried from `source`, where that is known.
fn carried(source: Option<&DatabaseIdentity>) -> TrackedTable {
    let mut tracked = testing::tracked();
    let origin = DataOrigin { source: source.cloned(), ..DataOrigin::default() };
    tracked.copy.as_mut().unwrap().origin = origin.clone();
    tracked.load.as_mut().unwrap().origin = origin;
    tracked
}

fn run(consent: OwnershipConsent) -> Ownership {
    let identities = RunIdentities { source: Some(at("clinic")), replica: None, target: None };
    Ownership { identities, hops: Hops::Both, by: IdentityBy::Server, consent }
}

fn wanted(names: &[&str]) -> BTreeSet<TableName> {
    names.iter().map(|name| table(name)).collect()
}

fn states(of: &[(&str, Option<&str>)]) -> BTreeMap<TableName, TrackedTable> {
    of.iter().map(|(name, host)| (table(name), carried(host.map(at).as_ref()))).collect()
}

#[test]
fn tables_of_this_source_need_no_consent() {
    let states = states(&[("a", Some("clinic"))]);
    let ownership = run(OwnershipConsent::Unneeded);
    assert_eq!(ownership.change(&states, &wanted(&["a", "new"])), None);
    let judged = ownership.judge(&states, &wanted(&["a", "new"])).unwrap();
    assert!(judged.replaced.is_empty() && judged.recorded.is_empty() && judged.notes.is_empty());
}

#[test]
fn tables_of_another_source_are_one_change() {
    let states = states(&[("a", Some("away")), ("b", Some("clinic")), ("c", Some("away"))]);
    let change =
        run(OwnershipConsent::Unneeded).change(&states, &wanted(&["a", "b", "c"])).unwrap();
    assert_eq!(change.tables, [table("a"), table("c")]);
    assert_eq!(change.change, IdentityChange::SourceServer);
    assert_eq!((change.recorded, change.now), (at("away"), at("clinic")));
}

#[test]
fn tables_that_are_not_meant_are_no_change() {
    let states = states(&[("a", Some("away"))]);
    assert_eq!(run(OwnershipConsent::Unneeded).change(&states, &wanted(&["b"])), None);
}

#[test]
fn without_consent_the_run_is_refused() {
    let states = states(&[("a", Some("away"))]);
    let error = run(OwnershipConsent::Unneeded).judge(&states, &wanted(&["a"])).unwrap_err();
    assert!(matches!(error, SessionError::OtherSource(_)), "{error}");
    assert!(error.is_usage() && error.to_string().contains("nothing was written"), "{error}");
}

#[test]
fn a_source_that_is_the_same_is_recorded_anew() {
    let states = states(&[("a", Some("away"))]);
    for (consent, says) in [
        (OwnershipConsent::SameSource, "the source is another one, by --same-source: it was "),
        (
            OwnershipConsent::SameRows(1),
            "the source is another one and holds the same rows in 1 table: it was ",
        ),
    ] {
        let judged = run(consent).judge(&states, &wanted(&["a"])).unwrap();
        assert_eq!(judged.recorded, wanted(&["a"]));
        assert!(judged.replaced.is_empty());
        assert!(judged.notes[0].starts_with(says), "{:?}", judged.notes);
    }
}

#[test]
fn a_new_source_replaces_every_table_that_was_met() {
    let states = states(&[("a", Some("away")), ("b", Some("clinic"))]);
    let judged =
        run(OwnershipConsent::NewSource).judge(&states, &wanted(&["a", "b", "c"])).unwrap();
    assert_eq!(judged.replaced, wanted(&["a", "b"]));
    assert!(judged.notes[0].contains("by --new-source"), "{:?}", judged.notes);
}

#[test]
fn a_source_that_was_asked_for_replaces_until_it_has_arrived() {
    let mut states = states(&[("a", Some("away"))]);
    let tracked = states.get_mut(&table("a")).unwrap();
    tracked.copy.as_mut().unwrap().origin.next_source = Some(at("clinic"));
    tracked.load.as_mut().unwrap().origin.next_source = Some(at("clinic"));
    let judged = run(OwnershipConsent::Unneeded).judge(&states, &wanted(&["a"])).unwrap();
    assert_eq!(judged.replaced, wanted(&["a"]));
}

#[test]
fn tables_of_an_earlier_version_are_recorded_with_a_word() {
    let states = states(&[("a", None), ("b", None)]);
    let judged = run(OwnershipConsent::Unneeded).judge(&states, &wanted(&["a", "b"])).unwrap();
    assert_eq!(judged.recorded, wanted(&["a", "b"]));
    assert!(
        judged.notes[0].starts_with("an earlier version recorded 2 tables without"),
        "{judged:?}"
    );
}

#[test]
fn a_source_that_tells_nothing_of_itself_is_known_by_its_address() {
    let source = DatabaseIdentity::at("clinic", 3306, "x");
    let identities = RunIdentities { source: Some(source), replica: None, target: None };
    let ownership = Ownership { identities, ..run(OwnershipConsent::Unneeded) };
    let judged = ownership.judge(&BTreeMap::new(), &BTreeSet::new()).unwrap();
    assert!(
        judged.notes[0].starts_with("the source does not tell which server it is"),
        "{judged:?}"
    );
}

#[test]
fn a_source_that_moved_is_told_with_both_places() {
    let moved = DatabaseIdentity { host: "10.0.0.1".to_owned(), ..at("clinic") };
    let states = [(table("a"), carried(Some(&moved)))].into();
    let judged = run(OwnershipConsent::Unneeded).judge(&states, &wanted(&["a"])).unwrap();
    assert!(judged.notes[0].starts_with("the source moved: it was "), "{judged:?}");
    assert_eq!(judged.recorded, wanted(&["a"]));
}

#[test]
fn another_target_is_told_once() {
    let mut states = states(&[("a", Some("clinic")), ("b", Some("clinic"))]);
    for tracked in states.values_mut() {
        tracked.load.as_mut().unwrap().origin.target = Some(at("pg"));
    }
    let identities =
        RunIdentities { target: Some(at("pg2")), ..run(OwnershipConsent::Unneeded).identities };
    let ownership = Ownership { identities, ..run(OwnershipConsent::Unneeded) };
    let judged = ownership.judge(&states, &wanted(&["a", "b"])).unwrap();
    let told: Vec<&String> =
        judged.notes.iter().filter(|note| note.starts_with("the target is another one")).collect();
    assert_eq!(told.len(), 1, "{:?}", judged.notes);
}

#[test]
fn records_alone_tell_that_the_settings_lead_elsewhere() {
    let settings = Settings::new("mysql://a@clinic/x", None, "postgres://a@b/c").unwrap();
    let notes =
        recorded_elsewhere(&settings, &states(&[("a", Some("away")), ("b", Some("clinic"))]));
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("`a` came from "), "{notes:?}");
    assert!(notes[0].ends_with("finds out whether that is the same one, and stops if it is not"));
    assert_eq!(recorded_elsewhere(&settings, &states(&[("b", Some("clinic"))])), [""; 0]);
}

fn change(change: IdentityChange, hops: Hops) -> SourceChange {
    let tables = ["a", "b", "c", "d", "e"].map(table).into();
    SourceChange { change, recorded: at("away"), now: at("clinic"), tables, hops }
}

#[test]
fn a_change_says_what_is_another_one() {
    use IdentityChange::{Configuration, Replica, SourceDatabase, SourceServer};
    for (what, hops, says) in [
        (SourceServer, Hops::Both, "the source is another server: "),
        (SourceDatabase, Hops::Copy, "the source is another database: "),
        (SourceServer, Hops::Load, "the replica was filled from another source: "),
        (Configuration, Hops::Both, "another configuration loads into this target: "),
        (Replica, Hops::Load, "the replica is another one: "),
    ] {
        let told = change(what, hops).what();
        assert!(told.starts_with(says), "{told}");
        assert!(told.contains("`a`, `b`, `c` and 2 other tables"), "{told}");
    }
}

#[test]
fn the_ways_on_are_commands_of_the_hops() {
    for (hops, verb) in [(Hops::Both, "run"), (Hops::Copy, "replicate"), (Hops::Load, "load")] {
        let change = change(IdentityChange::SourceServer, hops);
        let expected = [format!("etl {verb} --new-source"), format!("etl {verb} --same-source")];
        assert_eq!(change.remedies(), expected);
        assert!(change.to_string().contains(&format!("`etl {verb} --new-source` replaces")));
    }
}

#[test]
fn a_few_tables_are_named_and_the_others_counted() {
    let tables = ["a", "b", "c", "d"].map(table);
    assert_eq!(named(&tables[..3]), "`a`, `b`, `c`");
    assert_eq!(named(&tables), "`a`, `b`, `c` and 1 other table");
}
