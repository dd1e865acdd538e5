//! The text of the metrics, and the files in `integrations/` and `docs/` that name them.

use super::*;
use handoff_model::{
    ColumnName, Extraction, LossAudit, LossPolicy, MovePerformance, Priority, ProofBy, Reason,
    RunId, TableName,
};
use handoff_pipeline::{
    CopyReport, Covers, LoadReport, ObjectReport, OmissionReport, PlanReport, Proof, RunReport,
    StatusSnapshot, TableReport, TableStatus, Verdict,
};
use handoff_tracking::testing::{copied, loaded};
use handoff_tracking::{AttemptStatus, CopyState, LastRun, LoadState, TrackedTable};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn name(text: &str) -> TableName {
    TableName::new(text).unwrap()
}

fn run() -> RunId {
    RunId::parse("0199a6c0-7b7c-7c8e-9d1f-3b2a1c0d9e8f").unwrap()
}

fn table(text: &str) -> TableReport {
    let mut lossy = LossAudit::default();
    lossy.add(&ColumnName::new("Birth\"date").unwrap(), LossPolicy::ZeroDates, 7);
    TableReport {
        table: name(text),
        status: TableStatus::Ok,
        plan: Some(PlanReport {
            extraction: Extraction::FullTable,
            reason: Reason::Configured,
            force_full_applied: false,
            priority: Priority::Medium,
            strategy_reason: String::new(),
        }),
        structure: Vec::new(),
        copy: Some(CopyReport {
            rows_copied: 9_007_199_254_740_993,
            rows_inserted: 0,
            rows_updated: 0,
            rows_deleted: 0,
            bytes: 123_456,
            strategy_used: "load_data",
            duration_ms: 1_500,
            performance: MovePerformance::default(),
            watermark: None,
        }),
        load: Some(LoadReport {
            rows_loaded: 1_234,
            rows_inserted: 0,
            rows_updated: 0,
            rows_deleted: 0,
            bytes: 99,
            strategy_used: "streaming",
            duration_ms: 250,
            performance: MovePerformance::default(),
        }),
        proof: Some(Proof {
            verdict: Verdict::Equal,
            by: ProofBy::Sums,
            covers: Covers::Table,
            at: AT,
            counted: true,
            source_rows: Some(1_234),
            replica_rows: None,
            target_rows: None,
            kept_rows: None,
            source_checksum: None,
            replica_checksum: None,
            source_sum: None,
            read_sum: None,
            target_sum: None,
            duration_ms: 2_000,
        }),
        lossy,
        retries: 2,
        notes: vec!["a note".to_owned()],
        error: None,
        not_started_because: None,
    }
}

fn report() -> RunReport {
    let left = TableReport {
        status: TableStatus::NotStarted,
        copy: None,
        load: None,
        proof: None,
        lossy: LossAudit::default(),
        retries: 0,
        not_started_because: Some("its time was over".to_owned()),
        ..table("quoted \\ and\nbroken")
    };
    RunReport {
        run_id: run(),
        started_at: AT + SignedDuration::from_millis(1_700_000_000_250),
        finished_at: AT + SignedDuration::from_secs(1_700_000_041),
        ok: false,
        cancelled: false,
        schema: "raw".to_owned(),
        tables: vec![table("patient"), left],
        omissions: OmissionReport::default(),
        objects: ObjectReport::default(),
        notes: Vec::new(),
    }
}

fn of_report(report: Option<&RunReport>, exit_code: u8) -> String {
    let outcome = RunOutcome {
        report,
        started_at: AT + SignedDuration::from_millis(1_700_000_000_250),
        ended_at: AT + SignedDuration::from_secs(1_700_000_041),
        exit_code,
    };
    run_metrics(&outcome, "0.1.0")
}

fn tracked() -> StatusSnapshot {
    let at = |seconds| Some(AT + SignedDuration::from_secs(seconds));
    let copy = CopyState {
        status: AttemptStatus::Success,
        rows: Some(10),
        bytes: Some(1_000),
        duration_ms: Some(1_500),
        last_success_at: at(1_600_000_000),
        ..copied(None)
    };
    let load = LoadState {
        rows: Some(10),
        bytes: Some(900),
        duration_ms: Some(500),
        last_success_at: at(1_600_000_002),
        data_as_of: at(1_599_999_998),
        source_rows: Some(10),
        target_rows: Some(13),
        proof: Some("equal".to_owned()),
        proof_by: Some(ProofBy::Sums),
        proved_at: at(1_600_000_003),
        ..loaded(None)
    };
    let gone = LoadState { gone_at: at(1_600_000_004), ..load.clone() };
    let states = [
        ("patient", TrackedTable { copy: Some(copy), load: Some(load) }),
        ("gone", TrackedTable { copy: None, load: Some(gone) }),
        ("never", TrackedTable::default()),
    ];
    let last_run = LastRun {
        run_id: run(),
        status: AttemptStatus::Failed,
        started_at: at(1_600_000_000),
        finished_at: None,
        tables_ok: 2,
        tables_failed: 1,
        tables_not_started: 0,
    };
    StatusSnapshot {
        states: states.map(|(table, state)| (name(table), state)).into(),
        disagreements: Vec::new(),
        last_run: Some(last_run),
        in_progress: Some("a run on another machine".to_owned()),
        notes: Vec::new(),
    }
}

fn of_status() -> String {
    status_metrics(&tracked(), AT + SignedDuration::from_secs(1_600_000_010))
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn a_run_is_told_by_table_and_hop() {
    let text = of_report(Some(&report()), 1);
    has(
        &text,
        &[
            "# TYPE handoff_run_success gauge",
            "handoff_run_success 0",
            "handoff_run_exit_code 1",
            "# UNIT handoff_run_start_timestamp_seconds seconds",
            "handoff_run_start_timestamp_seconds 1700000000.25",
            "handoff_run_end_timestamp_seconds 1700000041.0",
            "handoff_run_tables{status=\"ok\"} 1",
            "handoff_run_tables{status=\"failed\"} 0",
            "handoff_run_tables{status=\"not_started\"} 1",
            "handoff_run_table_success{table=\"patient\",status=\"ok\"} 1",
            "handoff_run_table_verdict{table=\"patient\",verdict=\"equal\",by=\"sums\"} 1",
            "handoff_run_table_moved_rows{table=\"patient\",hop=\"copy\"} 9007199254740993",
            "handoff_run_table_moved_rows{table=\"patient\",hop=\"load\"} 1234",
            "# TYPE handoff_run_table_moved_bytes gauge",
            "handoff_run_table_moved_bytes{table=\"patient\",hop=\"copy\"} 123456",
            "handoff_run_table_duration_seconds{table=\"patient\",hop=\"load\"} 0.25",
            "handoff_run_table_duration_seconds{table=\"patient\",hop=\"prove\"} 2.0",
            "handoff_run_table_retries{table=\"patient\"} 2",
        ],
    );
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_run_that_could_not_start_is_told() {
    let text = of_report(None, 3);
    has(&text, &["handoff_run_success 0", "handoff_run_exit_code 3"]);
    assert!(!text.contains("handoff_run_tables") && !text.contains("handoff_run_info"));
}

#[test]
fn names_are_escaped() {
    let text = of_report(Some(&report()), 1);
    let lossy = r#"handoff_run_table_lossy_values{table="patient",column="Birth\"date",policy="zero_dates"} 7"#;
    let left = r#"handoff_run_table_success{table="quoted \\ and\nbroken",status="not_started"} 0"#;
    has(&text, &[lossy, left]);
}

#[test]
fn the_recorded_state_is_told_by_table_and_hop() {
    let text = of_status();
    has(
        &text,
        &[
            "handoff_status_timestamp_seconds 1600000010.0",
            "handoff_run_in_progress 1",
            "handoff_recorded_run_success{status=\"failed\"} 0",
            "handoff_recorded_run_start_timestamp_seconds 1600000000.0",
            "handoff_recorded_run_tables{status=\"failed\"} 1",
            "handoff_table_healthy{table=\"patient\",standing=\"ok\"} 1",
            "handoff_table_healthy{table=\"never\",standing=\"never\"} 0",
            "handoff_table_healthy{table=\"gone\",standing=\"gone\"} 1",
            "handoff_table_data_timestamp_seconds{table=\"patient\"} 1599999998.0",
            "handoff_table_arrival_timestamp_seconds{table=\"patient\",hop=\"copy\"} 1600000000.0",
            "handoff_table_rows{table=\"patient\",side=\"source\"} 10",
            "handoff_table_rows{table=\"patient\",side=\"target\"} 13",
            "handoff_table_retained_rows{table=\"patient\"} 3",
            "handoff_table_moved_bytes{table=\"patient\",hop=\"load\"} 900",
            "handoff_table_move_duration_seconds{table=\"patient\",hop=\"load\"} 0.5",
            "handoff_table_verdict{table=\"patient\",verdict=\"equal\",by=\"sums\"} 1",
            "handoff_table_proof_timestamp_seconds{table=\"patient\"} 1600000003.0",
        ],
    );
    let aged = "handoff_table_data_timestamp_seconds{table=\"gone\"}";
    assert!(!text.contains(aged), "no younger data will come");
}

/// The names of a run and of a status stand in one folder of a collector, which refuses a metric that comes twice.
#[test]
fn every_metric_is_described_and_none_is_in_both_files() {
    let described = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let (run, status) = (described(&of_report(Some(&report()), 1)), described(&of_status()));
    assert_eq!(run.intersection(&status).count(), 0);
    let mut known = full_names();
    // The sample's run has not ended.
    known.remove("handoff_recorded_run_end_timestamp_seconds");
    assert_eq!(run.union(&status).cloned().collect::<BTreeSet<_>>(), known);
}

fn full_names() -> BTreeSet<String> {
    ALL_METRICS.iter().map(MetricSpec::name).collect()
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(in_repository(path)).unwrap()
}

/// Returns the words of a text that begin like a metric, and the labels that each is filtered by.
fn named_metrics(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (start, _) in text.match_indices("handoff_") {
        let rest = &text[start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (metric, after) = rest.split_at(end.unwrap_or(rest.len()));
        let labels = found.entry(metric.to_owned()).or_default();
        let filter = after.strip_prefix('{').and_then(|after| after.split('}').next());
        for part in filter.unwrap_or_default().split(',').filter(|part| part.contains('=')) {
            labels.insert(part.split(['=', '!']).next().unwrap().trim().to_owned());
        }
    }
    found
}

#[track_caller]
fn names_known_metrics(text: &str) {
    let found = named_metrics(text);
    assert!(!found.is_empty());
    for (metric, labels) in found {
        let spec = ALL_METRICS.iter().find(|spec| spec.name() == metric);
        let spec = spec.unwrap_or_else(|| panic!("{metric} is no metric"));
        for label in labels {
            // Prometheus itself adds the machine.
            let is_known = label == "instance" || spec.labels.contains(&&*label);
            assert!(is_known, "{metric} has no label {label}");
        }
    }
}

#[test]
fn the_alert_rules_name_metrics_that_exist() {
    let rules = read("integrations/prometheus/handoff.rules.yml");
    names_known_metrics(&rules);
    assert!(rules.contains("runbook"), "each alert says what to do");
}

#[test]
fn the_dashboard_is_json_and_names_metrics_that_exist() {
    let text = read("integrations/grafana/handoff.json");
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "each panel has its own id");
        for target in panel["targets"].as_array().into_iter().flatten() {
            names_known_metrics(target["expr"].as_str().unwrap());
        }
    }
}

/// With `HANDOFF_BLESS=1` the table of the page is written instead of compared.
#[test]
fn the_page_lists_every_metric() {
    const BEGIN: &str = "<!-- metrics, by HANDOFF_BLESS=1 cargo test -p handoff-export -->\n";
    const END: &str = "<!-- end of the metrics -->";
    let page = read("docs/monitoring.md");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first marker");
    let (_, after) = rest.split_once(END).expect("the page has the second marker");
    let rows = ALL_METRICS.iter().map(|spec| {
        let labels: Vec<String> = spec.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} |\n", spec.name(), labels.join(", "), spec.help)
    });
    let rows: String = rows.collect();
    let table = format!("| Metric | Labels | Meaning |\n| --- | --- | --- |\n{rows}");
    let generated = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os("HANDOFF_BLESS").is_some() {
        std::fs::write(in_repository("docs/monitoring.md"), &generated).unwrap();
    } else {
        assert!(page == generated, "run HANDOFF_BLESS=1 cargo test -p handoff-export");
    }
}

/// Debian's `promtool` reads the text and the rules, where it is installed: `scripts/check-metrics` calls this with
/// a folder to write the samples into.
#[test]
fn samples_are_written_for_promtool() {
    let Some(folder) = std::env::var_os("HANDOFF_SAMPLES").map(PathBuf::from) else { return };
    std::fs::write(folder.join("run.prom"), of_report(Some(&report()), 1)).unwrap();
    std::fs::write(folder.join("status.prom"), of_status()).unwrap();
}
