//! The peak memory of the `etl` program.

use crate::{Result, lap};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// The most memory it had at once, in bytes, as the kernel counts it.
    pub bytes: u64,
    /// How long it ran.
    pub elapsed: Duration,
}

/// Builds the release `etl` and returns where it is.
///
/// # Errors
///
/// Returns an error if it cannot be built.
pub fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "--quiet", "--package", "handoff-etl"];
    if !Command::new(cargo).args(arguments).status()?.success() {
        return Err("`etl` cannot be built".into());
    }
    // This bench is in `target/release/deps`.
    let bench = env::current_exe()?;
    let release = bench.parent().and_then(|deps| deps.parent());
    Ok(release.ok_or("the bench is in no folder")?.join("etl"))
}

/// Runs `etl run` with settings and returns what it took.
///
/// # Errors
///
/// Returns an error if it fails.
pub fn of_run(etl: &Path, settings: &str) -> Result<Used> {
    of(etl, &["run", "--quiet"], settings)
}

/// Runs `etl` with arguments and settings and returns what it took.
///
/// # Errors
///
/// Returns an error if it fails.
pub fn of(etl: &Path, arguments: &[&str], settings: &str) -> Result<Used> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("handoff.toml"), settings)?;
    let mut command = Command::new(etl);
    command.args(arguments).current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null());
    let mut bytes = 0;
    let elapsed = lap(|| {
        bytes = wait(command.spawn()?)?;
        Ok(())
    })?;
    Ok(Used { bytes, elapsed })
}

/// Waits for a child and returns its peak memory in bytes.
///
/// The kernel keeps the peak itself, so that only what comes after the last look can be missed.
/// `wait4` would miss nothing, but counts what *this* process had when it forked.
fn wait(mut child: Child) -> Result<u64> {
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // Once it has ended there is nothing to read.
        if let Ok(text) = fs::read_to_string(&status_file) {
            peak = high_water(&text).unwrap_or(peak);
        }
        match child.try_wait()? {
            None => thread::sleep(LOOK_EVERY),
            Some(status) if status.success() => return Ok(peak),
            Some(status) => return Err(format!("`etl`: {status}").into()),
        }
    }
}

/// Reads `VmHWM: 1234 kB`, which is in KiB.
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::high_water;

    #[test]
    fn the_peak_is_found() {
        let status = "Name:\tetl\nVmPeak:\t  9000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water(status), Some(2 << 20));
        assert_eq!(high_water("Name:\tetl\n"), None);
    }
}
