use super::*;
use handoff_model::ProofBy::{Counts, Rows, Sums};

fn rule(by: ProofBy) -> ProofRule {
    ProofRule { by, retains: false }
}

fn retaining(by: ProofBy) -> ProofRule {
    ProofRule { by, retains: true }
}

fn sum(rows: u64, hash: u128) -> TableSum {
    TableSum { rows, hash }
}

/// Numbers of rows that were asked for; `-` stands for a database that was not.
fn counted(rows: [&str; 3]) -> Evidence {
    let [source, replica, target] = rows.map(|rows| rows.parse().ok());
    Evidence::of_counts(SideRows { source, replica, target })
}

fn with_written(rows: [&str; 3], first_look: u64, written: u64) -> Evidence {
    let written = Some(WrittenSince { first_look, rows: written });
    Evidence { written, ..counted(rows) }
}

fn with_sums(source: Option<u128>, read: Option<u128>, target: Option<u128>) -> Evidence {
    let [source, read, target] = [source, read, target].map(|hash| Some(sum(5, hash?)));
    Evidence { sums: RowSums { source, read, target }, ..Evidence::begun() }
}

fn with_checksums(source: TableSum, replica: TableSum) -> Evidence {
    let mut evidence = Evidence::begun();
    evidence.take_checksums(Checksums { source, replica });
    evidence
}

#[track_caller]
fn check(evidence: &Evidence, rule: ProofRule, verdict: Verdict, by: ProofBy) {
    let proof = evidence.proof(rule).unwrap();
    assert_eq!((proof.verdict, proof.by), (verdict, by), "{evidence:?}");
}

#[track_caller]
fn differs(evidence: &Evidence, rule: ProofRule, by: Difference) {
    assert_eq!(evidence.difference(rule), Some(by), "{evidence:?}");
    assert_eq!(evidence.verdict(rule), Verdict::Differs);
}

#[test]
fn what_was_not_looked_at_is_no_proof() {
    for by in [Counts, Sums, Rows] {
        assert!(Evidence::default().proof(rule(by)).is_none());
        assert!(Evidence::default().error(rule(by)).is_none());
    }
}

#[test]
fn counts_that_are_the_same_everywhere_are_the_same_count() {
    for rows in
        [["5", "5", "5"], ["5", "-", "5"], ["5", "5", "-"], ["-", "5", "5"], ["-", "-", "5"]]
    {
        check(&counted(rows), rule(Counts), Verdict::SameCount, Counts);
        check(&counted(rows), rule(Sums), Verdict::SameCount, Counts);
    }
}

#[test]
fn replica_and_target_have_to_have_as_many_rows() {
    for rows in [["5", "5", "4"], ["5", "5", "6"], ["-", "5", "4"], ["-", "4", "5"]] {
        differs(&counted(rows), rule(Counts), Difference::Counts);
        differs(&counted(rows), retaining(Counts), Difference::Counts);
    }
}

#[test]
fn nothing_explains_rows_that_only_the_target_has() {
    let evidence = with_written(["5", "6", "6"], 5, 100);
    differs(&evidence, rule(Counts), Difference::Counts);
    differs(&with_written(["5", "-", "6"], 5, 100), rule(Counts), Difference::Counts);
}

#[test]
fn rows_that_stay_explain_those_that_only_the_target_has() {
    check(&counted(["5", "6", "6"]), retaining(Counts), Verdict::SameCount, Counts);
    check(&counted(["5", "-", "6"]), retaining(Sums), Verdict::SameCount, Counts);
}

#[test]
fn rows_that_stay_explain_no_missing_ones() {
    differs(&counted(["6", "5", "5"]), retaining(Counts), Difference::Counts);
    differs(&counted(["6", "-", "5"]), retaining(Counts), Difference::Counts);
}

#[test]
fn rows_written_since_the_first_look_explain_those_that_the_source_has_more() {
    check(&with_written(["7", "5", "5"], 5, 2), rule(Counts), Verdict::SameCount, Counts);
    check(&with_written(["7", "-", "5"], 5, 2), rule(Counts), Verdict::SameCount, Counts);
    check(&with_written(["7", "5", "5"], 4, 3), rule(Counts), Verdict::SameCount, Counts);
}

#[test]
fn more_rows_than_were_written_are_not_explained() {
    differs(&with_written(["8", "5", "5"], 5, 2), rule(Counts), Difference::Counts);
    differs(&counted(["6", "5", "5"]), rule(Counts), Difference::Counts);
}

#[test]
fn every_row_of_the_first_look_has_to_have_arrived() {
    // Two rows were written, and yet one is missing that was there before.
    differs(&with_written(["7", "5", "5"], 6, 2), rule(Counts), Difference::Counts);
    assert!(Evidence::may_be_explained(7, 6, 6));
    assert!(!Evidence::may_be_explained(7, 5, 6));
    assert!(!Evidence::may_be_explained(5, 5, 5));
    assert!(!Evidence::may_be_explained(4, 5, 0));
}

#[test]
fn numbers_that_servers_confirmed_are_not_judged() {
    let rows = SideRows { source: Some(5), replica: Some(6), target: Some(6) };
    let evidence = Evidence { rows, ..Evidence::begun() };
    check(&evidence, rule(Counts), Verdict::SameCount, Counts);
}

#[test]
fn equal_sums_are_equal_contents() {
    check(&with_sums(Some(1), Some(1), Some(1)), rule(Sums), Verdict::Equal, Sums);
    check(&with_sums(Some(1), Some(1), None), rule(Sums), Verdict::Equal, Sums);
    check(&with_sums(None, Some(1), Some(1)), rule(Sums), Verdict::Equal, Sums);
}

#[test]
fn a_sum_alone_says_nothing_of_contents() {
    check(&with_sums(None, Some(1), None), rule(Sums), Verdict::SameCount, Counts);
    check(&with_sums(Some(1), None, None), rule(Sums), Verdict::SameCount, Counts);
    check(&with_sums(Some(1), Some(1), None), rule(Counts), Verdict::SameCount, Counts);
}

#[test]
fn both_hops_have_to_read_the_same_rows() {
    differs(&with_sums(Some(1), Some(2), None), rule(Sums), Difference::Moved);
    differs(&with_sums(Some(1), Some(2), Some(2)), rule(Sums), Difference::Moved);
    let fewer = RowSums { source: Some(sum(5, 1)), read: Some(sum(4, 1)), target: None };
    let evidence = Evidence { sums: fewer, ..Evidence::begun() };
    differs(&evidence, rule(Sums), Difference::Moved);
}

#[test]
fn the_target_has_to_hold_what_was_read() {
    differs(&with_sums(Some(1), Some(1), Some(2)), rule(Sums), Difference::Loaded);
    differs(&with_sums(None, Some(1), Some(2)), rule(Rows), Difference::Loaded);
}

#[test]
fn sums_that_are_equal_excuse_no_counts() {
    let evidence = Evidence {
        rows: counted(["5", "5", "4"]).rows,
        counted: true,
        ..with_sums(Some(1), Some(1), None)
    };
    differs(&evidence, rule(Sums), Difference::Counts);
}

#[test]
fn bytes_of_source_and_replica_alone_prove_no_target() {
    let evidence = with_checksums(sum(5, 1), sum(5, 1));
    check(&evidence, rule(Rows), Verdict::SameCount, Rows);
    assert_eq!(evidence.rows, SideRows { source: Some(5), replica: Some(5), target: None });
}

#[test]
fn one_other_byte_in_the_replica_differs() {
    differs(&with_checksums(sum(5, 1), sum(5, 2)), rule(Rows), Difference::Copied);
    differs(&with_checksums(sum(6, 1), sum(5, 1)), rule(Rows), Difference::Copied);
}

#[test]
fn rows_that_were_read_back_are_equal_or_differ() {
    let mut evidence = with_checksums(sum(5, 1), sum(5, 1));
    evidence.take_read_back(sum(5, 9), sum(5, 9));
    check(&evidence, rule(Rows), Verdict::Equal, Rows);
    evidence.take_read_back(sum(5, 9), sum(5, 8));
    differs(&evidence, rule(Rows), Difference::Loaded);
}

#[test]
fn rows_that_were_only_read_are_compared_with_nothing() {
    check(&with_sums(None, Some(1), None), rule(Rows), Verdict::SameCount, Counts);
    check(&with_sums(Some(1), Some(1), None), rule(Rows), Verdict::SameCount, Counts);
    check(&with_sums(None, None, Some(1)), rule(Rows), Verdict::SameCount, Counts);
}

#[test]
fn where_every_row_is_compared_no_write_explains_another_number() {
    for rows in [["6", "5", "-"], ["6", "-", "-"], ["-", "6", "-"]] {
        let mut evidence = with_written(rows, 5, 9);
        evidence.take_read_back(sum(5, 9), sum(5, 9));
        differs(&evidence, rule(Rows), Difference::Counts);
    }
}

#[test]
fn a_comparison_of_every_row_decides_alone() {
    let compared =
        |differing| Evidence { differing: Some(differing), ..with_sums(None, Some(1), Some(2)) };
    check(&compared(0), rule(Rows), Verdict::Equal, Rows);
    differs(&compared(3), rule(Rows), Difference::Rows);
    let kept = Evidence { differing: Some(0), ..counted(["5", "5", "8"]) };
    check(&kept, retaining(Rows), Verdict::Equal, Rows);
}

#[test]
fn other_numbers_of_rows_are_miscounted_unless_every_row_is_compared() {
    let evidence = counted(["5", "5", "4"]);
    assert!(matches!(evidence.error(rule(Counts)), Some(TableError::Miscounted(_))));
    assert!(matches!(evidence.error(rule(Sums)), Some(TableError::Miscounted(_))));
    assert!(matches!(evidence.error(rule(Rows)), Some(TableError::Differs(_))));
    let sums = with_sums(Some(1), Some(2), None);
    assert!(matches!(sums.error(rule(Sums)), Some(TableError::Differs(_))));
}

#[track_caller]
fn says(difference: Difference, expected: &str) {
    assert_eq!(counted(["7", "6", "5"]).sentence(difference), expected);
}

#[test]
fn a_difference_is_one_sentence_with_the_counts() {
    let counts = "7 rows in the source, 6 rows in the replica, 5 rows in the target";
    says(Difference::Counts, &format!("the row counts are not the same ({counts})"));
    says(Difference::Rows, &format!("the row counts are not the same ({counts})"));
    says(Difference::Loaded, &format!("the rows read are not the rows in the target ({counts})"));
    says(
        Difference::Moved,
        &format!("the rows read in the source are not the rows read in the replica ({counts})"),
    );
    says(
        Difference::Copied,
        &format!(
            "the rows of source and replica are not the same ({counts}); if the source was written \
             to meanwhile, run the table again"
        ),
    );
}

#[test]
fn a_database_that_was_not_asked_is_not_in_the_sentence() {
    let text = counted(["-", "6", "5"]).sentence(Difference::Counts);
    assert_eq!(
        text,
        "the row counts are not the same (6 rows in the replica, 5 rows in the target)"
    );
}

#[test]
fn rows_that_stay_are_told_where_they_may_stay() {
    let evidence = counted(["5", "8", "8"]);
    assert_eq!(evidence.retained(rule(Counts)), None);
    assert_eq!(evidence.retained(retaining(Counts)), Some(3));
    assert!(evidence.retained_note(retaining(Counts)).unwrap().contains("holds 3 rows more"));
    assert_eq!(counted(["5", "5", "5"]).retained_note(retaining(Counts)), None);
    assert_eq!(counted(["5", "5", "-"]).retained(retaining(Counts)), None);
    assert_eq!(counted(["9", "8", "8"]).retained(retaining(Counts)), None);
}

#[test]
fn a_proof_holds_all_that_was_seen() {
    let mut evidence = with_checksums(sum(5, 1), sum(5, 1));
    evidence.take_read_back(sum(5, 9), sum(5, 9));
    evidence.looked(Duration::from_millis(7));
    let proof = evidence.proof(rule(Rows)).unwrap();
    assert_eq!(
        (proof.source_rows, proof.replica_rows, proof.target_rows),
        (Some(5), Some(5), Some(5))
    );
    assert_eq!((proof.source_checksum, proof.replica_checksum), (Some(sum(5, 1)), Some(sum(5, 1))));
    assert_eq!(
        (proof.source_sum, proof.read_sum, proof.target_sum),
        (None, Some(sum(5, 9)), Some(sum(5, 9)))
    );
    assert_eq!((proof.duration_ms, proof.counted, proof.covers), (7, true, Covers::Table));
}

#[test]
fn a_proof_of_moved_rows_says_so() {
    let evidence = Evidence { is_of_moved: true, ..with_sums(Some(1), Some(1), None) };
    let proof = evidence.proof(rule(Sums)).unwrap();
    assert_eq!((proof.covers, proof.verdict), (Covers::MovedRows, Verdict::Equal));
}

#[test]
fn the_first_look_dates_a_proof() {
    let mut evidence = Evidence::default();
    evidence.looked(Duration::from_millis(1));
    let first = evidence.at.unwrap();
    evidence.looked(Duration::from_millis(2));
    assert_eq!((evidence.at, evidence.took), (Some(first), Duration::from_millis(3)));
}
