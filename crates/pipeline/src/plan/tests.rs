//! Both hops take their rows from one decision: whatever the watermarks are, the columns and bounds are the
//! same.

use super::*;
use crate::WatermarkKind;
use crate::decide;
use crate::options::Hops;
use crate::table::{Attempt, Probe, Stages, WindowSlice};
use handoff_loader::LoadMode;
use handoff_model::{ColumnName, ProofBy, Reason, Watermark, WatermarkWindow};
use handoff_schema::ddl::PgColumn;
use handoff_schema::{
    ColumnSchema, IndexPart, IndexSchema, MappedColumn, TableMapping, TargetKind, TargetTable,
};
use handoff_settings::{Lookback, TableSettings};
use handoff_tracking::WatermarkAt;
use proptest::prelude::*;

/// A table `t` with the key `id`, a column `d` of dates, and watermark columns `w0`, `w1`, …
#[derive(Debug, Clone)]
struct World {
    marks: Vec<Watermark>,
    lookback: Option<u32>,
    extraction: Extraction,
}

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn type_of(mark: &Watermark) -> &'static str {
    match mark {
        Watermark::Integer(_) => "bigint",
        Watermark::Decimal(_) => "decimal(20,4)",
        Watermark::Date(_) => "date",
        Watermark::DateTime(_) => "datetime",
        Watermark::Timestamp(_) => "timestamp",
    }
}

impl World {
    fn schema(&self) -> TableSchema {
        let not_null = |name: &str, column_type: &str| ColumnSchema {
            nullable: false,
            ..ColumnSchema::of_type(name, column_type).unwrap()
        };
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
        let mark = |(n, watermark): (usize, &Watermark)| WatermarkAt {
            column: column(&format!("w{n}")),
            watermark: watermark.clone(),
            base,
        };
        let marks: Vec<WatermarkAt> = self.marks.iter().enumerate().map(mark).collect();
        let mut tracked = decide::tests::tracked();
        let (copy, load) = (tracked.copy.as_mut().unwrap(), tracked.load.as_mut().unwrap());
        copy.watermark = Some(marks.clone());
        copy.fingerprint = Some(fingerprint.to_owned());
        copy.last_success_at = Some(last);
        load.watermark = Some(marks);
        load.fingerprint = Some(fingerprint.to_owned());
        load.data_as_of = Some(last);
        tracked
    }

    /// Plans a run of both hops, a day after the last.
    fn context(&self) -> TableContext {
        let (schema, settings) = (self.schema(), self.settings());
        let name = schema.name.clone();
        let now: Timestamp = "2026-03-01T05:00:00Z".parse().unwrap();
        let last = now.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap();
        let fingerprint = format!("{:016x}", schema.fingerprint());
        let clock = SourceClock::parse("2026-03-01 05:00:00", "2026-02-28 23:00:00").unwrap();
        let tables = [(name.clone(), Ok(schema))].into();
        let catalogue = SourceCatalogue { tables, ..SourceCatalogue::empty() };
        let origin = SchemaCache::new();
        origin.load("s", catalogue.clone(), |schema| {
            TableMapping::new(schema, &settings.table(&schema.name), &settings.values)
        });
        let known = origin.get("s", &name).unwrap().unwrap();
        let mapping = &known.mapping;
        let there = TargetTable {
            name: "t".to_owned(),
            kind: TargetKind::Table,
            columns: mapping.columns.iter().map(arrived).collect(),
            key: mapping.pg_key_names().into_iter().map(str::to_owned).collect(),
            other_unique_indexes: 0,
            obstacles: Vec::new(),
            spare_name: "spare".to_owned(),
        };
        let target =
            TargetCatalogue { tables: [("t".to_owned(), there)].into(), ..Default::default() };
        let plan = plan(&Surroundings {
            settings: &settings,
            options: &RunOptions::default(),
            wanted: &[name.clone()].into(),
            denied: &BTreeMap::new(),
            origin: &origin,
            database: "s",
            replica: Some(&catalogue),
            target: &target,
            replaced: &BTreeSet::new(),
            states: &[(name, self.tracked(&fingerprint, last))].into(),
            findings: &[],
            witness: Witness::nobody(&clock),
            clock,
            now,
        });
        assert!(plan.refused.is_empty(), "{:?}", plan.refused);
        plan.tables.into_iter().next().unwrap()
    }
}

fn arrived(column: &MappedColumn) -> PgColumn {
    PgColumn {
        name: column.pg_name.clone(),
        type_name: column.pg.to_string(),
        not_null: false,
        generated: false,
    }
}

fn marks() -> impl Strategy<Value = Vec<Watermark>> {
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

fn worlds() -> impl Strategy<Value = World> {
    let extraction =
        prop_oneof![Just(Extraction::Incremental), Just(Extraction::IncrementalChunked)];
    (marks(), prop::option::of(0..400_u32), extraction)
        .prop_map(|(marks, lookback, extraction)| World { marks, lookback, extraction })
}

fn bounds(filter: &RowFilter) -> &[WatermarkWindow] {
    match filter {
        RowFilter::Changed { bounds, .. } => bounds,
        other => panic!("all rows: {other:?}"),
    }
}

/// The slices that a run would cut: the first column's window in two, or one slice.
fn slices(attempt: &Attempt<'_>, world: &World) -> Vec<WindowSlice> {
    let whole = vec![attempt.whole(None)];
    let (Extraction::IncrementalChunked, [end]) = (world.extraction, &world.marks[..]) else {
        return whole;
    };
    let window = attempt.plan.window.as_ref().unwrap();
    let next = vec![(window.columns[0].clone(), end.clone())];
    let probe = Probe { rows: 0, changed: None, next };
    let mut cut = attempt.cut(Some(&probe)).unwrap();
    vec![cut.slice(Some(end.clone())), cut.slice(None)]
}

proptest! {
    #[test]
    fn a_plan_has_one_filter_and_it_names_the_watermark_columns(world in worlds()) {
        let context = world.context();
        prop_assert_eq!(context.decision.reason, Reason::Watermark);
        let mut names: Vec<String> = (0..world.marks.len()).map(|n| format!("w{n}")).collect();
        names.extend(world.lookback.map(|_| "d".to_owned()));
        let found = bounds(&context.filter);
        let named: Vec<String> = found.iter().map(|bound| bound.column.to_string()).collect();
        prop_assert_eq!(named, names);
        for (bound, mark) in found.iter().zip(&world.marks) {
            let kind = WatermarkKind::of(&type_of(mark).parse().unwrap()).unwrap();
            prop_assert!(kind.fits(&bound.from), "{:?} for {:?}", bound.from, mark);
            prop_assert_eq!(&bound.below, &None);
        }
    }

    #[test]
    fn both_hops_take_the_same_rows(world in worlds()) {
        let context = world.context();
        let attempt = Attempt::planned(&context);
        let slices = slices(&attempt, &world);
        let stages = Stages { hops: Hops::Both, has_replica: true, proof: ProofBy::Sums };
        let mode = |attempt: &Attempt<'_>| attempt.route(stages).load_mode();
        // Hop 2 takes the window of the plan, and the slices of hop 1 are that, without a gap.
        prop_assert_eq!(mode(&attempt), LoadMode::Incremental);
        prop_assert_eq!(attempt.rows_to_load(LoadMode::Incremental), &context.filter);
        let starts = bounds(&slices[0].filter)[0].from.clone();
        prop_assert_eq!(&starts, &bounds(&context.filter)[0].from);
        // What is moved beside it comes first.
        prop_assert_eq!(&bounds(&slices[0].filter)[1..], &bounds(&context.filter)[1..]);
        for pair in slices.windows(2) {
            let (one, next) = (&bounds(&pair[0].filter)[0], &bounds(&pair[1].filter)[0]);
            prop_assert_eq!(one.below.as_ref(), Some(&next.from));
            prop_assert_eq!(&one.column, &next.column);
        }
        prop_assert_eq!(&bounds(&slices.last().unwrap().filter)[0].below, &None);
        let attempt = attempt.in_full(Reason::RowsDeleted);
        prop_assert_eq!(&attempt.whole(None).filter, &RowFilter::All);
        prop_assert_eq!(mode(&attempt), LoadMode::Full);
        prop_assert_eq!(attempt.rows_to_load(LoadMode::Full), &RowFilter::All);
    }
}
