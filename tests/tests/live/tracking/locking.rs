//! One run at a time, and what a dead one leaves.
//!
//! The other process is this test binary once more, told by [`ROLE`] to hold the lock and to keep
//! both servers busy.

use super::{Pipeline, T, Way, copy, published, work};
use handoff_connect::{PgPool, PoolOptions, PublishHook, SessionProfile};
use handoff_model::{CancelToken, CopyId, RunId, TablePhase};
use handoff_settings::PgServer;
use handoff_testbed::{MySqlEndpoint, Trio};
use handoff_tracking::{AttemptStatus, LockRefused, LockWait, Tracker, TrackingError};
use mysql::prelude::Queryable;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Set in the other process: the URLs of replica and target.
const ROLE: &str = "HANDOFF_TRACKING_OTHER_PROCESS";

#[test]
fn other_process() {
    let Ok(urls) = env::var(ROLE) else { return };
    let (replica, target) = urls.split_once(' ').unwrap();
    let options = PoolOptions { size: 3, ..PoolOptions::default() };
    let replica = handoff_settings::MySqlServer::from_url(replica).unwrap();
    let side = handoff_connect::Side::Replica;
    let replica = handoff_connect::MyPool::open(&replica, side, &options).unwrap();
    let target = PgPool::open(&PgServer::from_url(target).unwrap(), &options).unwrap();
    let tracker = Tracker::open(options.run, Some(replica.clone()), target.clone(), "raw").unwrap();
    let _lock = tracker.lock(LockWait::No).unwrap();
    tracker.copy_started(&T, CopyId::new(), None, "").unwrap();
    let mut conn = replica.get(SessionProfile::Write).unwrap();
    thread::spawn(move || conn.query_drop("SELECT BENCHMARK(100000000000, MD5('a'))").unwrap());
    let mut conn = target.get().unwrap();
    thread::spawn(move || conn.batch_execute("SELECT pg_sleep(600)").unwrap());
    println!("\nholding {}", options.run);
    thread::sleep(Duration::from_secs(600));
}

struct OtherProcess {
    child: Child,
    run: RunId,
    server: MySqlEndpoint,
    database: String,
}

impl OtherProcess {
    fn start(trio: &Trio) -> OtherProcess {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "tracking::locking::other_process", "--nocapture"])
            .env(ROLE, format!("{} {}", trio.replica_url(), trio.target_url()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let run = lines.find_map(|line| RunId::parse(line.unwrap().strip_prefix("holding ")?));
        let run = run.expect("the other process holds the lock");
        let (server, database) = (trio.replica_server().clone(), trio.replica_name());
        OtherProcess { child, run, server, database }
    }

    fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        self.kill9();
        // The server goes on with a statement whose client is gone.
        let mut conn = self.server.admin().unwrap();
        let sql = "SELECT id FROM information_schema.processlist WHERE db = ?";
        let ids: Vec<u64> = conn.exec(sql, (&self.database,)).unwrap();
        for id in ids {
            // It may have ended by now.
            let _ = conn.query_drop(format!("KILL {id}"));
        }
    }
}

#[test]
fn a_second_run_is_refused_and_told_who_holds_the_lock() {
    let trio = Trio::new("lock held");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let other = OtherProcess::start(&trio);
    let tracker = pipeline.open();
    let LockRefused::Held { side, holder } = tracker.lock(LockWait::No).unwrap_err() else {
        panic!("the lock was refused for another reason");
    };
    assert_eq!((side.to_string().as_str(), holder.run), ("target", Some(other.run)));
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(holder.host.as_deref(), Some(hostname.trim()));
    assert_eq!(holder.process, Some(other.child.id().to_string()));
    assert!(holder.since.is_some() && holder.session.is_some());

    let error = tracker.end_orphans().unwrap_err();
    assert!(matches!(error, TrackingError::NotLocked(_)), "{error}");
    assert!(pipeline.target().orphans(other.run).unwrap().len() > 1, "it lives on");
}

#[test]
fn a_run_that_was_killed_gives_up_its_lock_and_its_sessions_are_ended() {
    let trio = Trio::new("lock killed");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let mut other = OtherProcess::start(&trio);
    let (replica, target) = (pipeline.replica(), pipeline.target());
    until_busy(&trio);
    other.kill9();

    let tracker = pipeline.open();
    let _lock = tracker.lock(LockWait::Until(CancelToken::new())).unwrap();
    // The busy sessions do not notice that nobody listens any more.
    assert_eq!(replica.orphans(other.run).unwrap().len(), 1);
    assert_eq!(target.orphans(other.run).unwrap().len(), 1);
    assert_eq!(tracker.dead_runs().unwrap(), [other.run]);
    let ended = tracker.end_orphans().unwrap();
    let sentence = |side| format!("ended 1 session of the dead run {} on the {side}", other.run);
    assert_eq!(ended, [sentence("replica"), sentence("target")]);
    assert!(replica.orphans(other.run).unwrap().is_empty());
    assert!(target.orphans(other.run).unwrap().is_empty());
    let run = format!("SELECT status FROM raw.etl_runs WHERE run_id = '{}'", other.run);
    assert_eq!(pipeline.ask(&run).as_deref(), Some("interrupted"));

    // The copy it had begun is left for reconcile, and its line is not looked at again.
    let state = copy(&tracker);
    assert_eq!(state.status, AttemptStatus::Running);
    tracker.copy_undone(&T, state.pending.unwrap()).unwrap();
    assert!(tracker.end_orphans().unwrap().is_empty());
    assert!(tracker.dead_runs().unwrap().is_empty());
}

/// Waits until both servers run what the other process asked for.
#[track_caller]
fn until_busy(trio: &Trio) {
    let replica = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
         WHERE DB = '{}' AND INFO LIKE 'SELECT BENCHMARK%'",
        trio.replica_name()
    );
    let target = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND query LIKE '%pg_sleep(600)'";
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let on_replica: Option<i64> = trio.replica().query_first(&replica).unwrap();
        let on_target: i64 = trio.target().query_one(target, &[]).unwrap().get(0);
        if (on_replica, on_target) == (Some(1), 1) {
            return;
        }
        assert!(Instant::now() < end, "the statements never began");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn pipelines_beside_ours_are_left_alone() {
    let trio = Trio::new("lock beside");
    let ours = Pipeline::new(&trio, Way::Direct);
    let theirs = ours.again();
    theirs.target().ensure_schema("theirs", &[]).unwrap();
    let tracker = Tracker::open(theirs.run, None, theirs.target(), "theirs").unwrap();
    let beside = tracker.lock(LockWait::No).unwrap();
    let busy = theirs.target().get().unwrap();

    let tracker = ours.open();
    let _lock = tracker.lock(LockWait::No).unwrap();
    assert!(tracker.end_orphans().unwrap().is_empty());
    beside.check().unwrap();
    assert!(!ours.target().orphans(theirs.run).unwrap().is_empty());
    drop(busy);
}

/// Two targets may share a replica, but not at the same time.
#[test]
fn the_replicas_lock_keeps_out_pipelines_to_other_targets() {
    let trio = Trio::new("lock replica");
    let ours = Pipeline::new(&trio, Way::ThroughReplica);
    let theirs = ours.again();
    theirs.target().ensure_schema("theirs", &[]).unwrap();
    let open =
        || Tracker::open(theirs.run, Some(theirs.replica()), theirs.target(), "theirs").unwrap();
    let tracker = open();
    let lock = tracker.lock(LockWait::No).unwrap();
    tracker.copy_started(&T, CopyId::new(), None, "").unwrap();

    let second = ours.open();
    let LockRefused::Held { side, holder } = second.lock(LockWait::No).unwrap_err() else {
        panic!("the lock was refused for another reason");
    };
    assert_eq!(side.to_string(), "replica");
    assert_eq!(holder.run, Some(theirs.run), "{holder}");
    drop(lock);
    // The refused run gave the target's lock back. A server takes a moment to see that a session is gone.
    let _lock = second.lock(LockWait::Until(CancelToken::new())).unwrap();
    assert_eq!(second.dead_runs().unwrap(), [theirs.run]);
}

#[test]
fn a_run_may_wait_for_its_turn_or_stop_waiting() {
    let trio = Trio::new("lock wait");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let first = pipeline.open();
    let lock = first.lock(LockWait::No).unwrap();
    let second = pipeline.again().open();

    let cancel = CancelToken::new();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| second.lock(LockWait::Until(cancel.clone())).map(drop));
        thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        cancel.cancel();
        let refused = waiting.join().unwrap().unwrap_err();
        assert!(matches!(refused, LockRefused::Cancelled(_)), "{refused}");
        assert!(start.elapsed() < Duration::from_secs(5));
    });
    thread::scope(|scope| {
        let waiting = scope.spawn(|| second.lock(LockWait::Until(CancelToken::new())).map(drop));
        thread::sleep(Duration::from_millis(100));
        drop(lock);
        waiting.join().unwrap().unwrap();
    });
}

/// Ends the sessions that hold the locks of a pipeline, as a server's restart would.
fn lose_locks(trio: &Trio, pipeline: &Pipeline<'_>) {
    let name = format!("handoff:{}", trio.replica_name());
    let holder = pipeline.replica().lock_holder(&name).unwrap().unwrap();
    trio.sql_replica(&format!("KILL {}", holder.connection));
    let name = format!("handoff:{}:raw", trio.target_name());
    let holder = pipeline.target().lock_holder(&name).unwrap().unwrap();
    trio.sql_target(&format!("SELECT pg_terminate_backend({}, 5000)", holder.connection));
}

#[test]
fn a_lost_lock_is_taken_again_unless_another_run_was_there() {
    let trio = Trio::new("lock lost");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    let lock = tracker.lock(LockWait::No).unwrap();
    lock.check().unwrap();
    lose_locks(&trio, &pipeline);
    lock.check().unwrap();
    tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "no").unwrap();

    lose_locks(&trio, &pipeline);
    let other = pipeline.again();
    let second = other.open();
    let taken = second.lock(LockWait::Until(CancelToken::new())).unwrap();
    second.end_orphans().unwrap();
    drop(taken);
    // Nobody has the locks now, but another run was there.
    let id = CopyId::new();
    let target = pipeline.again().target();
    let mut conn = target.get().unwrap();
    let mut tx = conn.transaction().unwrap();
    let refused = tracker.seal(work(id, None)).on_target(&mut tx, &published()).unwrap_err();
    assert!(refused.to_string().contains("another run has taken over"), "{refused}");
    tx.rollback().unwrap();
    assert!(!lock.check().unwrap_err().is_transient());
    assert!(tracker.seal(work(id, None)).before_swap().is_err());
    tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "not any more").unwrap_err();
    drop(lock);
    let run = format!(
        "SELECT status FROM raw.etl_runs WHERE table_name = '' AND run_id = '{}'",
        pipeline.run
    );
    assert_eq!(pipeline.ask(&run).as_deref(), Some("interrupted"));
}

/// A lock that a connection left which was lost is no other run's.
#[test]
fn a_lock_that_this_run_left_is_taken_over() {
    let trio = Trio::new("lock own");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let first = pipeline.open().lock(LockWait::No).unwrap();
    let again = pipeline.open().lock(LockWait::No).unwrap();
    again.check().unwrap();
    drop(again);
    drop(first);
}
