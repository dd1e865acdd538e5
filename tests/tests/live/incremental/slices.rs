//! `incremental_chunked`.

use super::{Rig, check};
use handoff_model::{ColumnName, Extraction, Observer, RunEvent, TableName, TablePhase};
use handoff_pipeline::{Pipeline, RunOptions};
use handoff_settings::{Settings, TableSettings};
use std::sync::{Arc, Mutex};

const CHUNKED: &str = "[tables.t]\nextraction = \"incremental_chunked\"\nwatermark = \"s\"\n";

/// The old system lost 10,000 of them at the edge of a batch.
#[test]
fn sixty_thousand_rows_with_one_stamp_arrive() {
    let rig = Rig::new(
        "inc tie 60000",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s)); \
         INSERT INTO t VALUES (1, 1, '2024-01-01')",
        CHUNKED,
    );
    rig.moves("full_table", "first_run", 1);
    rig.trio.sql_source(
        "INSERT INTO t SELECT seq + 1, seq, '2024-06-01 12:00:00' FROM seq_1_to_60000; \
         INSERT INTO t SELECT seq + 70000, seq, '2024-06-02' + INTERVAL seq SECOND \
         FROM seq_1_to_30000",
    );
    let slices = Slices::default();
    let mut settings = Settings::new(
        &rig.trio.source_url(),
        Some(&rig.trio.replica_url()),
        &rig.trio.target_url(),
    )
    .unwrap();
    settings.selection.chunk_rows = 50_000;
    let t = TableSettings {
        extraction: Some(Extraction::IncrementalChunked),
        watermark: vec![ColumnName::new("s").unwrap()],
        ..TableSettings::default()
    };
    settings.tables.insert(TableName::new("t").unwrap(), t);
    let pipeline = Pipeline::new(settings).observer(Arc::new(slices.clone()));
    let report = pipeline.run(&RunOptions::default()).unwrap();
    let table = &report.tables[0];
    assert!(report.ok, "{table:?}");
    assert_eq!(table.plan.as_ref().unwrap().extraction, Extraction::IncrementalChunked);
    assert_eq!(table.load.as_ref().unwrap().rows_inserted, 90_000);
    assert_eq!(table.rows(), 90_001);
    // The row of the last watermark; all with one stamp; the others.
    assert_eq!(slices.copied(), [1, 60_000, 30_000]);
    check(&rig.run(&["run"]), "incremental_chunked", "watermark");
    rig.is_equal();
}

/// Gathers the rows of each copy.
#[derive(Clone, Default)]
struct Slices(Arc<Mutex<Vec<u64>>>);

impl Slices {
    fn copied(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Slices {
    fn event(&self, event: &RunEvent) {
        if let RunEvent::PhaseFinished { phase: TablePhase::Copy, rows, .. } = event {
            self.0.lock().unwrap().push(*rows);
        }
    }
}
