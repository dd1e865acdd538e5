//! The next run foreseen: every table with the action and the reason.

use crate::builder::Pipeline;
use crate::error::Result;
use crate::follow::{ViewsConcerned, foresee_views};
use crate::options::RunOptions;
use crate::planning::Planned;
use crate::recover::Recovery;
use crate::report::StructureReport;
use handoff_model::{
    Extraction, Reason, RowFilter, RunId, Strategy, TableName, WatermarkWindow, chain,
};
use handoff_objects::ObjectPreview;
use handoff_plan::{NameWeight, OmissionReport, PlanReport, TablePlan};
use handoff_session::{Access, SessionError, gone_note};
use handoff_settings::DroppedTables;
use handoff_tracking::{LastMove, RecoveryFinding};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The next run, foreseen. As JSON, fields are added in later versions, never renamed.
#[derive(Debug, Clone, Serialize)]
pub struct PlanPreview {
    /// The time of the look, UTC.
    pub at: Timestamp,
    /// The run that is in progress, as a phrase. Its unfinished work counts as interrupted here.
    pub in_progress: Option<String>,
    /// The tables in the order of their turns.
    pub tables: Vec<TablePreview>,
    /// Tables that would fail, with the reason.
    pub refused: Vec<RefusedPreview>,
    /// The disagreements of tracking and databases that are mended before the first table, one sentence each.
    pub mended: Vec<String>,
    /// The parts of the source that do not arrive in the target.
    pub omissions: OmissionReport,
    /// The objects around the columns that would be made or dropped, with their statements.
    pub objects: Vec<ObjectPreview>,
    /// Further remarks for a person.
    pub notes: Vec<String>,
}

/// The next run of one table, foreseen.
#[derive(Debug, Clone, Serialize)]
pub struct TablePreview {
    /// The table.
    pub table: TableName,
    /// The action to expect.
    pub action: Action,
    /// The plan of the move, with its reason.
    pub plan: PlanReport,
    /// The values behind which changed rows are looked for, in both hops; none if everything is moved.
    pub since: Vec<Since>,
    /// The strategy that would load the rows.
    pub strategy: Strategy,
    /// The reason why the table is not left alone as unchanged, unless it is.
    pub moved_because: Option<String>,
    /// Rows of the table by the catalogue: an estimate unless the engine counts them.
    pub rows: u64,
    /// Bytes of its data by the catalogue.
    pub bytes: u64,
    /// The changes of its structure that would be made in the target before.
    pub structure: Vec<StructureReport>,
    /// The last time that as much of it was moved.
    pub last: Option<LastMove>,
}

/// A table that would fail.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedPreview {
    /// The table.
    pub table: TableName,
    /// The error, with the remedy.
    pub error: String,
}

/// The action of the next run on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Every row goes through every hop.
    MoveAll,
    /// The rows that may have changed do.
    MoveChanged,
    /// The rows are compared, and those that differ are moved.
    Compare,
    /// The copy in the replica is loaded.
    Load,
    /// Nothing, if the table is as empty as it was.
    LeaveIfEmpty,
    /// Nothing.
    LeaveAlone,
}

/// The beginning of a window of changed rows.
#[derive(Debug, Clone, Serialize)]
pub struct Since {
    /// The column.
    pub column: String,
    /// The lowest value that is moved: the watermark less the overlap, or the oldest that is young.
    pub from: String,
}

impl Since {
    fn bound(window: &WatermarkWindow) -> Since {
        Since { column: window.column.as_str().to_owned(), from: window.from.to_string() }
    }
}

impl Pipeline {
    /// Foresees a [`run`](Pipeline::run) with `options`, and writes nothing: it makes nothing that is missing,
    /// mends nothing that was interrupted, and takes no lock.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if a server cannot be reached or read, or a table is not there.
    pub fn plan(&self, options: &RunOptions) -> Result<PlanPreview> {
        self.in_time(|| self.patiently(|| self.foresee(options)))
    }

    fn foresee(&self, options: &RunOptions) -> Result<PlanPreview> {
        let at = Timestamp::now();
        let run = RunId::new();
        let base = self.survey(run, Access::Look, options)?;
        let tracker = base.session.open_tracker(run)?;
        let in_progress = tracker.in_progress();
        let in_progress =
            in_progress.map_err(SessionError::server("ask whether a run is in progress"))?;
        let mut planned = self.make_plan(&base, &tracker, options, Recovery::Foresee)?;
        let views = foresee_views(&base.session, &mut planned.plan)?;
        let last = tracker.last_moves()?;
        let Planned { plan, findings, mut notes, gone, .. } = planned;
        let fate = self.settings.target.dropped_tables;
        notes.extend(gone.iter().map(|table| foretold(table, fate)));
        notes.extend(base.names(NameWeight::Quiet));
        notes.extend(base.omissions.reserved());
        notes.extend(base.scope.without_rows());
        notes.extend(plan.tables.iter().flat_map(structure_notes));
        let refused = plan.refused.iter().map(|refused| RefusedPreview {
            table: refused.table.clone(),
            error: chain(&refused.error),
        });
        Ok(PlanPreview {
            at,
            in_progress: in_progress.map(|holder| holder.to_string()),
            tables: plan
                .tables
                .iter()
                .map(|table| TablePreview::of(table, &last, &views))
                .collect(),
            refused: refused.collect(),
            mended: findings.iter().filter(|finding| is_mended(finding)).map(text).collect(),
            objects: self.foresee_objects(&base)?,
            omissions: base.omissions,
            notes,
        })
    }
}

/// Tables that are not ours fail by themselves, if they are to be carried at all.
fn is_mended(finding: &RecoveryFinding) -> bool {
    !matches!(finding, RecoveryFinding::NotOurs { .. })
}

fn text(finding: &RecoveryFinding) -> String {
    finding.to_string()
}

impl TablePreview {
    fn of(context: &TablePlan, last: &LastMoves, views: &ViewsConcerned) -> TablePreview {
        let (plan, action) = (context.report(), Action::of(context));
        TablePreview {
            table: context.name.clone(),
            action,
            since: since(&context.filter),
            strategy: context.planned().strategy,
            moved_because: (plan.reason != Reason::Unchanged).then(|| moved_because(context)),
            rows: context.schema.rows,
            bytes: context.schema.data_bytes,
            structure: structure(context, views),
            last: last.get(&(context.name.clone(), plan.extraction)).cloned(),
            plan,
        }
    }

    /// Returns the duration of the same work last time, in milliseconds; zero for a table that is left alone.
    pub fn expected_ms(&self) -> u64 {
        let last = self.last.as_ref().filter(|_| self.action != Action::LeaveAlone);
        last.map_or(0, LastMove::duration_ms)
    }
}

type LastMoves = BTreeMap<(TableName, Extraction), LastMove>;

impl Action {
    fn of(context: &TablePlan) -> Action {
        match (context.decision.reason, context.decision.extraction) {
            (Reason::Unchanged, _) => Action::LeaveAlone,
            (Reason::CopiedNotLoaded, _) => Action::Load,
            (Reason::Configured, _) if context.was_empty() => Action::LeaveIfEmpty,
            (_, Extraction::Diff) => Action::Compare,
            _ if context.filter != RowFilter::All => Action::MoveChanged,
            _ => Action::MoveAll,
        }
    }
}

/// Says what becomes of a table that is gone from the source.
fn foretold(table: &TableName, fate: DroppedTables) -> String {
    match fate {
        DroppedTables::Keep => gone_note(table),
        DroppedTables::Drop => format!(
            "`{table}` is gone from the source: the next run drops it (dropped_tables = \"drop\")"
        ),
    }
}

/// Says which columns stay although they are gone, and which may have been renamed.
fn structure_notes(context: &TablePlan) -> Vec<String> {
    let all = context.structure.iter().flat_map(|plan| &plan.notes);
    all.map(|sentence| format!("`{}`: {sentence}", context.name)).collect()
}

/// Returns the changes of the table's structure.
fn structure(context: &TablePlan, views: &ViewsConcerned) -> Vec<StructureReport> {
    let views = views.get(&context.name).map_or(&[][..], Vec::as_slice);
    let changes = context.structure.iter().flat_map(|plan| &plan.changes);
    let reports = changes.map(|change| {
        let concerned = if change.takes_views_down() { views } else { &[] };
        StructureReport::of(change, concerned)
    });
    reports.collect()
}

fn since(filter: &RowFilter) -> Vec<Since> {
    let RowFilter::Changed { bounds, .. } = filter else { return Vec::new() };
    bounds.iter().map(Since::bound).collect()
}

/// Returns the reason why the source does not tell that a table is as it was.
fn moved_because(context: &TablePlan) -> String {
    let recorded = context.tracked.copy.as_ref().and_then(|copy| copy.source_mark.as_ref());
    match (&context.change_token, recorded) {
        (Err(why), _) => why.to_string(),
        (Ok(_), None) => "its last copy has no change token".to_owned(),
        (Ok(now), Some(then)) if now == then => {
            "nothing was written since its last copy".to_owned()
        }
        (Ok(_), Some(_)) => "it was written since, or would now be moved differently".to_owned(),
    }
}
