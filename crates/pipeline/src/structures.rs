//! The structure that tables of the target are to have, as statements.

use crate::builder::Pipeline;
use crate::error::Result;
use crate::follow::foresee_views;
use crate::options::RunOptions;
use crate::recover::Recovery;
use handoff_connect::paste_pg;
use handoff_model::{RunId, TableName, chain};
use handoff_plan::{Plan, PlanError, RefusedTable, TablePlan};
use handoff_schema::ddl::{self, Persistence};
use handoff_session::Access;
use serde::Serialize;

/// The structure that tables of the target are to have, as statements. As JSON, fields are added in later versions, never
/// renamed.
#[derive(Debug, Clone, Serialize)]
pub struct StructureListing {
    /// The tables by name.
    pub tables: Vec<TableStructure>,
    /// Tables that cannot be loaded as they are, or not carried at all.
    pub refused: Vec<RefusedStructure>,
}

/// The structure that a table of the target is to have.
#[derive(Debug, Clone, Serialize)]
pub struct TableStructure {
    /// The table.
    pub table: TableName,
    /// The statements that would make it now.
    pub create: Vec<String>,
    /// The statements that bring what is there into line; none if it is.
    pub diff: Vec<String>,
    /// The views that a run takes down for these and puts up again.
    pub views: Vec<String>,
}

/// A table that cannot be loaded as it is, or not carried at all.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedStructure {
    /// The table.
    pub table: TableName,
    /// The reason, with the remedy.
    pub error: String,
    /// The statements of the remedy, if there are any.
    pub diff: Vec<String>,
}

impl Pipeline {
    /// Returns the structure that the tables which `options` ask for are to have in the target, and writes nothing.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if a server cannot be reached or read, or a table is not there.
    pub fn structures(&self, options: &RunOptions) -> Result<StructureListing> {
        self.until_stopped(|| self.patiently(|| self.list_structures(options)))
    }

    fn list_structures(&self, options: &RunOptions) -> Result<StructureListing> {
        let run = RunId::new();
        let base = self.survey(run, Access::Look, options)?;
        let schema = &self.settings.target.schema;
        let tracker = base.session.open_tracker(run)?;
        let mut planned = self.make_plan(&base, &tracker, options, Recovery::Foresee)?;
        let mut views = foresee_views(&base.session, &mut planned.plan)?;
        let Plan { mut tables, refused } = planned.plan;
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(StructureListing {
            tables: tables
                .iter()
                .map(|context| TableStructure {
                    views: views.remove(&context.name).unwrap_or_default(),
                    ..TableStructure::of(context, schema)
                })
                .collect(),
            refused: refused.iter().map(RefusedStructure::of).collect(),
        })
    }
}

impl TableStructure {
    fn of(context: &TablePlan, schema: &str) -> TableStructure {
        let mapping = &context.mapping;
        let name = &mapping.pg_table;
        let table = ddl::create_table(mapping, schema, name, Persistence::Logged);
        let create: Vec<String> =
            [Some(table), ddl::add_key(mapping, schema, name)].into_iter().flatten().collect();
        let changes = context.structure.iter().flat_map(|plan| &plan.changes);
        let diff = match &context.target {
            Some(_) => changes.flat_map(|change| change.statements()).map(paste_pg).collect(),
            None => create.clone(),
        };
        TableStructure { table: context.name.clone(), create, diff, views: Vec::new() }
    }
}

impl RefusedStructure {
    fn of(refused: &RefusedTable) -> RefusedStructure {
        let diff = match &refused.error {
            PlanError::Target(refusal) => refusal.statements(),
            _ => Vec::new(),
        };
        let diff = diff.iter().map(|statement| paste_pg(statement)).collect();
        RefusedStructure { table: refused.table.clone(), error: chain(&refused.error), diff }
    }
}
