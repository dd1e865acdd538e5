//! What each event does to a table's state, on every pair of servers.

use super::{Pipeline, STRUCTURE, T, Way, chain, copy, load, tracked, until, work};
use handoff_model::{CopyId, ProofBy, TableName, TablePhase};
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use handoff_tracking::{
    AttemptFacts, AttemptStatus, ProofOutcome, ProofRecord, TrackedTable, reconcile,
};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Runs `check` with MariaDB, MySQL 9 (where it can be had) and nothing as the replica.
fn everywhere(test: &str, check: impl Fn(&Pipeline<'_>)) {
    let trio = Trio::new(test);
    check(&Pipeline::new(&trio, Way::ThroughReplica));
    let trio = Trio::new(test);
    check(&Pipeline::new(&trio, Way::Direct));
    if let Some(server) = mysql9() {
        let mysql = server.endpoint();
        let trio = Trio::on(test, mysql, mysql, Bed::shared().target());
        check(&Pipeline::new(&trio, Way::ThroughReplica));
    }
}

/// The MySQL 9 server of these tests; it ends with the process.
#[expect(clippy::print_stderr, reason = "a test that can't be run says so")]
fn mysql9() -> Option<&'static MySql9> {
    static SERVER: OnceLock<Option<MySql9>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match MySql9::start(&ServerOptions::default()) {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            eprintln!("not run on MySQL 9: {error}");
            None
        }
        Err(error) => panic!("{}", error.chain()),
    });
    server.as_ref()
}

/// Makes a good copy up to the first of the month.
fn good_copy(pipeline: &Pipeline<'_>) -> CopyId {
    let (id, tracker) = (CopyId::new(), pipeline.open());
    match pipeline.way {
        Way::ThroughReplica => pipeline.seal_copy(&tracker, work(id, Some(&until(1)))),
        Way::Direct => pipeline.seal_load(&tracker, work(id, Some(&until(1)))),
    }
    id
}

#[test]
fn a_copy_goes_from_running_to_success() {
    everywhere("tracking life", |pipeline| {
        let (id, tracker) = (CopyId::new(), pipeline.open());
        tracker.copy_started(&T, id, Some(&until(2)), STRUCTURE).unwrap();
        let state = copy(&tracker);
        assert_eq!(
            (state.status, state.copy_id, state.pending),
            (AttemptStatus::Running, None, Some(id))
        );
        assert_eq!(state.proposed.as_deref(), Some(&until(2)[..]));
        assert_eq!((state.watermark.as_deref(), state.run), (None, pipeline.run));
        assert!(state.started_at.is_some() && state.finished_at.is_none() && !state.loadable());

        match pipeline.way {
            Way::ThroughReplica => pipeline.seal_copy(&tracker, work(id, Some(&until(2)))),
            Way::Direct => pipeline.seal_load(&tracker, work(id, Some(&until(2)))),
        }
        let state = copy(&tracker);
        assert_eq!(
            (state.status, state.copy_id, state.pending),
            (AttemptStatus::Success, Some(id), None)
        );
        assert_eq!(state.watermark.as_deref(), Some(&until(2)[..]));
        assert_eq!((state.proposed, state.fingerprint.as_deref()), (None, Some(STRUCTURE)));
        assert_eq!((state.rows, state.bytes), (Some(12), Some(4_096)));
        assert_eq!(state.strategy.as_deref(), Some("streaming"));
        assert!(state.finished_at.is_some() && state.last_success_at == state.finished_at);
        let loadable = tracked(&tracker).loadable_copy();
        assert_eq!(loadable, (pipeline.way == Way::ThroughReplica).then_some(id));
    });
}

/// In the system that this one replaces, a failed copy overwrote the watermark with NULL.
#[test]
fn a_failed_or_cancelled_copy_keeps_the_last_good_one() {
    everywhere("tracking failed", |pipeline| {
        let good = good_copy(pipeline);
        let pipeline = pipeline.again();
        let tracker = pipeline.open();
        let before = copy(&tracker);
        for status in [AttemptStatus::Failed, AttemptStatus::Cancelled] {
            let next = CopyId::new();
            tracker.copy_started(&T, next, Some(&until(9)), "another").unwrap();
            tracker.failed(&T, TablePhase::Copy, status, "the disk is full\0").unwrap();
            let state = copy(&tracker);
            assert_eq!((state.status, state.copy_id), (status, Some(good)));
            assert_eq!(state.watermark.as_deref(), Some(&until(1)[..]));
            assert_eq!(state.fingerprint.as_deref(), Some(STRUCTURE));
            assert_eq!((state.rows, state.last_success_at), (before.rows, before.last_success_at));
            assert_eq!(state.error.as_deref(), Some("the disk is full"));
            assert_eq!(state.loadable(), pipeline.way == Way::ThroughReplica);
            let run = pipeline.run;
            let line = format!(
                "SELECT phase || ' ' || status || ' ' || error FROM raw.etl_runs \
                 WHERE run_id = '{run}' AND table_name <> ''"
            );
            assert_eq!(pipeline.ask(&line), Some(format!("copy {status} the disk is full")));
        }
    });
}

#[test]
fn a_failed_load_keeps_the_last_good_one() {
    everywhere("tracking failed load", |pipeline| {
        let (id, tracker) = (CopyId::new(), pipeline.open());
        pipeline.seal_load(&tracker, work(id, Some(&until(3))));
        let before = load(&tracker);
        tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "no").unwrap();
        let state = load(&tracker);
        assert_eq!((state.status, state.error.as_deref()), (AttemptStatus::Failed, Some("no")));
        assert_eq!(state.loaded_copy_id, Some(id));
        assert_eq!((&state.watermark, &state.checksum), (&before.watermark, &before.checksum));
        assert_eq!(state.last_success_at, before.last_success_at);
        assert!(tracked(&tracker).was_loaded() && tracked(&tracker).last_attempt_failed());
    });
}

#[test]
fn an_interrupted_copy_is_finished_or_undone() {
    everywhere("tracking recovery", |pipeline| {
        let good = good_copy(pipeline);
        let tracker = pipeline.open();
        let started = |next| tracker.copy_started(&T, next, Some(&until(5)), "another").unwrap();

        let next = CopyId::new();
        started(next);
        tracker.copy_finished_by_recovery(&T, CopyId::new()).unwrap();
        tracker.copy_undone(&T, CopyId::new()).unwrap();
        assert_eq!(copy(&tracker).status, AttemptStatus::Running, "another copy is meant");

        tracker.copy_undone(&T, next).unwrap();
        let state = copy(&tracker);
        assert_eq!((state.status, state.copy_id), (AttemptStatus::Interrupted, Some(good)));
        assert_eq!((state.pending, state.proposed.is_none()), (None, true));
        assert_eq!(state.watermark.as_deref(), Some(&until(1)[..]));
        assert_eq!(state.loadable(), pipeline.way == Way::ThroughReplica);
        assert!(tracked(&tracker).was_interrupted());

        started(next);
        tracker.copy_finished_by_recovery(&T, next).unwrap();
        let state = copy(&tracker);
        assert_eq!((state.status, state.copy_id), (AttemptStatus::Success, Some(next)));
        assert_eq!((state.pending, state.proposed.is_none()), (None, true));
        assert_eq!(state.watermark.as_deref(), Some(&until(5)[..]));
        assert_eq!(state.fingerprint.as_deref(), Some("another"));
        assert_eq!((state.rows, state.strategy), (None, None));
    });
}

#[test]
fn a_merge_that_did_not_end_well_is_not_loaded() {
    let trio = Trio::new("tracking merge");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let good = good_copy(&pipeline);
    let tracker = pipeline.open();
    let next = CopyId::new();
    tracker.merge_started(&T, next, Some(&until(5)), STRUCTURE).unwrap();
    let findings = findings(&tracker, &[], &["replica"]);
    assert!(findings[0].to_string().contains("while rows were merged"), "{}", findings[0]);
    assert!(tracker.settle(&findings[0]).unwrap());
    let state = copy(&tracker);
    assert_eq!((state.status, state.copy_id), (AttemptStatus::Interrupted, Some(good)));
    assert!(!state.loadable());

    tracker.copy_started(&T, next, None, STRUCTURE).unwrap();
    tracker.failed(&T, TablePhase::Copy, AttemptStatus::Failed, "no").unwrap();
    assert!(!copy(&tracker).loadable(), "the failed copy did not mend the table");
    pipeline.seal_copy(&tracker, work(next, None));
    assert!(copy(&tracker).loadable());
}

#[test]
fn an_adopted_table_is_ours_and_known_to_nobody() {
    everywhere("tracking adopt", |pipeline| {
        let tracker = pipeline.open();
        let foreign = findings(&tracker, &[], &["replica", "target"]);
        let refused = foreign.iter().filter(|finding| finding.refusal(&T).is_some()).count();
        assert_eq!(refused, if pipeline.way == Way::Direct { 1 } else { 2 });
        // That it failed for this reason does not make it ours.
        tracker.failed(&T, TablePhase::Copy, AttemptStatus::Failed, "not ours").unwrap();
        tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "not ours").unwrap();
        assert_eq!(findings(&tracker, &[], &["replica", "target"]), foreign);

        tracker.adopt(&T, pipeline.way == Way::ThroughReplica, true).unwrap();
        assert_eq!(findings(&tracker, &[], &["replica", "target"]), []);
        let state = tracked(&tracker);
        assert_eq!((state.loadable_copy(), state.was_loaded()), (None, false));

        // A table that is ours is not made to forget what it knows.
        let good = good_copy(pipeline);
        tracker.adopt(&T, true, true).unwrap();
        assert_eq!(copy(&tracker).copy_id, Some(good));
        assert_eq!(copy(&tracker).status, AttemptStatus::Success);
    });
}

#[test]
fn a_proof_is_recorded_for_many_tables_at_once() {
    let trio = Trio::new("tracking proof");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    pipeline.seal_load(&tracker, work(CopyId::new(), None));
    let proof = ProofRecord {
        outcome: ProofOutcome::Equal,
        by: ProofBy::Sums,
        detail: Some("{\"covers\": \"table\"}".into()),
        at: "2026-01-31T23:00:00.000042Z".parse().unwrap(),
        source_rows: Some(12),
        replica_rows: None,
        target_rows: Some(12),
    };
    let unknown = TableName::new("unknown").unwrap();
    tracker.proved(&[]).unwrap();
    tracker.proved(&[(T.clone(), proof.clone()), (unknown, proof.clone())]).unwrap();
    let state = load(&tracker);
    assert_eq!((state.proof.as_deref(), state.proved_at), (Some("equal"), Some(proof.at)));
    assert_eq!((state.proof_by, state.proof_detail), (Some(ProofBy::Sums), proof.detail));
    assert_eq!(
        (state.source_rows, state.replica_rows, state.target_rows),
        (Some(12), None, Some(12))
    );
    let line = "SELECT proof FROM raw.etl_runs WHERE table_name <> ''";
    assert_eq!(pipeline.ask(line).as_deref(), Some("equal"));

    pipeline.seal_load(&tracker, work(CopyId::new(), None));
    let state = load(&tracker);
    assert_eq!(state.proof, None, "it was about the load before");
}

#[test]
fn only_changes_that_mean_something_are_recorded() {
    let trio = Trio::new("tracking refused");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    let check = |phase, status, expected: &str| {
        let done = tracker.update_pipeline_status(&T, phase, status, &AttemptFacts::default());
        assert_eq!(chain(&done.unwrap_err()), expected);
    };
    check(
        TablePhase::Load,
        AttemptStatus::Success,
        "the status success of the phase load cannot be recorded: a load is recorded together \
         with its data, by a seal",
    );
    check(
        TablePhase::Copy,
        AttemptStatus::Running,
        "the status running of the phase copy cannot be recorded: it needs the copy's id",
    );
    assert_eq!(tracked(&tracker), TrackedTable::default());
}

#[test]
fn old_history_goes() {
    let trio = Trio::new("tracking prune");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "new").unwrap();
    tracker
        .failed(&TableName::new("u").unwrap(), TablePhase::Load, AttemptStatus::Failed, "old")
        .unwrap();
    trio.sql_target(
        "UPDATE raw.etl_runs SET started_at = now() - interval '91 days' WHERE error = 'old'",
    );
    assert_eq!(tracker.prune(92).unwrap(), 0);
    assert_eq!(tracker.prune(90).unwrap(), 1);
    assert_eq!(pipeline.ask("SELECT error FROM raw.etl_runs").as_deref(), Some("new"));
    assert_eq!(tracker.prune(u32::MAX).unwrap(), 0);
}

/// What reconcile finds with [`T`] in these places.
fn findings(
    tracker: &handoff_tracking::Tracker,
    shadows: &[(CopyId, bool)],
    places: &[&str],
) -> Vec<handoff_tracking::RecoveryFinding> {
    let there = |place: &str| -> BTreeSet<TableName> {
        places.contains(&place).then(|| T.clone()).into_iter().collect()
    };
    let states = tracker.states().unwrap();
    let replica = if tracker.has_replica() { there("replica") } else { BTreeSet::new() };
    reconcile(&states, shadows, &replica, &there("target"))
}
