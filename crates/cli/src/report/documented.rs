//! `docs/json.md` names the fields that are printed, and no others.

use super::StatusReport;
use handoff_connect::Side;
use handoff_model::{
    ColumnName, Extraction, LossAudit, LossPolicy, MovePerformance, Priority, ProofBy, Reason,
    RunId, Strategy, SumBy, TableName, TableSum,
};
use handoff_pipeline::{
    Action, CertificateStanding, CheckFinding, CheckReport, CheckSubject, CheckVerdict,
    ColumnProposal, CopyReport, Covers, ExtractionProposal, Fix, FixKind, InitReport, LastProof,
    LoadReport, OmissionReport, PlanPreview, PlanReport, Proof, RefusedPreview, RepairReport,
    RepairStatus, RepairTable, RepairWay, RunReport, SeenCertificate, Since, StatusSnapshot,
    TablePreview, TableProposal, TableReport, TableSize, TableStatus, Verdict, VerifyPair,
    VerifyReport, VerifyRow, VerifyStatus, VerifyTable, WrittenAs,
};
use handoff_tracking::{AttemptStatus, LastMove, LastRun, TrackedTable};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

#[test]
fn a_run() {
    let document = document(&RunReport {
        run_id: RunId::new(),
        started_at: AT,
        finished_at: AT,
        ok: true,
        cancelled: false,
        schema: "raw".to_owned(),
        tables: vec![moved_table()],
        omissions: OmissionReport::default(),
        notes: Vec::new(),
    });
    check(
        &document,
        &[
            ("## etl run", ""),
            ("### A table of a run", "/tables/0"),
            ("### A plan", "/tables/0/plan"),
            ("### A copy", "/tables/0/copy"),
            ("### A load", "/tables/0/load"),
            ("### The performance of a hop", "/tables/0/copy/performance"),
            ("### The performance of a hop", "/tables/0/load/performance"),
            ("### A proof", "/tables/0/proof"),
            ("### A policy that changed values", "/tables/0/lossy/0"),
            ("### Omissions", "/omissions"),
        ],
    );
}

#[test]
fn a_plan() {
    let document = document(&PlanPreview {
        at: AT,
        in_progress: None,
        tables: vec![TablePreview {
            table: table(),
            action: Action::MoveAll,
            plan: plan(),
            since: vec![Since { column: "a".to_owned(), from: "1".to_owned() }],
            strategy: Strategy::Streaming,
            moved_because: None,
            rows: 1,
            bytes: 1,
            last: Some(LastMove::default()),
        }],
        refused: vec![RefusedPreview { table: table(), error: String::new() }],
        mended: Vec::new(),
        omissions: OmissionReport::default(),
        notes: Vec::new(),
    });
    check(
        &document,
        &[
            ("## etl plan", ""),
            ("### A table of a plan", "/tables/0"),
            ("### A plan", "/tables/0/plan"),
            ("### A bound of changed rows", "/tables/0/since/0"),
            ("### The last move", "/tables/0/last"),
            ("### A table that would fail", "/refused/0"),
        ],
    );
}

#[test]
fn a_status() {
    let known = StatusSnapshot {
        states: BTreeMap::from([(table(), TrackedTable::default())]),
        disagreements: Vec::new(),
        last_run: Some(LastRun {
            run_id: RunId::new(),
            status: AttemptStatus::Success,
            started_at: None,
            finished_at: None,
            tables_ok: 1,
            tables_failed: 0,
            tables_not_started: 0,
        }),
        in_progress: None,
        notes: Vec::new(),
    };
    check(
        &document(&StatusReport::new(&known, AT, None)),
        &[
            ("## etl status", ""),
            ("### The latest run", "/last_run"),
            ("### A table of a status", "/tables/0"),
        ],
    );
}

#[test]
fn a_check() {
    let document = document(&CheckReport {
        checked_at: AT,
        ok: true,
        findings: vec![CheckFinding {
            side: Side::Target,
            subject: CheckSubject::Grants,
            verdict: CheckVerdict::Fault,
            what: String::new(),
            fixes: vec![Fix { kind: FixKind::Statement, text: String::new() }],
        }],
        omissions: OmissionReport::default(),
    });
    check(
        &document,
        &[
            ("## etl check", ""),
            ("### A finding", "/findings/0"),
            ("### A remedy", "/findings/0/mend/0"),
            ("### Omissions", "/omissions"),
        ],
    );
}

#[test]
fn a_verification() {
    let document = document(&VerifyReport {
        run_id: RunId::new(),
        started_at: AT,
        finished_at: AT,
        ok: true,
        cancelled: false,
        quick: false,
        sides: vec![Side::Source, Side::Target],
        tables: vec![VerifyTable {
            table: table(),
            status: VerifyStatus::Differs,
            rows: BTreeMap::new(),
            pairs: vec![pair()],
            equal_at: None,
            looks: 1,
            sums: SumBy::Read,
            last_proof: Some(LastProof { proof: "equal".to_owned(), by: None, at: None }),
            duration_ms: 1,
            notes: Vec::new(),
            error: None,
            comparison: None,
            mapping: None,
        }],
        notes: Vec::new(),
    });
    check(
        &document,
        &[
            ("## etl verify", ""),
            ("### A table of a verification", "/tables/0"),
            ("### Two databases", "/tables/0/pairs/0"),
            ("### A row that differs", "/tables/0/pairs/0/rows/0"),
            ("### A recorded proof", "/tables/0/last_proof"),
        ],
    );
}

#[test]
fn a_repair() {
    let moved = moved_table();
    let document = document(&RepairReport {
        run_id: RunId::new(),
        started_at: AT,
        finished_at: AT,
        ok: true,
        cancelled: false,
        dry_run: false,
        tables: vec![RepairTable {
            table: table(),
            status: RepairStatus::Repaired,
            way: Some(RepairWay::Rows),
            before: vec![pair()],
            after: Vec::new(),
            copy: moved.copy,
            load: moved.load,
            notes: Vec::new(),
            error: None,
        }],
        notes: Vec::new(),
    });
    check(
        &document,
        &[
            ("## etl repair", ""),
            ("### A table of a repair", "/tables/0"),
            ("### Two databases", "/tables/0/before/0"),
            ("### A copy", "/tables/0/copy"),
            ("### A load", "/tables/0/load"),
        ],
    );
}

#[test]
fn first_settings() {
    let proposal = ExtractionProposal {
        extraction: Extraction::Diff,
        watermark: Vec::new(),
        written: WrittenAs::Commented,
        why: Vec::new(),
    };
    let column =
        ColumnProposal { column: ColumnName::new("a").unwrap(), to: "boolean", why: String::new() };
    let document = document(&InitReport {
        made_at: AT,
        source: String::new(),
        server: String::new(),
        certificate: Some(SeenCertificate {
            fingerprint: String::new(),
            standing: CertificateStanding::Seen,
        }),
        rows_looked_at: true,
        tables: vec![TableProposal {
            table: table(),
            engine: "InnoDB".to_owned(),
            rows: 1,
            rows_are_exact: false,
            bytes: 1,
            size: TableSize::Large,
            key: Vec::new(),
            rows_looked_at: 1,
            fault: None,
            extraction: Some(proposal),
            columns: vec![column],
        }],
        unfit: Vec::new(),
        not_carried: Vec::new(),
        omissions: OmissionReport::default(),
        exclude: Vec::new(),
    });
    check(
        &document,
        &[
            ("## etl init", ""),
            ("### A certificate", "/certificate"),
            ("### A proposal for a table", "/tables/0"),
            ("### A proposed extraction", "/tables/0/extraction"),
            ("### A proposed type", "/tables/0/columns/0"),
        ],
    );
}

fn document(report: &impl Serialize) -> Value {
    serde_json::to_value(report).unwrap()
}

/// Compares the fields below each heading of the page with those of the object at the pointer.
#[track_caller]
fn check(document: &Value, objects: &[(&str, &str)]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (heading, pointer) in objects {
        let object = document.pointer(pointer).and_then(Value::as_object);
        let printed: BTreeSet<&str> = object
            .unwrap_or_else(|| panic!("{pointer} is no object"))
            .keys()
            .map(|k| &**k)
            .collect();
        assert_eq!(named(&page, heading), printed, "docs/json.md, {heading}");
    }
}

/// Returns the first column of the table below a heading.
fn named<'a>(page: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let section = lines.take_while(|line| !line.starts_with('#'));
    section.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

fn table() -> TableName {
    TableName::new("patient").unwrap()
}

fn plan() -> PlanReport {
    PlanReport {
        extraction: Extraction::FullTable,
        reason: Reason::Configured,
        force_full_applied: false,
        priority: Priority::Medium,
        strategy_reason: String::new(),
    }
}

fn moved_table() -> TableReport {
    let mut lossy = LossAudit::default();
    lossy.add(&ColumnName::new("a").unwrap(), LossPolicy::ZeroDates, 1);
    TableReport {
        table: table(),
        status: TableStatus::Ok,
        plan: Some(plan()),
        copy: Some(CopyReport {
            rows_copied: 1,
            rows_inserted: 1,
            rows_updated: 0,
            rows_deleted: 0,
            bytes: 1,
            strategy_used: "load_data",
            duration_ms: 1,
            performance: MovePerformance::default(),
            watermark: None,
        }),
        load: Some(LoadReport {
            rows_loaded: 1,
            rows_inserted: 1,
            rows_updated: 0,
            rows_deleted: 0,
            bytes: 1,
            strategy_used: "streaming",
            duration_ms: 1,
            performance: MovePerformance::default(),
        }),
        proof: Some(Proof {
            verdict: Verdict::Equal,
            by: ProofBy::Rows,
            covers: Covers::Table,
            at: AT,
            counted: true,
            source_rows: Some(1),
            replica_rows: None,
            target_rows: None,
            kept_rows: None,
            source_checksum: None,
            replica_checksum: None,
            source_sum: Some(TableSum::default()),
            read_sum: None,
            target_sum: None,
            duration_ms: 1,
        }),
        lossy,
        notes: Vec::new(),
        error: None,
        not_started_because: None,
    }
}

fn pair() -> VerifyPair {
    VerifyPair {
        first: Side::Source,
        second: Side::Target,
        missing: 1,
        stale: 0,
        phantom: 0,
        moving: 0,
        columns: BTreeMap::new(),
        all_listed: true,
        rows: vec![VerifyRow { kind: "missing", key: Vec::new(), columns: Vec::new(), rows: 1 }],
    }
}
