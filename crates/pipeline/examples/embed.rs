//! Embeds the whole pipeline in a program of one's own: settings made in code, an observer, and the
//! report as a value.
//!
//! `cargo run -p handoff-pipeline --example embed -- SOURCE_URL REPLICA_URL TARGET_URL`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to its user")]

use handoff_model::{Observer, RunEvent};
use handoff_pipeline::{Pipeline, Prove, RunOptions, chain};
use handoff_settings::{Settings, ZeroDates};
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

/// Prints a line whenever a table is done with.
struct Lines;

impl Observer for Lines {
    fn event(&self, event: &RunEvent) {
        if let RunEvent::TableFinished { table, status, error } = event {
            println!("{table}: {status} {}", error.as_deref().unwrap_or_default());
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("embed: {}", chain(&*error));
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    let [source, replica, target] = &urls[..] else {
        return Err("three URLs are wanted: source, replica and target".into());
    };
    let mut settings = Settings::new(source, Some(replica), target)?;
    settings.values.zero_dates = ZeroDates::Date(1, 1, 1);

    let options = RunOptions { prove: Prove::Rows, ..RunOptions::default() };
    let report = Pipeline::new(settings).observer(Arc::new(Lines)).run(&options)?;

    let slowest = report.tables.iter().filter_map(|table| table.load.as_ref());
    let slowest = slowest.map(|load| load.duration_ms).max().unwrap_or(0);
    println!("{}; the slowest load took {slowest} ms", report.conclusion());
    Ok(report.ok)
}
