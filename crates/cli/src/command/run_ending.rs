//! The things that follow a run, whatever its outcome: files for other programs.

use crate::args::{RunArgs, VERSION};
use crate::exit::Exit;
use crate::failure::Failure;
use handoff_export::metrics::{RunOutcome, run_metrics};
use handoff_export::whole_file::{try_place, write_whole};
use handoff_pipeline::RunReport;
use jiff::Timestamp;
use std::path::Path;

/// The things that follow a run, from before its start.
pub(super) struct RunEnding<'a> {
    metrics: Option<&'a Path>,
    started_at: Timestamp,
}

impl RunEnding<'_> {
    /// Tries the files that will be written: a path that cannot be right is told before a table moves.
    pub(super) fn prepare(args: &RunArgs) -> Result<RunEnding<'_>, Failure> {
        let metrics = args.metrics.as_deref();
        if let Some(path) = metrics {
            try_place(path).map_err(Failure::write(path))?;
        }
        Ok(RunEnding { metrics, started_at: Timestamp::now() })
    }

    /// Tells the outcome to whoever is to be told. A file that cannot be written is a warning: the run is made.
    pub(super) fn tell(&self, report: Option<&RunReport>, exit: Exit) {
        let outcome = RunOutcome {
            report,
            started_at: report.map_or(self.started_at, |report| report.started_at),
            ended_at: report.map_or_else(Timestamp::now, |report| report.finished_at),
            exit_code: exit.code(),
        };
        if let Some(path) = self.metrics
            && let Err(error) = write_whole(path, &run_metrics(&outcome, VERSION))
        {
            log::warn!("cannot write {}: {error}", path.display());
        }
    }
}
