//! Made-up tables with their plans, and the outcomes of comparing them.

use crate::error::TableError;
use crate::table::difference::TableDifference;
use handoff_connect::{Fault, Side};
use handoff_model::{
    ColumnName, CopyId, Deletes, Extraction, Priority, Reason, RowFilter, Strategy, SumBy,
    TableName, TableSum, Watermark, WatermarkWindow,
};
use handoff_plan::{Decision, StrategyChoice, TablePlan, WatermarkColumn, WatermarkKind, Window};
use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};
use handoff_tracking::testing::{copied, loaded};
use handoff_tracking::{CopyState, LoadState, TrackedTable, WatermarkAt};
use handoff_verify::{DifferenceKind, PairDifferences, RowDifference, RowKey, TableComparison};
use jiff::Timestamp;
use std::sync::Arc;

pub(crate) const BASE: &str = "000000000000000a";

pub(crate) fn copy_id(text: &str) -> CopyId {
    CopyId::parse(text).unwrap()
}

pub(crate) fn name() -> TableName {
    TableName::new("t").unwrap()
}

/// A watermark column `w` of times.
pub(crate) fn watermark_column() -> WatermarkColumn {
    let name = ColumnName::new("w").unwrap();
    WatermarkColumn { name, kind: WatermarkKind::DateTime, nullable: false, indexed: true }
}

pub(crate) fn at(text: &str) -> Watermark {
    Watermark::DateTime(text.to_owned())
}

pub(crate) const LAST: &str = "2026-02-28 05:00:00";
pub(crate) const NEXT: &str = "2026-03-01 05:00:00";

pub(crate) fn window_filter() -> RowFilter {
    let bound = WatermarkWindow { column: watermark_column().name, from: at(LAST), below: None };
    RowFilter::Changed { bounds: vec![bound], nulls: Vec::new() }
}

/// The table `t (id int primary key, w datetime)`.
pub(crate) fn schema() -> TableSchema {
    let not_null =
        |name, kind| ColumnSchema { nullable: false, ..ColumnSchema::of_type(name, kind).unwrap() };
    let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
    let key = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
    let columns = vec![not_null("id", "int"), not_null("w", "datetime")];
    TableSchema { columns, indexes: vec![key], ..TableSchema::empty("t") }
}

/// A table that was copied and loaded a day ago, with 100 rows everywhere.
pub(crate) fn tracked() -> TrackedTable {
    let last: Timestamp = "2026-02-28T05:00:00Z".parse().unwrap();
    let (column, base) = (watermark_column().name, copy_id(BASE));
    let marks = vec![WatermarkAt { column, watermark: at(LAST), base }];
    let copy = CopyState {
        watermark: Some(marks.clone()),
        fingerprint: Some("f".to_owned()),
        rows: Some(100),
        last_success_at: Some(last),
        ..copied(Some(base))
    };
    let load = LoadState {
        data_as_of: Some(last),
        watermark: Some(marks),
        fingerprint: Some("f".to_owned()),
        rows: Some(100),
        source_rows: Some(100),
        replica_rows: Some(100),
        target_rows: Some(100),
        proof: Some("same_count".to_owned()),
        last_success_at: Some(last),
        ..loaded(Some(base))
    };
    TrackedTable { copy: Some(copy), load: Some(load) }
}

/// A table whose plan moves the window of its watermark.
pub(crate) fn window_plan() -> TablePlan {
    let schema = schema();
    let mapping =
        TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default()).unwrap();
    TablePlan {
        name: name(),
        decision: Decision {
            extraction: Extraction::Incremental,
            reason: Reason::Watermark,
            force_full_applied: false,
            since: Vec::new(),
            loads_all: false,
        },
        priority: Priority::Medium,
        filter: window_filter(),
        window: Some(Arc::new(Window { columns: vec![watermark_column()], lookback: None })),
        deletes: Deletes::Count,
        max_delete_percent: None,
        load_strategy: StrategyChoice {
            strategy: Strategy::Streaming,
            keep_spool: false,
            why: "small".to_owned(),
        },
        schema: Arc::new(schema.clone()),
        fingerprint: "f".to_owned(),
        replica: Some(Arc::new(schema)),
        mapping: Arc::new(mapping),
        target: None,
        structure: None,
        columns: "[]".into(),
        change_token: Ok("mark".to_owned()),
        tracked: tracked(),
        copy_id: copy_id("000000000000000b"),
    }
}

/// A table whose plan moves everything.
pub(crate) fn full_plan() -> TablePlan {
    let mut plan = window_plan();
    plan.decision.extraction = Extraction::FullTable;
    plan.decision.reason = Reason::Configured;
    TablePlan { filter: RowFilter::All, window: None, ..plan }
}

/// A table whose plan moves the rows that a comparison names.
pub(crate) fn diff_plan() -> TablePlan {
    let mut plan = full_plan();
    plan.decision.extraction = Extraction::Diff;
    plan.decision.reason = Reason::Compared;
    plan
}

/// The outcome of a comparison of `rows` rows in which these keys differ, in each pair of databases.
pub(crate) fn comparison(
    sides: &[Side],
    rows: u64,
    differing: &[(DifferenceKind, i32)],
) -> TableDifference {
    let listed = differing.iter().map(|(kind, key)| RowDifference {
        kind: *kind,
        key: RowKey::of(&[&key.to_be_bytes()]),
        columns: Vec::new(),
        rows: 1,
    });
    let listed: Vec<RowDifference> = listed.collect();
    let count = |kind| listed.iter().filter(|row| row.kind == kind).count() as u64;
    let pairs = sides.windows(2).map(|pair| PairDifferences {
        first: pair[0],
        second: pair[1],
        missing: count(DifferenceKind::Missing),
        stale: count(DifferenceKind::Stale),
        phantom: count(DifferenceKind::Phantom),
        moving: 0,
        rows: listed.clone(),
        moving_rows: Vec::new(),
    });
    TableDifference(TableComparison {
        table: name(),
        sums: sides.iter().map(|side| (*side, TableSum { rows, hash: 7 })).collect(),
        pairs: pairs.collect(),
        looks: 1,
        by: SumBy::Read,
    })
}

pub(crate) const BOTH: [Side; 2] = [Side::Source, Side::Replica];
pub(crate) const ALL: [Side; 3] = [Side::Source, Side::Replica, Side::Target];

/// A fault of a MySQL server with this code.
pub(crate) fn my_fault(side: Side, code: u16) -> Fault {
    let message = "said the server".to_owned();
    let error = mysql::MySqlError { state: "HY000".to_owned(), message, code };
    Fault::my(side, &mysql::Error::MySqlError(error))
}

/// A fault that may pass by itself: a deadlock.
pub(crate) fn passing() -> TableError {
    TableError::Probe(my_fault(Side::Source, 1213))
}

/// A fault that stays.
pub(crate) fn lasting() -> TableError {
    TableError::Prove(Fault::new(Side::Target, "no such function"))
}
