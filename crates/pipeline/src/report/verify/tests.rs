use super::*;

fn side(side: Side, rows: u64) -> CountedSide {
    CountedSide { side, rows }
}

/// Source and replica, and replica and target, with these numbers of rows.
fn counted(source: u64, replica: u64, target: u64) -> Vec<VerifyPair> {
    let [source, replica, target] =
        [side(Side::Source, source), side(Side::Replica, replica), side(Side::Target, target)];
    vec![VerifyPair::counted(source, replica), VerifyPair::counted(replica, target)]
}

#[test]
fn numbers_that_are_the_same_are_equal() {
    assert_eq!(VerifyStatus::of(&counted(5, 5, 5), false), VerifyStatus::Equal);
    assert_eq!(VerifyStatus::of(&[], false), VerifyStatus::Equal);
}

#[test]
fn one_row_more_or_less_anywhere_differs() {
    for pairs in [counted(5, 4, 4), counted(5, 6, 6), counted(5, 5, 4), counted(5, 5, 6)] {
        assert_eq!(VerifyStatus::of(&pairs, false), VerifyStatus::Differs);
    }
}

#[test]
fn rows_that_stay_behind_the_source_are_equal() {
    assert_eq!(VerifyStatus::of(&counted(5, 6, 6), true), VerifyStatus::Equal);
    let direct = [VerifyPair::counted(side(Side::Source, 5), side(Side::Target, 8))];
    assert_eq!(VerifyStatus::of(&direct, true), VerifyStatus::Equal);
}

#[test]
fn rows_that_only_the_target_has_do_not_stay_behind_a_replica() {
    assert_eq!(VerifyStatus::of(&counted(5, 6, 7), true), VerifyStatus::Differs);
    assert_eq!(VerifyStatus::of(&counted(5, 4, 4), true), VerifyStatus::Differs);
}

#[test]
fn rows_that_change_all_the_time_are_moving_unless_others_differ() {
    let mut pairs = counted(5, 5, 5);
    pairs[0].moving = 1;
    assert_eq!(VerifyStatus::of(&pairs, false), VerifyStatus::Moving);
    pairs[1].stale = 1;
    assert_eq!(VerifyStatus::of(&pairs, false), VerifyStatus::Differs);
}

#[test]
fn a_pair_of_counts_says_which_side_has_more() {
    let pair = VerifyPair::counted(side(Side::Source, 7), side(Side::Target, 5));
    assert_eq!((pair.missing, pair.phantom, pair.all_listed), (2, 0, false));
    let pair = VerifyPair::counted(side(Side::Source, 5), side(Side::Target, 7));
    assert_eq!((pair.missing, pair.phantom, pair.all_listed), (0, 2, false));
}

#[test]
fn rows_that_stay_are_told() {
    let table = TableName::new("t").unwrap();
    let done = VerifyTable::of_pairs(table.clone(), counted(5, 8, 8), true);
    assert_eq!(done.status, VerifyStatus::Equal);
    assert!(done.notes[0].starts_with("3 rows that the source no longer has are retained"));
    assert!(VerifyTable::of_pairs(table, counted(5, 8, 8), false).notes.is_empty());
}
