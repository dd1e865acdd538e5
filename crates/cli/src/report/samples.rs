//! A report of each kind, with every field.

use handoff_connect::Side;
use handoff_model::{
    ColumnName, Extraction, LossAudit, LossPolicy, MovePerformance, Priority, ProofBy, Reason,
    RunId, Strategy, SumBy, TableName, TableSum,
};
use handoff_pipeline::{
    Action, CertificateStanding, CheckFinding, CheckReport, CheckSubject, CheckVerdict,
    ColumnProposal, CopyReport, Covers, ExtractionProposal, FailedObject, Fix, FixKind, InitReport,
    LastProof, LoadReport, MadeObject, ObjectKind, ObjectPreview, ObjectRemark, ObjectReport,
    OmissionReport, PlanPreview, PlanReport, Proof, RefusedPreview, RepairReport, RepairStatus,
    RepairTable, RepairWay, RunReport, SeenCertificate, Since, StatusSnapshot, StructureReport,
    TablePreview, TableProposal, TableReport, TableSize, TableStatus, Verdict, VerifyPair,
    VerifyReport, VerifyRow, VerifyStatus, VerifyTable, WrittenAs,
};
use handoff_tracking::{AttemptStatus, LastMove, LastRun, TrackedTable};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) const AT: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) fn run_report() -> RunReport {
    RunReport {
        run_id: RunId::new(),
        started_at: AT,
        finished_at: AT + jiff::SignedDuration::from_secs(41),
        ok: true,
        cancelled: false,
        schema: "raw".to_owned(),
        tables: vec![moved_table()],
        omissions: OmissionReport::default(),
        objects: object_report(),
        notes: Vec::new(),
    }
}

pub(super) fn plan_preview() -> PlanPreview {
    PlanPreview {
        at: AT,
        in_progress: None,
        tables: vec![TablePreview {
            table: table(),
            action: Action::MoveAll,
            plan: plan(),
            since: vec![Since {
                column: "DateTStamp".to_owned(),
                from: "2026-01-31 05:00:00".to_owned(),
            }],
            strategy: Strategy::Streaming,
            moved_because: None,
            rows: 1_234_567,
            bytes: 98_765_432,
            structure: vec![structure()],
            last: Some(LastMove::default()),
        }],
        refused: vec![RefusedPreview {
            table: table(),
            error: "no key tells its rows apart".to_owned(),
        }],
        mended: Vec::new(),
        objects: vec![ObjectPreview {
            table: table(),
            kind: ObjectKind::Index,
            name: "t_k".to_owned(),
            statements: vec![
                "CREATE INDEX \"t_k\" ON \"raw\".\"t\" USING btree (\"k\")".to_owned(),
            ],
        }],
        omissions: OmissionReport::default(),
        notes: Vec::new(),
    }
}

fn object_report() -> ObjectReport {
    let (table, name) = (table(), "t_k".to_owned());
    let kind = ObjectKind::Index;
    ObjectReport {
        made: vec![MadeObject {
            table: table.clone(),
            kind,
            name: name.clone(),
            action: "made",
            duration_ms: 1,
        }],
        failed: vec![FailedObject {
            table: table.clone(),
            kind,
            name: name.clone(),
            error: "it is too long".to_owned(),
        }],
        kept: 1,
        remarks: vec![ObjectRemark {
            table,
            kind,
            part: name,
            said: "it is another one".to_owned(),
        }],
    }
}

pub(super) fn check_report() -> CheckReport {
    CheckReport {
        checked_at: AT,
        ok: true,
        findings: vec![CheckFinding {
            side: Side::Target,
            subject: CheckSubject::Grants,
            verdict: CheckVerdict::Fault,
            what: "the account cannot create tables in the schema raw".to_owned(),
            fixes: vec![Fix {
                kind: FixKind::Statement,
                text: "GRANT CREATE, USAGE ON SCHEMA raw TO etl".to_owned(),
            }],
        }],
        omissions: OmissionReport::default(),
    }
}

pub(super) fn verify_report() -> VerifyReport {
    VerifyReport {
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
            rows: BTreeMap::from([("source", 1_234), ("target", 1_233)]),
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
    }
}

pub(super) fn repair_report() -> RepairReport {
    let moved = moved_table();
    RepairReport {
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
    }
}

pub(super) fn init_report() -> InitReport {
    let proposal = ExtractionProposal {
        extraction: Extraction::Diff,
        watermark: Vec::new(),
        written: WrittenAs::Commented,
        why: Vec::new(),
    };
    let column =
        ColumnProposal { column: ColumnName::new("a").unwrap(), to: "boolean", why: String::new() };
    InitReport {
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
    }
}

pub(super) fn status_snapshot() -> StatusSnapshot {
    StatusSnapshot {
        states: BTreeMap::from([(table(), TrackedTable::default())]),
        disagreements: Vec::new(),
        last_run: Some(LastRun {
            run_id: RunId::new(),
            status: AttemptStatus::Success,
            started_at: None,
            finished_at: None,
            tables_ok: 12,
            tables_failed: 0,
            tables_not_started: 0,
        }),
        in_progress: None,
        notes: Vec::new(),
    }
}

pub(super) fn table() -> TableName {
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

fn structure() -> StructureReport {
    StructureReport {
        class: "built_anew",
        column: "AskToArriveEarly".to_owned(),
        said: "the column \"AskToArriveEarly\" is built anew as bigint, from integer".to_owned(),
        statements: vec!["ALTER TABLE \"raw\".\"patient\" ADD COLUMN \"new\" bigint".to_owned()],
        views: vec!["\"mart\".\"patients\"".to_owned()],
        rows_filled: true,
    }
}

pub(super) fn moved_table() -> TableReport {
    let mut lossy = LossAudit::default();
    lossy.add(&ColumnName::new("Birthdate").unwrap(), LossPolicy::ZeroDates, 1);
    TableReport {
        table: table(),
        status: TableStatus::Ok,
        plan: Some(plan()),
        structure: vec![structure()],
        copy: Some(CopyReport {
            rows_copied: 1_234,
            rows_inserted: 1_200,
            rows_updated: 30,
            rows_deleted: 4,
            bytes: 123_456,
            strategy_used: "load_data",
            duration_ms: 1_500,
            performance: MovePerformance::default(),
            watermark: None,
        }),
        load: Some(LoadReport {
            rows_loaded: 1_234,
            rows_inserted: 1_200,
            rows_updated: 30,
            rows_deleted: 4,
            bytes: 123_456,
            strategy_used: "streaming",
            duration_ms: 1_500,
            performance: MovePerformance::default(),
        }),
        proof: Some(Proof {
            verdict: Verdict::Equal,
            by: ProofBy::Rows,
            covers: Covers::Table,
            at: AT,
            counted: true,
            source_rows: Some(1_234),
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
        retries: 0,
        notes: Vec::new(),
        error: None,
        not_started_because: None,
    }
}

pub(super) fn pair() -> VerifyPair {
    VerifyPair {
        first: Side::Source,
        second: Side::Target,
        missing: 1,
        stale: 0,
        phantom: 0,
        moving: 0,
        columns: BTreeMap::new(),
        all_listed: true,
        rows: vec![VerifyRow {
            kind: "missing",
            key: vec!["4711".to_owned()],
            columns: Vec::new(),
            rows: 1,
        }],
    }
}
