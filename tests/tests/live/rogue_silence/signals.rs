//! The first Ctrl-C or SIGTERM ends a command in 15 s, whatever the servers do; a second one at once.

use super::hole::Passes;
use super::{NEWS, ROWS, Swallowed, ends_within, shown, start};
use crate::etl::arm;
use std::process::Child;
use std::thread;
use std::time::Duration;

const AFTER_THE_FIRST: Duration = Duration::from_secs(15);
const AFTER_THE_SECOND: Duration = Duration::from_secs(2);
/// Time for a command to have read its settings, and to hang.
const A_WHILE: Duration = Duration::from_millis(1500);

fn tell(child: &Child, signal: libc::c_int) {
    let id = libc::pid_t::try_from(child.id()).unwrap();
    // SAFETY: it sends a signal to a child that was not waited for.
    assert_eq!(unsafe { libc::kill(id, signal) }, 0);
}

#[test]
fn a_run_in_a_black_hole_ends_when_it_is_told_to() {
    let world = Swallowed::new("signals_run");
    let etl = world.etl("");
    world.trio.sql_source(ROWS);
    etl.ok(&["run"]);
    for (side, hole) in &world.holes {
        world.trio.sql_source(NEWS);
        hole.opens_after(400_000, Passes::Nothing);
        let child = start(&etl, &["run"]);
        hole.wait();
        thread::sleep(A_WHILE);
        tell(&child, libc::SIGTERM);
        let done = ends_within(AFTER_THE_FIRST, child);
        assert_eq!(done.code, Some(130), "{side}: {}", shown(&done));

        hole.lets(Passes::All);
        hole.opens_after(400_000, Passes::Nothing);
        let child = start(&etl, &["run", "--wait"]);
        hole.wait();
        thread::sleep(A_WHILE);
        tell(&child, libc::SIGINT);
        thread::sleep(Duration::from_millis(300));
        tell(&child, libc::SIGINT);
        let done = ends_within(AFTER_THE_SECOND, child);
        assert_eq!(done.code, Some(130), "{side}: {}", shown(&done));
        hole.lets(Passes::All);
    }
}

#[test]
fn every_command_ends_while_it_connects() {
    let world = Swallowed::new("signals_connecting");
    let etl = world.etl("");
    world.trio.sql_source(ROWS);
    etl.ok(&["run"]);
    for (side, hole) in &world.holes {
        hole.lets(Passes::Nothing);
        for command in ["run", "plan", "check", "status", "verify", "repair", "init"] {
            let asks_all = !matches!(command, "status" | "init");
            if !asks_all && (*side == "source") == (command == "status") {
                continue;
            }
            if *side != "source" && command == "init" {
                continue;
            }
            let child = start(&etl, &[command]);
            thread::sleep(A_WHILE);
            tell(&child, libc::SIGTERM);
            let done = ends_within(AFTER_THE_FIRST, child);
            assert_eq!(done.code, Some(130), "{side} {command}: {}", shown(&done));
        }
        hole.lets(Passes::All);
    }
}

#[test]
fn a_run_that_waits_for_another_ends_when_it_is_told_to() {
    let world = Swallowed::new("signals_waiting");
    let etl = world.etl("");
    world.trio.sql_source(ROWS);
    etl.ok(&["run"]);
    let mut command = etl.command(&["run"]);
    let mut first = arm(&mut command, "stop loader.opened:sick").spawn().unwrap();
    world.trio.sql_source(NEWS);
    thread::sleep(A_WHILE);
    let waiting = start(&etl, &["run", "--wait"]);
    thread::sleep(A_WHILE);
    tell(&waiting, libc::SIGTERM);
    let done = ends_within(AFTER_THE_FIRST, waiting);
    assert_eq!(done.code, Some(130), "{}", shown(&done));
    first.kill().unwrap();
    first.wait().unwrap();
}
