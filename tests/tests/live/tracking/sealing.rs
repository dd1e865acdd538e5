//! State that becomes true together with the data.

use super::{Pipeline, STRUCTURE, Way, copy, load, published, tracked, until, work};
use handoff_connect::{MyClient, PublishHook, SessionProfile};
use handoff_model::{ColumnName, CopyId, LossPolicy, TableSum};
use handoff_testbed::Trio;
use handoff_tracking::{AttemptStatus, PublishedMove, TrackedTable};

#[test]
fn a_copys_state_commits_by_itself_and_rolls_back_with_a_transaction() {
    let trio = Trio::new("seal replica");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    trio.sql_replica("CREATE TABLE t (a INT) ENGINE=InnoDB");
    let pool = pipeline.replica();
    let mut conn = pool.get(SessionProfile::Write).unwrap();
    let seal_id = CopyId::new();

    conn.query_drop("BEGIN").unwrap();
    conn.query_drop("INSERT INTO t VALUES (1)").unwrap();
    tracker.seal(work(seal_id, None)).on_replica(&mut conn, &published()).unwrap();
    conn.query_drop("ROLLBACK").unwrap();
    assert_eq!(tracked(&tracker), TrackedTable::default());
    let rows: Option<u8> = conn.query_first("SELECT COUNT(*) FROM t").unwrap();
    assert_eq!(rows, Some(0), "the seal committed the data");

    let statements = |conn: &mut MyClient| -> u64 {
        let sql = "SHOW SESSION STATUS LIKE 'Com_stmt_execute'";
        conn.query_first::<(String, u64), _>(sql).unwrap().unwrap().1
    };
    let before = statements(&mut conn);
    tracker.seal(work(seal_id, None)).on_replica(&mut conn, &published()).unwrap();
    assert_eq!(statements(&mut conn), before + 1);
    assert_eq!(copy(&tracker).copy_id, Some(seal_id), "another connection sees it at once");
}

#[test]
fn a_loads_state_is_one_statement_of_the_publishing_transaction() {
    let trio = Trio::new("seal target");
    for way in [Way::ThroughReplica, Way::Direct] {
        let pipeline = Pipeline::new(&trio, way);
        let tracker = pipeline.open();
        trio.sql_target("DROP TABLE IF EXISTS raw.t; CREATE TABLE raw.t (a int)");
        let mut conn = pipeline.target().get().unwrap();
        let mut tx = conn.transaction().unwrap();
        let id = CopyId::new();
        let before = statements(&trio);
        tracker.seal(work(id, Some(&until(4)))).on_target(&mut tx, &published()).unwrap();
        assert_eq!(statements(&trio), before + 1);
        tx.rollback().unwrap();
        assert_eq!(tracked(&tracker), TrackedTable::default());
        assert_eq!(pipeline.ask("SELECT count(*) FROM raw.etl_runs").as_deref(), Some("0"));
    }
}

/// How many statements on our tables the target has run.
fn statements(trio: &Trio) -> i64 {
    let sql = "SELECT coalesce(sum(calls), 0)::int8 FROM pg_stat_statements s \
               JOIN pg_database d ON d.oid = s.dbid \
               WHERE datname = $1::text AND query LIKE '%etl\\_%'";
    let mut admin = trio.target_server().admin().unwrap();
    admin.query_one(sql, &[&trio.target_name()]).unwrap().get(0)
}

#[test]
fn a_load_records_everything_about_it() {
    let trio = Trio::new("seal all");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    let id = CopyId::new();
    pipeline.seal_copy(&tracker, work(id, Some(&until(4))));
    let mut published = published();
    published.audit.add(&ColumnName::new("BirthDate").unwrap(), LossPolicy::ZeroDates, 3);
    let mut conn = pipeline.target().get().unwrap();
    let mut tx = conn.transaction().unwrap();
    tracker.seal(work(id, Some(&until(4)))).on_target(&mut tx, &published).unwrap();
    tx.commit().unwrap();

    let state = load(&tracker);
    assert_eq!((state.status, state.loaded_copy_id), (AttemptStatus::Success, Some(id)));
    assert_eq!(state.watermark.as_deref(), Some(&until(4)[..]));
    assert_eq!(state.fingerprint.as_deref(), Some(STRUCTURE));
    let rows = (state.rows, state.rows_inserted, state.rows_updated, state.rows_deleted);
    assert_eq!(rows, (Some(12), Some(5), Some(4), Some(3)));
    assert_eq!((state.bytes, state.strategy.as_deref()), (Some(4_096), Some("streaming")));
    assert_eq!(state.checksum, Some(TableSum { rows: 12, hash: 255 }.to_string()));
    assert_eq!(state.run, pipeline.run);

    let line = "SELECT concat_ws(' ', status, phase, extraction, reason, copy_strategy, \
                rows_copied, bytes_copied, load_strategy, rows_loaded, rows_inserted, \
                rows_updated, rows_deleted, bytes_loaded, lossy) FROM raw.etl_runs";
    assert_eq!(
        pipeline.ask(line).unwrap(),
        "success load full_table first_run streaming 12 4096 streaming 12 5 4 3 4096 \
         [{\"count\": 3, \"column\": \"BirthDate\", \"policy\": \"zero_dates\"}]"
    );
    let line = "SELECT copy_id || ' ' || (watermark->1->'watermark'->>'value') FROM raw.etl_runs";
    assert_eq!(pipeline.ask(line), Some(format!("{id} {}", u64::MAX)));
}

/// Without a replica the load's statement records the copy as well.
#[test]
fn a_direct_load_records_both_phases() {
    let trio = Trio::new("seal direct");
    let pipeline = Pipeline::new(&trio, Way::Direct);
    let tracker = pipeline.open();
    let watermark = until(4);
    let without_id = PublishedMove { copy_id: None, ..work(CopyId::new(), Some(&watermark)) };
    pipeline.seal_load(&tracker, without_id);
    let (copied, loaded) = (copy(&tracker), load(&tracker));
    assert!(copied.copy_id.is_some());
    assert_eq!(copied.copy_id, loaded.loaded_copy_id);
    assert_eq!(copied.watermark, loaded.watermark);
    assert!(!copied.loadable(), "there is no replica to load from");

    pipeline.seal_load(&tracker, without_id);
    assert_ne!(copy(&tracker).copy_id, copied.copy_id);
}

#[test]
fn a_seal_without_what_it_needs_is_an_error_of_its_side() {
    let trio = Trio::new("seal bad");
    let direct = Pipeline::new(&trio, Way::Direct);
    let through = Pipeline::new(&trio, Way::ThroughReplica);
    let mut conn = through.replica().get(SessionProfile::Write).unwrap();
    let id = CopyId::new();
    let tracker = direct.open();
    let fault = tracker.seal(work(id, None)).on_replica(&mut conn, &published()).unwrap_err();
    assert_eq!(fault.to_string(), "replica: a copy was made, but no replica is tracked");
    let tracker = through.open();
    let work = PublishedMove { copy_id: None, ..work(id, None) };
    let fault = tracker.seal(work).on_replica(&mut conn, &published()).unwrap_err();
    assert_eq!(fault.to_string(), "replica: a copy was made, but has no id");
    assert!(tracker.states().unwrap().is_empty());
}

/// A run whose end nobody recorded did not end well.
#[test]
fn a_run_that_only_drops_its_lock_has_failed() {
    let trio = Trio::new("seal dropped");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    drop(tracker.lock(handoff_tracking::LockWait::No).unwrap());
    let run = "SELECT status FROM raw.etl_runs WHERE table_name = ''";
    assert_eq!(pipeline.ask(run).as_deref(), Some("failed"));
}

/// Hop 1 alone leaves a line in the history as well, written at the end of the run.
#[test]
fn a_run_ends_with_a_line_for_what_was_only_copied() {
    let trio = Trio::new("seal finish");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    let lock = tracker.lock(handoff_tracking::LockWait::No).unwrap();
    let run = "SELECT status FROM raw.etl_runs WHERE table_name = ''";
    assert_eq!(pipeline.ask(run).as_deref(), Some("running"));
    pipeline.seal_copy(&tracker, work(CopyId::new(), Some(&until(4))));
    tracker.finish(AttemptStatus::Success).unwrap();
    drop(lock);
    assert_eq!(pipeline.ask(run).as_deref(), Some("success"));
    let line = "SELECT concat_ws(' ', status, phase, rows_copied, copy_strategy, \
                watermark->0->'watermark'->>'type', finished_at >= started_at) \
                FROM raw.etl_runs WHERE table_name <> ''";
    assert_eq!(pipeline.ask(line).as_deref(), Some("success copy 12 streaming timestamp t"));
}
