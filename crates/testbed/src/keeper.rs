//! Sees to it that no server outlives this process.
//!
//! A server ends in one of four ways: its owner is dropped; the process exits and the handler of
//! [`libc::atexit`] ends it (a `static` is never dropped); a signal ends the process and the signal
//! handler does; or the process is killed, the kernel sends the server its death signal, and the
//! next process removes the folder.

use crate::{folder, system};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::{
    io,
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Mutex, Once, OnceLock,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

struct Running {
    pid: u32,
    signal: i32,
    folder: PathBuf,
}

static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

type Order = (Command, Sender<io::Result<Child>>);

/// Spawns a command from a thread that lives as long as the process: the kernel sends the death
/// signal when the spawning *thread* ends, and a test's thread ends with the test.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static ORDERS: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in receiver {
                // The asker waits for the answer, so it is there.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (sender, receiver) = mpsc::channel();
    orders
        .lock()
        .map_err(|_| io::Error::other("the spawning thread is gone"))?
        .send((command, sender))
        .map_err(|_| io::Error::other("the spawning thread is gone"))?;
    receiver.recv().map_err(|_| io::Error::other("the spawning thread is gone"))?
}

/// Notes a server that must not outlive the process.
pub(crate) fn register(pid: u32, signal: i32, folder: PathBuf) {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| system::at_exit(stop_all_at_exit));
    if let Ok(mut running) = RUNNING.lock() {
        running.push(Running { pid, signal, folder });
    }
}

/// Forgets a server that its owner has stopped.
pub(crate) fn unregister(pid: u32) {
    if let Ok(mut running) = RUNNING.lock() {
        running.retain(|server| server.pid != pid);
    }
}

/// Ends every server of this process and the process itself (exit code 130) on Ctrl-C, SIGTERM and
/// SIGHUP.
///
/// A program with a signal handler of its own keeps that: it exits in its own way, and the servers
/// end with it.
pub fn stop_on_signals() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let unhandled =
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !system::is_handled(signal));
        let Ok(mut signals) = Signals::new(unhandled) else { return };
        thread::spawn(move || {
            if signals.forever().next().is_some() {
                stop_all();
                std::process::exit(130);
            }
        });
    });
}

extern "C" fn stop_all_at_exit() {
    stop_all();
}

fn stop_all() {
    // Never wait here: the lock's holder may be a thread that will not run again.
    let Ok(mut running) = RUNNING.try_lock() else { return };
    for server in running.iter() {
        system::kill(server.pid, server.signal);
    }
    for server in running.drain(..) {
        if !system::reap(server.pid, Duration::from_secs(5)) {
            system::kill(server.pid, libc::SIGKILL);
            system::reap(server.pid, Duration::from_secs(1));
        }
        folder::remove(&server.folder);
    }
}
