//! However a process ends, its servers end with it and their folders go, at the latest when the next
//! process starts a server.
//!
//! The process is this test binary once more, told by [`ROLE`] to start a server and wait.

use crate::etl::hears_signals;
use handoff_testbed::{MariaDb, Postgres, ServerOptions, stop_on_signals};
use std::{
    env,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// Set in the second process; its value is its `TMPDIR` too.
const ROLE: &str = "HANDOFF_TESTBED_SECOND_PROCESS";

#[test]
fn second_process() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    stop_on_signals();
    let mariadb = MariaDb::start(&ServerOptions::default()).unwrap();
    let postgres = Postgres::start(&ServerOptions::default()).unwrap();
    println!("\nready {} {}", mariadb.pid().unwrap(), postgres.pid().unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    // As in a test process: the servers are still alive when it exits.
    std::process::exit(0);
}

#[test]
fn an_orderly_exit_leaves_nothing() {
    let mut process = SecondProcess::start();
    process.stdin.write_all(b"\n").unwrap();
    process.child.wait().unwrap();
    process.check_servers_are_gone();
    process.check_folders_are_gone();
}

#[test]
fn ctrl_c_and_sigterm_leave_nothing() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let mut process = SecondProcess::start();
        process.signal(signal);
        assert_eq!(process.child.wait().unwrap().code(), Some(130));
        process.check_servers_are_gone();
        process.check_folders_are_gone();
    }
}

#[test]
fn kill_9_leaves_no_server_and_the_next_process_removes_the_folders() {
    let mut process = SecondProcess::start();
    process.signal(libc::SIGKILL);
    process.child.wait().unwrap();
    process.check_servers_are_gone();
    assert_eq!(process.folders().len(), 2);

    let mut next = SecondProcess::start_in(process.tmpdir);
    assert_eq!(next.folders().len(), 2, "its own two, and none of the killed process");
    next.stdin.write_all(b"\n").unwrap();
    next.child.wait().unwrap();
    next.check_folders_are_gone();
}

struct SecondProcess {
    child: Child,
    stdin: ChildStdin,
    /// Kept open: the harness of a process that takes its time writes to it.
    _stdout: Lines<BufReader<ChildStdout>>,
    servers: Vec<u32>,
    tmpdir: tempfile::TempDir,
}

impl SecondProcess {
    fn start() -> SecondProcess {
        let tmpdir = tempfile::tempdir().unwrap();
        // The servers' users have to get through.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(tmpdir.path(), open).unwrap();
        SecondProcess::start_in(tmpdir)
    }

    fn start_in(tmpdir: tempfile::TempDir) -> SecondProcess {
        // Not `current_exe`: a build meanwhile may have put another file there.
        let mut command = Command::new("/proc/self/exe");
        hears_signals(&mut command);
        let mut child = command
            .args(["--exact", "testbed_ends::second_process", "--nocapture"])
            .env(ROLE, "1")
            .env("TMPDIR", tmpdir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| line.unwrap().strip_prefix("ready ").map(str::to_owned));
        let pids = ready.expect("the second process starts its servers");
        let servers = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
        SecondProcess { child, stdin, _stdout: lines, servers, tmpdir }
    }

    fn signal(&self, signal: i32) {
        let status = Command::new("kill")
            .args([format!("-{signal}"), self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn folders(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.tmpdir.path()).unwrap().map(|e| e.unwrap().path()).collect()
    }

    #[track_caller]
    fn check_servers_are_gone(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        for pid in &self.servers {
            while Path::new(&format!("/proc/{pid}")).exists() {
                assert!(Instant::now() < end, "server {pid} lives on");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    #[track_caller]
    fn check_folders_are_gone(&self) {
        assert_eq!(self.folders(), [] as [PathBuf; 0]);
    }
}
