//! A run that nothing is heard of any more: its machine lost power, was put to sleep, or is cut off.

use super::proxy::{Proxy, Trap};
use super::{NEWS, TWO, hasty, instead, mended};
use crate::bad_input::contents;
use crate::etl::{Etl, arm};
use handoff_testbed::Trio;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const BOUND: &str = "[run]\nlock_silence = \"2s\"\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// Before each publication, in the replica (in a transaction, by a swap) and in the target.
const POINTS: [&str; 4] = [
    "replicator.before_commit:sick",
    "replicator.before_rename:well",
    "loader.moved:sick",
    "loader.sealed:sick",
];

/// Starts a run that is stopped at a fault point, as by Ctrl-Z, and waits until it is.
fn stopped_at(etl: &Etl, point: &str) -> Child {
    let mut command = etl.command(&["run"]);
    arm(&mut command, format!("stop {point}"));
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while state(&run) != Some('T') {
        assert!(Instant::now() < end, "it never came by {point}");
        thread::sleep(Duration::from_millis(10));
    }
    run
}

fn state(run: &Child) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", run.id())).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn go_on(run: &Child) {
    // SAFETY: the process is a child that was not waited for.
    unsafe { libc::kill(run.id().try_into().unwrap(), libc::SIGCONT) };
}

/// The lock of a stopped run comes free, the next run carries everything, and the stopped one writes nothing more
/// when it wakes up.
#[test]
fn a_stopped_run_loses_its_lock_and_writes_nothing_when_it_wakes_up() {
    let trio = Trio::new("stopped");
    trio.sql_source(TWO);
    let etl = Etl::with(&(trio.settings_toml() + BOUND));
    etl.ok(&["run"]);
    for (number, point) in POINTS.into_iter().enumerate() {
        trio.sql_source(&NEWS.replace("'new'", &format!("'new {number}'")));
        let stopped = stopped_at(&etl, point);
        let refused = etl.run(&["run"]);
        let shown = format!("{}{}", refused.stdout, refused.stderr);
        assert!(refused.code == Some(3) || shown.contains("dead run"), "{point}: {shown}");
        let next = etl.ok(&["run", "--wait=30s", "--prove"]);
        assert!(next.stdout.contains("source = replica = raw"), "{point}: {}", next.stdout);

        let before = contents(&trio);
        go_on(&stopped);
        let done = stopped.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&done.stderr) + String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.code(), Some(1), "{point}: {shown}");
        assert!(shown.contains("lock of the run was lost"), "{point}: {shown}");
        assert_eq!(contents(&trio), before, "{point}: the stopped run wrote");
        mended(&etl);
    }
}

/// A run whose worker waits for a connection that carries nothing lives all the same.
#[test]
fn a_run_that_waits_is_not_taken_over() {
    let trio = Trio::new("not_taken");
    trio.sql_source(TWO);
    trio.sql_source("INSERT INTO sick SELECT seq, REPEAT(MD5(seq), 3) FROM seq_10_to_20000");
    let url = trio.target_url();
    let proxy = Proxy::to(&url);
    let etl = hasty(&instead(&trio.settings_toml(), &url, proxy.url()).replace("[run]\n", BOUND));
    let beside = Etl::with(&(trio.settings_toml() + BOUND));
    proxy.lay(Trap::Hold(500_000));
    let mut run = etl.start(&["run"]);
    proxy.wait();
    thread::sleep(Duration::from_secs(5));
    let refused = beside.exits(3, &["run"]);
    assert!(refused.stderr.contains("another run is in progress"), "{}", refused.stderr);
    proxy.release();
    assert!(run.wait().unwrap().success());
    mended(&beside);
}
