//! Metrics of a run and of the recorded state, as OpenMetrics text.
//!
//! All metrics are gauges, so that the text is OpenMetrics and Prometheus' older text format alike:
//! node_exporter's textfile collector reads the latter. A run and a status share no metric, so both files may stand
//! in one folder. Times are those of the events and not ages, since a file is read long after it was written.

mod catalogue;
mod document;
mod run;
mod status;

pub use catalogue::{ALL_METRICS, MetricSpec, MetricUnit};
pub use run::{RunOutcome, run_metrics};
pub use status::status_metrics;

#[cfg(test)]
mod tests;
