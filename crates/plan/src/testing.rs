//! Made-up tables and states, for tests: behind the feature `testing`.

#![expect(clippy::unwrap_used, reason = "for tests only")]

use crate::change_token::ChangeDetector;
use crate::clock::SourceClock;
use crate::hops::Hops;
use crate::plan::{Plan, PlanInputs, plan};
use crate::table_plan::TablePlan;
use handoff_model::{
    ColumnName, CopyId, Extraction, RowFilter, TableName, Watermark, WatermarkWindow,
};
use handoff_schema::ddl::PgColumn;
use handoff_schema::{
    ColumnSchema, IndexPart, IndexSchema, MappedColumn, SchemaCache, SourceCatalogue, TableMapping,
    TableSchema, TargetCatalogue, TargetKind, TargetTable,
};
use handoff_settings::{Lookback, Settings, TableSettings};
use handoff_tracking::testing::{copied, loaded};
use handoff_tracking::{
    CopyState, LoadState, RecoveryFinding, TableHistory, TrackedTable, WatermarkAt,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The copy that [`tracked`] tables hold.
pub const FULL_COPY: &str = "000000000000000a";

fn id(text: &str) -> CopyId {
    CopyId::parse(text).unwrap()
}

/// Returns the watermark of a column `s` of TIMESTAMPs, on top of the copy `base`.
pub fn watermark_at(text: &str, base: &str) -> Vec<WatermarkAt> {
    let column = ColumnName::new("s").unwrap();
    vec![WatermarkAt { column, watermark: Watermark::Timestamp(text.to_owned()), base: id(base) }]
}

/// Returns the time of the tests.
pub fn now() -> Timestamp {
    "2026-03-01T05:00:00Z".parse().unwrap()
}

/// A table that was copied and loaded a day ago.
pub fn tracked() -> TrackedTable {
    let last = now().checked_sub(SignedDuration::from_hours(24)).unwrap();
    let marks = watermark_at("2026-02-28 05:00:00", FULL_COPY);
    let copy = CopyState {
        watermark: Some(marks.clone()),
        fingerprint: Some("f".to_owned()),
        last_success_at: Some(last),
        ..copied(Some(id(FULL_COPY)))
    };
    let load = LoadState {
        data_as_of: Some(last),
        watermark: Some(marks),
        fingerprint: Some("f".to_owned()),
        last_success_at: Some(last),
        ..loaded(Some(id(FULL_COPY)))
    };
    TrackedTable { copy: Some(copy), load: Some(load) }
}

/// A table `t` with the key `id`, a column `d` of dates, and watermark columns `w0`, `w1`, …
#[derive(Debug, Clone)]
pub struct SampleTable {
    /// The watermarks of its columns.
    pub marks: Vec<Watermark>,
    /// The days that the column of dates looks back.
    pub lookback: Option<u32>,
    /// The setting.
    pub extraction: Extraction,
}

fn not_null(name: &str, column_type: &str) -> ColumnSchema {
    ColumnSchema { nullable: false, ..ColumnSchema::of_type(name, column_type).unwrap() }
}

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

/// Returns the MySQL type of a column with such watermarks.
pub fn type_of(mark: &Watermark) -> &'static str {
    match mark {
        Watermark::Integer(_) => "bigint",
        Watermark::Decimal(_) => "decimal(20,4)",
        Watermark::Date(_) => "date",
        Watermark::DateTime(_) => "datetime",
        Watermark::Timestamp(_) => "timestamp",
    }
}

impl SampleTable {
    /// Returns the table.
    pub fn schema(&self) -> TableSchema {
        let mut columns = vec![not_null("id", "int"), not_null("d", "date")];
        let marks = self.marks.iter().enumerate();
        columns.extend(marks.map(|(n, mark)| not_null(&format!("w{n}"), type_of(mark))));
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let key = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
        TableSchema { columns, indexes: vec![key], ..TableSchema::empty("t") }
    }

    fn settings(&self) -> Settings {
        let urls = ["mysql://a@h:1/s", "mysql://a@h:2/r", "postgres://a@h/t"];
        let mut settings = Settings::new(urls[0], Some(urls[1]), urls[2]).unwrap();
        let columns = vec![column("d")];
        let table = TableSettings {
            extraction: Some(self.extraction),
            watermark: (0..self.marks.len()).map(|n| column(&format!("w{n}"))).collect(),
            lookback: self.lookback.map(|days| Lookback { days, columns }),
            ..TableSettings::default()
        };
        settings.tables.insert(TableName::new("t").unwrap(), table);
        settings
    }

    fn tracked(&self, fingerprint: &str, last: Timestamp) -> TrackedTable {
        let base = CopyId::parse("000000000000000a").unwrap();
        let recorded = self.marks.iter().enumerate().map(|(n, watermark)| WatermarkAt {
            column: column(&format!("w{n}")),
            watermark: watermark.clone(),
            base,
        });
        let marks: Vec<WatermarkAt> = recorded.collect();
        let mut state = tracked();
        let (copy, load) = (state.copy.as_mut().unwrap(), state.load.as_mut().unwrap());
        copy.watermark = Some(marks.clone());
        copy.fingerprint = Some(fingerprint.to_owned());
        copy.last_success_at = Some(last);
        load.watermark = Some(marks);
        load.fingerprint = Some(fingerprint.to_owned());
        load.data_as_of = Some(last);
        state
    }

    /// Returns a run of both hops that meets the table a day after the last.
    pub fn run(&self) -> SampleRun {
        let (schema, settings) = (self.schema(), self.settings());
        let name = schema.name.clone();
        let last = now().checked_sub(SignedDuration::from_hours(24)).unwrap();
        let fingerprint = format!("{:016x}", schema.fingerprint());
        let clock = SourceClock::parse("2026-03-01 05:00:00", "2026-02-28 23:00:00").unwrap();
        let mapping = TableMapping::new(&schema, &settings.table(&name), &settings.values).unwrap();
        let catalogue = SourceCatalogue {
            tables: [(name.clone(), Ok(schema))].into(),
            ..SourceCatalogue::empty()
        };
        let tables = [("t".to_owned(), arrived(&mapping))].into();
        SampleRun {
            replica: Some(catalogue.clone()),
            catalogue,
            target: TargetCatalogue { tables, ..Default::default() },
            wanted: [name.clone()].into(),
            states: [(name, self.tracked(&fingerprint, last))].into(),
            detector: ChangeDetector::unasked(&clock),
            clock,
            settings,
            hops: Hops::Both,
            full: false,
            adopt: false,
            histories: BTreeMap::new(),
            denied: BTreeMap::new(),
            replaced: BTreeSet::new(),
            findings: Vec::new(),
        }
    }

    /// Plans that run.
    pub fn planned(&self) -> TablePlan {
        let plan = self.run().plan();
        assert!(plan.refused.is_empty(), "{:?}", plan.refused);
        plan.tables.into_iter().next().unwrap()
    }
}

/// Returns tables with watermarks of all kinds.
pub fn sample_tables() -> impl Strategy<Value = SampleTable> {
    let extraction =
        prop_oneof![Just(Extraction::Incremental), Just(Extraction::IncrementalChunked)];
    (watermarks(), prop::option::of(0..400_u32), extraction)
        .prop_map(|(marks, lookback, extraction)| SampleTable { marks, lookback, extraction })
}

fn watermarks() -> impl Strategy<Value = Vec<Watermark>> {
    let day = (2000..2026_u32, 1..=12_u32, 1..=28_u32, 0..24_u32, 0..60_u32);
    let text = day.prop_map(|(y, m, d, h, min)| {
        (format!("{y}-{m:02}-{d:02}"), format!("{h:02}:{min:02}:07"))
    });
    let mark = prop_oneof![
        any::<i64>().prop_map(|number| Watermark::Integer(number.into())),
        (any::<i32>(), 0..10_000_u32)
            .prop_map(|(whole, part)| Watermark::Decimal(format!("{whole}.{part:04}"))),
        text.clone().prop_map(|(day, _)| Watermark::Date(day)),
        text.clone().prop_map(|(day, time)| Watermark::DateTime(format!("{day} {time}"))),
        text.prop_map(|(day, time)| Watermark::Timestamp(format!("{day} {time}"))),
    ];
    prop::collection::vec(mark, 1..4)
}

/// Returns the bounds of a window.
///
/// # Panics
///
/// Panics if the filter is no window.
pub fn bounds(filter: &RowFilter) -> &[WatermarkWindow] {
    match filter {
        RowFilter::Changed { bounds, .. } => bounds,
        other => panic!("no window: {other:?}"),
    }
}

/// A run that meets the tables of a [`SampleTable`], to be changed before it is planned.
#[derive(Debug)]
pub struct SampleRun {
    /// The settings.
    pub settings: Settings,
    /// The tables of the source.
    pub catalogue: SourceCatalogue,
    /// The tables of the replica, if there is one.
    pub replica: Option<SourceCatalogue>,
    /// The tables of the target.
    pub target: TargetCatalogue,
    /// The tables to plan.
    pub wanted: BTreeSet<TableName>,
    /// Their recorded states.
    pub states: BTreeMap<TableName, TrackedTable>,
    /// Their recorded moves.
    pub histories: BTreeMap<TableName, TableHistory>,
    /// Those that may not be read, with the statement that lets the account.
    pub denied: BTreeMap<TableName, String>,
    /// Those whose rows another source's replace.
    pub replaced: BTreeSet<TableName>,
    /// The disagreements of tracking and databases.
    pub findings: Vec<RecoveryFinding>,
    /// The change tokens.
    pub detector: ChangeDetector,
    /// The clock of the source.
    pub clock: SourceClock,
    /// The hops.
    pub hops: Hops,
    /// True for `--full`.
    pub full: bool,
    /// True for `--adopt`.
    pub adopt: bool,
}

impl SampleRun {
    /// Plans it.
    pub fn plan(&self) -> Plan {
        let origin = SchemaCache::new();
        origin.load("s", self.catalogue.clone(), |schema| {
            TableMapping::new(schema, &self.settings.table(&schema.name), &self.settings.values)
        });
        plan(&PlanInputs {
            settings: &self.settings,
            hops: self.hops,
            full: self.full,
            adopt: self.adopt,
            leaves_unchanged: true,
            wanted: &self.wanted,
            denied: &self.denied,
            origin: &origin,
            database: "s",
            replica: self.replica.as_ref(),
            target: &self.target,
            replaced: &self.replaced,
            states: &self.states,
            histories: &self.histories,
            findings: &self.findings,
            detector: self.detector.clone(),
            clock: self.clock,
            now: now(),
        })
    }
}

/// Returns the table that a mapping makes in the target.
pub fn arrived(mapping: &TableMapping) -> TargetTable {
    TargetTable {
        name: mapping.pg_table.clone(),
        kind: TargetKind::Table,
        columns: mapping.columns.iter().map(arrived_column).collect(),
        key: mapping.pg_key_names().into_iter().map(str::to_owned).collect(),
        other_unique_indexes: 0,
        obstacles: Vec::new(),
        key_name: None,
        spare_name: "spare".to_owned(),
    }
}

fn arrived_column(column: &MappedColumn) -> PgColumn {
    PgColumn {
        name: column.pg_name.clone(),
        type_name: column.pg.to_string(),
        not_null: false,
        generated: false,
        has_default: false,
        is_bound: false,
        is_viewed: false,
    }
}
