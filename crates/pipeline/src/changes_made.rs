//! The changes of tables' structures that a run made.

use crate::report::StructureReport;
use handoff_connect::Fault;
use handoff_model::TableName;
use handoff_structure::{Applied, StructureHook};
use handoff_tracking::{SchemaChange, Tracker};
use postgres::Transaction;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The changes that a run made, by table.
#[derive(Default)]
pub(crate) struct ChangesMade(Mutex<BTreeMap<TableName, Vec<StructureReport>>>);

impl ChangesMade {
    fn add(&self, table: &TableName, made: Vec<StructureReport>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(table.clone()).or_default().extend(made);
    }

    /// Takes those of a table.
    pub(crate) fn take(&self, table: &TableName) -> Vec<StructureReport> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(table).unwrap_or_default()
    }
}

/// Records changes where they are made.
pub(crate) struct RecordedChanges<'r> {
    pub(crate) tracker: &'r Tracker,
    pub(crate) table: &'r TableName,
    pub(crate) made: &'r ChangesMade,
}

impl StructureHook for RecordedChanges<'_> {
    fn record(&self, tx: &mut Transaction<'_>, applied: &[Applied<'_>]) -> Result<(), Fault> {
        let statements: Vec<String> = applied.iter().map(statements).collect();
        let recorded = applied.iter().zip(&statements).map(|(applied, statement)| SchemaChange {
            class: applied.change.class.name(),
            column: &applied.change.column,
            statement,
            views: &applied.views,
            rows_filled: applied.change.class.fills_rows(),
        });
        let recorded: Vec<_> = recorded.collect();
        self.tracker.record_changes(tx, self.table, &recorded)?;
        let made = applied.iter().map(|one| StructureReport::of(one.change, &one.views));
        self.made.add(self.table, made.collect());
        Ok(())
    }
}

fn statements(applied: &Applied<'_>) -> String {
    applied.change.statements().collect::<Vec<_>>().join("; ")
}
