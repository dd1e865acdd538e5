//! Faults that pass, faults that stay, and a run that is stopped.

use super::*;

#[test]
fn a_passing_fault_has_the_step_made_again() {
    let double = Double::of(100).fail("load all", passing());
    let report = moved(&double, by_sums(), &full_plan());
    assert_eq!(report.status, TableStatus::Ok);
    calls(&double, &["copy all", "publish copy", "load all", "load all", "publish load"]);
    assert!(double.events.0.lock().unwrap().contains(&"retrying".to_owned()));
    assert_eq!(report.retries, 1);
}

#[test]
fn a_copy_that_is_tried_again_has_another_identity() {
    let (double, plan) = (Double::of(100).fail("copy all", passing()), full_plan());
    moved(&double, by_sums(), &plan);
    let ids = double.copy_ids("copy all");
    assert_eq!((ids.len(), ids[0]), (2, plan.copy_id));
    assert_ne!(ids[0], ids[1]);
    assert_eq!(double.copy_ids("load all"), [ids[1]]);
}

#[test]
fn a_fault_that_passes_too_often_fails_the_table() {
    let mut double = Double::of(100);
    for _ in 0..3 {
        double = double.fail("load all", passing());
    }
    let report = moved(&double, by_sums(), &full_plan());
    failed(&report, "failed while looking");
    assert_eq!(double.copy_ids("load all").len(), 3);
}

#[test]
fn a_failure_after_the_first_hop_tells_of_that_hop() {
    let double = Double::of(100).fail("load all", lasting());
    let report = moved(&double, by_sums(), &full_plan());
    failed(&report, "no such function");
    assert!(report.copy.is_some() && report.load.is_none());
    let recorded = double.recorded.lock().unwrap();
    assert_eq!(recorded.len(), 1);
    assert!(recorded[0].starts_with("failed in Prove: "), "{recorded:?}");
}

#[test]
fn a_step_that_fails_is_followed_by_none() {
    for (what, before) in [
        ("probe", &["probe"][..]),
        ("copy window", &["probe", "copy window"]),
        ("count source", &["probe", "copy window", "count source"]),
        ("publish copy", &["probe", "copy window", "count source", "count placed", "publish copy"]),
    ] {
        let double = Double::of(100).fail(what, lasting());
        let report = moved(&double, by_sums(), &window_plan());
        failed(&report, "no such function");
        calls(&double, before);
    }
}

#[test]
fn a_lost_lock_ends_the_run() {
    let double = Double { lock_is_lost: true, ..Double::of(100) };
    let gate = gate();
    let report = double.scope(&gate, by_sums()).move_table(&full_plan());
    failed(&report, "the lock of the run was lost");
    assert!(gate.refusal().is_some());
    calls(&double, &[]);
}

#[test]
fn a_server_that_is_gone_ends_the_run() {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let fault = handoff_connect::Fault::my(Side::Source, &mysql::Error::IoError(reset));
    let mut double = Double::of(100);
    for _ in 0..3 {
        double = double.fail("copy all", TableError::Probe(fault.clone()));
    }
    let gate = gate();
    let report = double.scope(&gate, by_sums()).move_table(&full_plan());
    assert_eq!(report.status, TableStatus::Failed);
    assert!(gate.refusal().unwrap().contains("a server is gone"));
}

#[test]
fn a_run_that_was_stopped_makes_no_step() {
    let (double, gate) = (Double::of(100), gate());
    let scope = double.scope(&gate, by_sums());
    scope.cancel.cancel();
    let report = scope.move_table(&full_plan());
    assert_eq!(report.status, TableStatus::Cancelled);
    calls(&double, &[]);
}

#[test]
fn a_difference_is_a_failure_even_while_the_run_is_stopped() {
    let (double, gate) = (Double::of(100), gate());
    let scope = double.scope(&gate, by_sums());
    scope.cancel.cancel();
    let mut report = TableReport::begun(name(), None);
    scope.note_failure(&mut report, &TableError::Differs("x".to_owned()));
    assert_eq!(report.status, TableStatus::Failed);
}
