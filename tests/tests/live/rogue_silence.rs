//! Servers and networks that go silent or mad: each command ends by itself in its time, says which server it
//! was, and the next run makes good what was missed.

mod black_hole;
mod hole;
mod long_statements;
mod outputs;
mod signals;
mod unix_socket;

use crate::etl::{Done, Etl};
use handoff_testbed::Trio;
use hole::Hole;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Rows enough for half a megabyte to be in the middle of each hop.
const ROWS: &str = "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(100), KEY (note)) ENGINE=InnoDB; \
     INSERT INTO sick SELECT seq, REPEAT(MD5(seq), 3) FROM seq_1_to_20000; \
     CREATE TABLE well (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM; \
     INSERT INTO well VALUES (1, 'a')";
const NEWS: &str = "UPDATE sick SET note = REVERSE(note); UPDATE well SET note = CONCAT(note, 'a')";

/// The three servers of a trio, each behind a network that can swallow everything.
struct Swallowed {
    trio: Trio,
    holes: [(&'static str, Hole); 3],
}

impl Swallowed {
    fn new(name: &str) -> Swallowed {
        let trio = Trio::new(name);
        let holes = [
            ("source", Hole::to(&trio.source_url())),
            ("replica", Hole::to(&trio.replica_url())),
            ("target", Hole::to(&trio.target_url())),
        ];
        Swallowed { trio, holes }
    }

    /// Settings that lead through the holes, with further lines in `[run]`.
    fn etl(&self, run: &str) -> Etl {
        let mut toml = self.trio.settings_toml();
        let urls = [self.trio.source_url(), self.trio.replica_url(), self.trio.target_url()];
        for (url, (_, hole)) in urls.iter().zip(&self.holes) {
            toml = toml.replacen(url, hole.url(), 1);
        }
        Etl::with(&format!("{toml}\n[run]\n{run}\n"))
    }
}

/// Starts `etl`, whose output is kept.
fn start(etl: &Etl, arguments: &[&str]) -> Child {
    let mut command = etl.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for a process, and fails if it takes longer than `most`.
#[track_caller]
fn ends_within(most: Duration, mut child: Child) -> Done {
    let end = Instant::now() + most;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            let done = Done::from(child.wait_with_output().unwrap());
            panic!("it did not end within {most:?}: {}{}", done.stdout, done.stderr);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Done::from(child.wait_with_output().unwrap())
}

/// What a command said.
fn shown(done: &Done) -> String {
    format!("exit {:?}\n{}{}", done.code, done.stdout, done.stderr)
}
