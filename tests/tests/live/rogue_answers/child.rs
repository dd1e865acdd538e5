//! A command under watch.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a command left.
pub struct Watched {
    /// The exit code; none if it was killed, or did not end.
    pub code: Option<i32>,
    /// Everything that it said.
    pub said: String,
    /// The most memory that it had at once.
    pub peak_mb: u64,
    /// The time until it ended.
    pub took: Duration,
    is_late: bool,
}

impl Watched {
    pub fn shown(&self) -> String {
        let said: String = self.said.chars().take(4000).collect();
        format!("exit {:?}, {} MiB, {:.1?}\n{said}", self.code, self.peak_mb, self.took)
    }

    /// Fails if it was ended by us.
    #[track_caller]
    pub fn unless_late(self, said: &str) -> Watched {
        assert!(!self.is_late, "it did not end: {said}");
        self
    }
}

/// Runs a command, for `most` at most.
pub fn watch(mut command: Command, most: Duration) -> Watched {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let outputs: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    let readers = outputs.map(|mut output| {
        thread::spawn(move || {
            let mut said = Vec::new();
            // What is left at the end of the process is all there is.
            let _ = output.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        })
    });
    let begun = Instant::now();
    let end = begun + most;
    let (mut peak_mb, mut is_late) = (0, false);
    let status = loop {
        peak_mb = peak_mb.max(peak_of(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            is_late = true;
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    };
    let took = begun.elapsed();
    let said = readers.map(|reader| reader.join().unwrap()).concat();
    Watched { code: status.code(), said, peak_mb, took, is_late }
}

/// Returns the most memory that a process has had, in MiB; 0 once it is gone.
fn peak_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
