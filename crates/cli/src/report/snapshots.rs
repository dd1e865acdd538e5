//! Whole reports as the terminal shows them, beside the tests of their parts. `INSTA_UPDATE=always cargo test -p handoff-cli`
//! writes the files in `snapshots/` anew; read the difference before you commit it.

use super::samples::{
    AT, check_report, moved_table, pair, plan_preview, repair_report, run_report, status_snapshot,
    verify_report,
};
use super::{Listing, StatusReport, check_text, plan_text, repair_text, text, verify_text};
use handoff_model::{CopyId, TableName};
use handoff_pipeline::{
    Action, RepairReport, RepairStatus, RepairTable, RunReport, TablePreview, TableReport,
    TableStatus, VerifyReport, VerifyStatus, VerifyTable,
};
use handoff_tracking::testing::{copied, loaded};
use handoff_tracking::{AttemptStatus, CopyState, LoadState, TrackedTable};
use insta::assert_snapshot;
use jiff::SignedDuration;
use std::time::Duration;

fn name(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

/// A run of which a table arrived, one failed and one never had its turn.
fn mixed_run() -> RunReport {
    let failed = TableReport {
        table: name("claim"),
        status: TableStatus::Failed,
        copy: None,
        load: None,
        proof: None,
        error: Some("failed while loading: no space left on device".to_owned()),
        ..moved_table()
    };
    let waiting = TableReport {
        table: name("statement"),
        status: TableStatus::NotStarted,
        not_started_because: Some("no table is started after 05:30 (until)".to_owned()),
        error: None,
        ..failed.clone()
    };
    let notes = vec!["[tables.pateint] names no table of the source".to_owned()];
    RunReport { ok: false, tables: vec![failed, moved_table(), waiting], notes, ..run_report() }
}

#[test]
fn a_run_that_proved_everything() {
    assert_snapshot!(text(&run_report(), Listing::Slowest));
}

#[test]
fn a_run_that_failed_in_part() {
    assert_snapshot!(text(&mixed_run(), Listing::Slowest));
}

#[test]
fn a_run_with_every_table_listed() {
    assert_snapshot!(text(&mixed_run(), Listing::All));
}

#[test]
fn a_plan() {
    let mut preview = plan_preview();
    let left = TablePreview {
        table: name("definition"),
        action: Action::LeaveAlone,
        since: Vec::new(),
        structure: Vec::new(),
        ..preview.tables[0].clone()
    };
    preview.tables.push(left);
    assert_snapshot!(plan_text(&preview, Listing::Slowest));
}

#[test]
fn a_status() {
    let at = |seconds: i64| Some(AT + SignedDuration::from_secs(seconds));
    let id = CopyId::parse("00000000000000a1");
    let good = TrackedTable {
        copy: Some(CopyState { last_success_at: at(100), ..copied(id) }),
        load: Some(LoadState {
            rows: Some(1_234),
            data_as_of: at(90),
            last_success_at: at(160),
            proof: Some("equal".to_owned()),
            proved_at: at(170),
            ..loaded(id)
        }),
    };
    let mut failed = good.clone();
    failed.load.as_mut().unwrap().status = AttemptStatus::Failed;
    failed.load.as_mut().unwrap().error = Some("failed while loading: disk full".to_owned());
    let mut known = status_snapshot();
    known.states.extend([(name("claim"), failed), (name("definition"), good)]);
    let stale = Some(Duration::from_secs(3_600));
    assert_snapshot!(StatusReport::new(&known, at(7_360).unwrap(), stale).text());
}

#[test]
fn a_check() {
    assert_snapshot!(check_text(&check_report(), Listing::All));
}

#[test]
fn a_verification() {
    let differs = verify_report().tables.remove(0);
    let of = |table: &str, status| VerifyTable {
        table: name(table),
        status,
        pairs: Vec::new(),
        last_proof: None,
        error: (status == VerifyStatus::Failed)
            .then(|| "the target has no table `claim`".to_owned()),
        ..verify_report().tables.remove(0)
    };
    let equal = of("adjustment", VerifyStatus::Equal);
    let failed = of("claim", VerifyStatus::Failed);
    let tables = vec![equal, failed, differs];
    assert_snapshot!(verify_text(&VerifyReport { ok: false, tables, ..verify_report() }, 20));
}

#[test]
fn a_repair() {
    let stays = RepairTable {
        table: name("claim"),
        status: RepairStatus::Failed,
        after: vec![pair()],
        ..repair_report().tables.remove(0)
    };
    let tables = vec![repair_report().tables.remove(0), stays];
    assert_snapshot!(repair_text(&RepairReport { ok: false, tables, ..repair_report() }, 20));
}
