use super::*;
use crate::table::tests::plans::{ALL, BOTH, comparison, full_plan};

fn stale(count: i32) -> Vec<(DifferenceKind, i32)> {
    (0..count).map(|key| (DifferenceKind::Stale, key)).collect()
}

fn phantom(count: i32) -> Vec<(DifferenceKind, i32)> {
    (0..count).map(|key| (DifferenceKind::Phantom, key)).collect()
}

fn missing(count: i32) -> Vec<(DifferenceKind, i32)> {
    (0..count).map(|key| (DifferenceKind::Missing, key)).collect()
}

#[test]
fn keys_of_all_pairs_on_the_way_are_brought_into_line() {
    let found = comparison(&ALL, 100, &[(DifferenceKind::Stale, 1), (DifferenceKind::Missing, 2)]);
    let mapping = &full_plan().mapping;
    assert_eq!(found.keys(mapping, Side::Replica).unwrap().len(), 2);
    assert_eq!(found.keys(mapping, Side::Target).unwrap().len(), 4);
    assert!(found.keys(mapping, Side::Source).unwrap().is_empty());
}

#[test]
fn rows_that_change_all_the_time_are_among_the_keys() {
    let mut found = comparison(&BOTH, 100, &[]);
    found.0.pairs[0].moving = 1;
    found.0.pairs[0].moving_rows = vec![RowKey::of(&[&1_i32.to_be_bytes()])];
    assert_eq!(found.keys(&full_plan().mapping, Side::Replica).unwrap().len(), 1);
    assert_eq!(found.differing(), 1);
    assert!(found.is_listed(Side::Replica) && found.differs_before(Side::Replica));
    assert_eq!(found.note().unwrap(), "1 row changed in the source while they were compared");
}

#[test]
fn more_than_a_tenth_is_too_much() {
    assert!(!comparison(&BOTH, 100, &stale(10)).is_too_much(Side::Replica));
    assert!(comparison(&BOTH, 100, &stale(11)).is_too_much(Side::Replica));
    assert!(!comparison(&BOTH, 0, &[]).is_too_much(Side::Replica));
}

#[test]
fn rows_that_are_not_listed_are_too_much() {
    let mut found = comparison(&BOTH, 100, &stale(1));
    found.0.pairs[0].stale = 2;
    assert!(found.is_too_much(Side::Replica));
    assert!(!found.is_listed(Side::Replica));
}

#[test]
fn new_rows_of_a_window_are_not_beside_it() {
    let found = comparison(&BOTH, 100, &missing(30));
    assert!(found.is_too_much(Side::Replica));
    assert!(!found.is_too_much_beside(Side::Replica, Some(30)));
    assert!(!found.is_too_much_beside(Side::Replica, Some(20)));
    assert!(found.is_too_much_beside(Side::Replica, Some(19)));
    // A window of an unknown number of rows may bring them all.
    assert!(!found.is_too_much_beside(Side::Replica, None));
}

#[test]
fn rows_that_are_gone_are_beside_every_window() {
    assert!(!comparison(&BOTH, 100, &phantom(10)).is_too_much_beside(Side::Replica, None));
    assert!(comparison(&BOTH, 100, &phantom(11)).is_too_much_beside(Side::Replica, None));
}

#[test]
fn rows_that_are_gone_have_to_be_listed_and_new_ones_need_not() {
    let mut found = comparison(&BOTH, 1000, &[(DifferenceKind::Phantom, 1)]);
    found.0.pairs[0].missing = 5;
    assert!(!found.is_too_much_beside(Side::Replica, Some(5)));
    found.0.pairs[0].phantom = 2;
    assert!(found.is_too_much_beside(Side::Replica, Some(5)));
}

#[test]
fn rows_that_only_a_copy_has_are_its_surplus() {
    let mapping = &full_plan().mapping;
    let found = comparison(
        &BOTH,
        100,
        &[(DifferenceKind::Phantom, 1), (DifferenceKind::Stale, 2), (DifferenceKind::Missing, 3)],
    );
    assert_eq!(found.surplus(mapping, Side::Replica), 1);
    assert_eq!(comparison(&BOTH, 100, &stale(3)).surplus(mapping, Side::Replica), 0);
}

#[test]
fn rows_that_one_pair_lacks_and_the_next_has_are_no_surplus() {
    let mapping = &full_plan().mapping;
    let mut found = comparison(&ALL, 100, &[]);
    let first = comparison(&BOTH, 100, &missing(1)).0.pairs.remove(0);
    let second = comparison(&[Side::Replica, Side::Target], 100, &phantom(1)).0.pairs.remove(0);
    found.0.pairs = vec![first, second];
    assert_eq!(found.surplus(mapping, Side::Target), 0);
}

#[test]
fn what_is_not_listed_is_counted_as_surplus() {
    let mapping = &full_plan().mapping;
    let mut found = comparison(&BOTH, 100, &phantom(1));
    found.0.pairs[0].phantom = 40;
    assert_eq!(found.surplus(mapping, Side::Replica), 40);
    found.0.pairs[0].missing = 40;
    assert_eq!(found.surplus(mapping, Side::Replica), 40);
    // Without a key a row that changed is one that went and one that came.
    let mut keyless = (**mapping).clone();
    keyless.key.clear();
    assert_eq!(found.surplus(&keyless, Side::Replica), 0);
}

#[test]
fn rows_that_stay_are_no_difference_to_the_source() {
    let found = comparison(&ALL, 100, &[(DifferenceKind::Phantom, 1), (DifferenceKind::Stale, 2)]);
    let found = found.without_retained();
    let counts = |pair: &PairDifferences| (pair.phantom, pair.stale, pair.rows.len());
    // The target has to hold what the replica does, whatever stays there.
    assert_eq!(found.0.pairs.iter().map(counts).collect::<Vec<_>>(), [(0, 1, 1), (1, 1, 2)]);
}

#[test]
fn a_comparison_is_evidence_of_every_row() {
    let evidence = comparison(&ALL, 100, &stale(2)).evidence(false);
    assert_eq!(evidence.differing, Some(4));
    assert_eq!(evidence.rows.source, Some(100));
    assert!(evidence.counted && evidence.sums.read.is_some() && evidence.sums.target.is_some());
}

#[test]
fn sums_of_rows_that_stay_are_no_evidence() {
    let evidence = comparison(&ALL, 100, &[]).evidence(true);
    assert_eq!((evidence.differing, evidence.sums), (Some(0), RowSums::default()));
}

#[test]
fn the_last_side_is_the_end_of_the_comparison() {
    assert_eq!(comparison(&ALL, 1, &[]).last_side(), Side::Target);
    assert_eq!(comparison(&BOTH, 1, &[]).last_side(), Side::Replica);
}
