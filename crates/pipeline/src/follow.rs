//! A table of the target that follows the structure of the source.

use crate::changes_made::RecordedChanges;
use crate::error::{Result, TableError};
use crate::report::{StructureReport, TableReport};
use crate::table::RunTools;
use handoff_model::TableName;
use handoff_plan::{Plan, PlanError, RefusedTable, TablePlan};
use handoff_schema::TargetTable;
use handoff_session::{Session, SessionError};
use handoff_structure::{AlterPatience, StructurePlan, apply, finish, foresee};
use postgres::Transaction;
use std::collections::BTreeMap;

/// The views that the changes of tables' structures take down and put up again, quoted, by table.
pub(crate) type ViewsConcerned = BTreeMap<TableName, Vec<String>>;

/// Asks the target for the views that the changes of `plan` concern. Tables whose changes would fail are refused.
pub(crate) fn foresee_views(session: &Session<'_>, plan: &mut Plan) -> Result<ViewsConcerned> {
    let mut concerned = ViewsConcerned::new();
    let (changed, others): (Vec<_>, Vec<_>) =
        plan.tables.drain(..).partition(|table| table.changes().is_some());
    plan.tables = others;
    for table in changed {
        let Some(changes) = table.changes() else { continue };
        let mut conn = session.servers.target.get().map_err(SessionError::Connect)?;
        let foreseen = foresee(&mut conn, changes)
            .map_err(SessionError::server("look for the views over tables of the target"))?;
        match foreseen.refusal {
            Some(error) => {
                let (table, error) = (table.name, PlanError::Unfollowed(error));
                plan.refused.push(RefusedTable { table, error });
            }
            None => {
                concerned.insert(table.name.clone(), foreseen.views);
                plan.tables.push(table);
            }
        }
    }
    plan.sort();
    Ok(concerned)
}

impl RunTools {
    /// Makes the changes of a table's structure that come before its rows, and returns the table as it is then.
    pub(crate) fn make_changes(
        &self,
        plan: &TablePlan,
        changes: &StructurePlan,
    ) -> Result<TargetTable, TableError> {
        let hook = self.recorded_changes(&plan.name);
        let mut conn = self.servers.target.get().map_err(TableError::Prove)?;
        let done = apply(&mut conn, changes, self.alter_patience(), &self.cancel, &hook);
        done.map_err(TableError::Unfollowed)
    }

    /// Makes the changes that come with the rows, in the transaction that publishes these.
    pub(crate) fn finish_changes(
        &self,
        plan: &TablePlan,
        tx: &mut Transaction<'_>,
    ) -> Result<(), TableError> {
        let Some(changes) = plan.changes() else { return Ok(()) };
        let hook = self.recorded_changes(&plan.name);
        let done = finish(tx, changes, self.alter_patience(), &self.cancel, &hook);
        done.map_err(TableError::Unfollowed)
    }

    pub(crate) fn alter_patience(&self) -> AlterPatience {
        AlterPatience::new(self.lock_timeout)
    }

    fn recorded_changes<'r>(&'r self, table: &'r TableName) -> RecordedChanges<'r> {
        RecordedChanges { tracker: &self.tracker, table, made: &self.changes_made }
    }
}

impl TableReport {
    /// Takes the changes that were made of the table's structure. Those that come with the rows are made once these are
    /// there.
    pub(crate) fn tell_structure(&mut self, made: Vec<StructureReport>, has_arrived: bool) {
        let made = made.into_iter();
        self.structure =
            made.filter(|change| has_arrived || change.statements.len() == 1).collect();
        let notes = self.structure.iter().map(|change| match &change.views[..] {
            [] => change.said.clone(),
            views => format!("{}; the views {} were put up again", change.said, views.join(", ")),
        });
        self.notes.extend(notes);
    }
}
