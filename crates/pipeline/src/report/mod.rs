//! The outcome of a run, a verification and a repair, as values and as JSON.

mod run;
mod totals;

pub use run::{
    CopyReport, Covers, LoadReport, PlanReport, Proof, RunReport, TableReport, TableStatus, Verdict,
};
pub(crate) use totals::{MoveTotals, StepFigures, millis, recorded_proof};
