//! A server that goes away for good: the tables that are left are not begun.

use super::{Call, settings, table, watched};
use crate::verify::carry;
use handoff_model::RunEvent;
use handoff_pipeline::{Pipeline, RunOptions, TableStatus, VerifyRequest, VerifyStatus};
use handoff_testbed::{Bed, Postgres, ServerOptions, Trio};
use std::sync::Mutex;

/// Carries five tables, and returns a pipeline whose target is gone once the first of them is done
/// another time.
fn prepared(trio: &Trio, target: Postgres) -> Pipeline {
    for name in ["a", "b", "c", "d", "e"] {
        table(trio, name, "MyISAM", 10);
    }
    let toml = trio.settings_toml() + "[run]\njobs = 1\nmax_retries = 0\n";
    carry(&settings(&toml));
    trio.sql_source("UPDATE a SET note = ''; UPDATE b SET note = ''; UPDATE c SET note = ''");
    let target = Mutex::new(Some(target));
    watched(
        &toml,
        Call(move |event: &RunEvent| {
            if let RunEvent::TableFinished { .. } = event {
                drop(target.lock().unwrap().take());
            }
        }),
    )
}

fn on(test: &str, target: &Postgres) -> Trio {
    let bed = Bed::shared();
    Trio::on(test, bed.source(), bed.replica(), target.endpoint())
}

#[test]
fn a_run_begins_no_further_table() {
    let target = Postgres::start(&ServerOptions::default()).unwrap();
    let trio = on("gone run", &target);
    let report = prepared(&trio, target).run(&RunOptions::default()).unwrap();
    let count = |status| report.with_status(status).count();
    assert_eq!((count(TableStatus::Ok), count(TableStatus::Failed)), (1, 1), "{report:#?}");
    for table in report.with_status(TableStatus::NotStarted) {
        let why = table.not_started_because.as_deref().unwrap();
        assert!(why.starts_with("a server is gone: target: "), "{why}");
    }
    assert_eq!(count(TableStatus::NotStarted), 3);
}

#[test]
fn a_verification_begins_no_further_table() {
    let target = Postgres::start(&ServerOptions::default()).unwrap();
    let trio = on("gone verify", &target);
    let report = prepared(&trio, target).verify(&VerifyRequest::default()).unwrap();
    let with = |status| report.tables.iter().filter(move |table| table.status == status);
    assert_eq!(with(VerifyStatus::Failed).count(), 1, "{report:#?}");
    for table in with(VerifyStatus::NotStarted) {
        let why = table.error.as_deref().unwrap();
        assert!(why.starts_with("a server is gone: target: "), "{why}");
    }
    assert_eq!(with(VerifyStatus::NotStarted).count(), 3);
}
