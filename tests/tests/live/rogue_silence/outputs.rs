//! Output that nobody takes, and runs that take too long.

use super::hole::Passes;
use super::{NEWS, ROWS, Swallowed, ends_within, shown, start};
use crate::etl::Etl;
use handoff_testbed::Trio;
use std::fs::OpenOptions;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn a_report_that_cannot_be_written_loses_no_run() {
    let trio = Trio::new("dev_full");
    trio.sql_source(ROWS);
    let etl = Etl::new(&trio);
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
    for (round, arguments) in [["run", "-q"], ["run", "--json"]].iter().enumerate() {
        let done = etl.command(arguments).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot write to standard output"), "{said}");
        assert!(said.contains("2 tables, 20,001 rows") || said.contains("2 of 2 tables"), "{said}");
        assert_eq!(trio.rows("sick").len(), 20_000, "round {round}");
        trio.sql_source(NEWS);
    }
    // Nor do log lines that nobody takes, nor a reader that has gone.
    let done = etl.command(&["run", "-v"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(done.code(), Some(1));
    let mut piped =
        etl.command(&["run"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(piped.stdout.take());
    assert_eq!(piped.wait().unwrap().code(), Some(0));
    assert!(etl.ok(&["run", "--prove"]).stdout.contains("source = replica = raw"));
}

#[test]
fn a_run_that_takes_too_long_stops_with_its_own_reason() {
    let world = Swallowed::new("max_duration");
    let hasty = world.etl("max_duration = \"10s\"\njobs = 1");
    world.trio.sql_source(ROWS);
    world.etl("").ok(&["run"]);
    world.trio.sql_source(NEWS);
    let (_, target) = &world.holes[2];
    target.opens_after(400_000, Passes::Nothing);
    let child = start(&hasty, &["run"]);
    target.wait();
    let done = ends_within(Duration::from_secs(30), child);
    let said = shown(&done);
    assert_eq!(done.code, Some(1), "{said}");
    assert!(said.contains("the command took longer than 10 s (max_duration in [run])"), "{said}");
    target.lets(Passes::All);

    // Before the first table there is nothing to report on.
    target.lets(Passes::Nothing);
    let done = ends_within(Duration::from_secs(30), start(&hasty, &["run"]));
    let said = shown(&done);
    assert_eq!(done.code, Some(3), "{said}");
    assert!(said.contains("max_duration"), "{said}");
    target.lets(Passes::All);
    assert!(world.etl("").ok(&["run", "--prove"]).stdout.contains("source = replica = raw"));
}
