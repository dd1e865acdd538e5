//! Which tables are moved, when and how fast: order, `until`, the throttle, `--only-failed`, and
//! what the report and the tracking tables say of it.

mod failed;
mod gone;
mod order;
mod performance;
mod status;
mod strategy;
mod throttle;
mod until;

use crate::etl::in_full;
use handoff_model::{CancelToken, Observer, RunEvent};
use handoff_pipeline::{Pipeline, RunOptions, RunReport, TableStatus};
use handoff_settings::Settings;
use handoff_testbed::Trio;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Reads settings of the test's own.
#[track_caller]
fn settings(toml: &str) -> Settings {
    Settings::from_toml(&in_full(toml), Path::new("handoff.toml")).unwrap()
}

/// Keeps the names of tables in the order in which they were begun.
#[derive(Default)]
struct Begun(Mutex<Vec<String>>);

impl Observer for Begun {
    fn event(&self, event: &RunEvent) {
        if let RunEvent::PhaseStarted { table, .. } = event {
            let mut begun = self.0.lock().unwrap();
            if !begun.iter().any(|name| name == table.as_str()) {
                begun.push(table.to_string());
            }
        }
    }
}

/// Calls a closure for every event.
struct Call<F>(F);

impl<F: Fn(&RunEvent) + Send + Sync> Observer for Call<F> {
    fn event(&self, event: &RunEvent) {
        (self.0)(event);
    }
}

/// A table of so many rows; MyISAM's catalogue knows its size exactly.
fn table(trio: &Trio, name: &str, engine: &str, rows: u32) {
    trio.sql_source(&format!(
        "CREATE TABLE {name} (id INT PRIMARY KEY, note VARCHAR(60)) ENGINE={engine}; \
         INSERT INTO {name} SELECT seq, CONCAT('row ', seq) FROM seq_1_to_{rows}"
    ));
}

/// The names of the tables that came out so, in the order of the report.
fn with_status(report: &RunReport, status: TableStatus) -> Vec<&str> {
    report.with_status(status).map(|table| table.table.as_str()).collect()
}

/// A run of the default options.
#[track_caller]
fn run(pipeline: &Pipeline) -> RunReport {
    pipeline.run(&RunOptions::default()).unwrap()
}

fn watched(toml: &str, observer: impl Observer + 'static) -> Pipeline {
    Pipeline::new(settings(toml)).observer(Arc::new(observer))
}

fn cancelled_by(pipeline: Pipeline) -> (Pipeline, CancelToken) {
    let cancel = CancelToken::new();
    (pipeline.cancel(cancel.clone()), cancel)
}
