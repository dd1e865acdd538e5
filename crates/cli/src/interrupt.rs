//! Ctrl-C.

use crate::exit::Exit;
use crate::screen::Screen;
use handoff_model::CancelToken;
use handoff_pipeline::over_time;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;
use std::{fs, io, thread};

/// The longest that a command goes on once it was asked to stop. Servers are given up before.
const PATIENCE: Duration = Duration::from_secs(14);

/// Cancels the run on the first Ctrl-C, SIGTERM or SIGHUP, and ends the process on the second, or when
/// the first has not ended it in time.
///
/// A signal that the process was started to ignore, as `nohup` does with SIGHUP, stays ignored.
///
/// # Errors
///
/// Returns an error if the system refuses the handlers.
pub fn watch(cancel: &CancelToken, screen: &Screen) -> io::Result<()> {
    let (cancel, screen) = (cancel.clone(), screen.clone());
    on_signals(move || {
        if cancel.since().is_some() && cancel.reason().is_none() {
            interrupted();
        }
        log::warn!("stopping at the next batch; press Ctrl-C again to end at once");
        stop(&cancel);
        end_in_time(screen.clone());
    })
}

/// Ends the process on Ctrl-C, SIGTERM or SIGHUP: for commands that only look.
///
/// # Errors
///
/// Returns an error if the system refuses the handlers.
pub fn end_at_once() -> io::Result<()> {
    on_signals(|| interrupted())
}

/// Ends the process when `most` is over, whatever it is waiting for: for commands that only look.
pub(crate) fn end_after(most: Duration, screen: &Screen) {
    let screen = screen.clone();
    let named = thread::Builder::new().name("time-limit".to_owned());
    // Without a thread for it the signals are left.
    let _ = named.spawn(move || {
        thread::sleep(most);
        screen.write(format!("etl: {}\n", over_time(most)).as_bytes());
        std::process::exit(Exit::Unavailable.code().into());
    });
}

fn on_signals(mut act: impl FnMut() + Send + 'static) -> io::Result<()> {
    let kept = ignored();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !kept.contains(signal));
    let mut signals = Signals::new(wanted)?;
    let named = thread::Builder::new().name("signals".to_owned());
    named.spawn(move || signals.forever().for_each(|_| act())).map(drop)
}

fn interrupted() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

/// Ends the process when the time to stop is over, whatever it is waiting for.
fn end_in_time(screen: Screen) {
    let named = thread::Builder::new().name("end".to_owned());
    // Without a thread for it the second signal is left.
    let _ = named.spawn(move || {
        thread::sleep(PATIENCE);
        let text = format!(
            "ended after {} s without a report: the servers or the next run will undo unfinished work\n",
            PATIENCE.as_secs()
        );
        screen.write(text.as_bytes());
        interrupted();
    });
}

/// Cancels on a thread of its own: ending a statement takes a connection to a server that may not
/// answer, and the second signal must be heard meanwhile.
fn stop(cancel: &CancelToken) {
    let worker = cancel.clone();
    let spawned = thread::Builder::new().name("cancel".to_owned()).spawn(move || worker.cancel());
    match spawned {
        // The request is set before the hooks run; wait for that, or the second signal would be
        // taken for the first.
        Ok(_) => {
            while !cancel.is_cancelled() {
                thread::yield_now();
            }
        }
        Err(_) => cancel.cancel(),
    }
}

/// Returns the signals that this process ignores, as Linux tells them; none elsewhere.
fn ignored() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status)
}

fn ignored_in(status: &str) -> Vec<i32> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    (1..=64).filter(|signal| mask & (1 << (signal - 1)) != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_is_seen() {
        assert_eq!(ignored_in("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"), [1, 13]);
        assert!(ignored_in("").is_empty());
    }
}
