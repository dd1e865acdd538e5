//! The surroundings of the tables in the target.

use crate::findings::Findings;
use crate::human::some;
use crate::report::CheckSubject as S;
use crate::tables::SourceTables;
use handoff_connect::{PgConn, Result, paste_pg};
use handoff_model::{TableName, chain};
use handoff_plan::TargetRefusal;
use handoff_schema::TargetCatalogue;
use handoff_settings::Settings;
use handoff_structure::{StructureChange, StructurePlan, foresee};
use handoff_tracking::TrackedTable;
use std::collections::{BTreeMap, BTreeSet};

/// The tables that a run would load, and what there is of them.
pub(crate) struct ExpectedTables<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) tables: &'a SourceTables,
    pub(crate) states: &'a BTreeMap<TableName, TrackedTable>,
    pub(crate) target: &'a TargetCatalogue,
}

impl ExpectedTables<'_> {
    /// Says which tables cannot go into the target as that is, and returns them.
    pub(crate) fn refused(&self, findings: &mut Findings) -> BTreeSet<TableName> {
        let mut refused = BTreeSet::new();
        for table in &self.tables.taken {
            let Some(refusal) = self.refusal(table) else { continue };
            let finding = findings.fault(S::Tables, format!("`{table}`: {refusal}"));
            for statement in refusal.statements() {
                finding.statement(statement);
            }
            if let Some(command) = refusal.command() {
                finding.command(command);
            }
            refused.insert(table.clone());
        }
        refused
    }

    /// Returns the names of the tables in the target.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mappings =
            self.tables.taken.iter().map(|table| self.tables.mapping(table, self.settings));
        mappings.filter_map(|mapping| Some(mapping.ok()?.pg_table)).collect()
    }

    fn refusal(&self, table: &TableName) -> Option<TargetRefusal> {
        // One that cannot be mapped has a finding of its own.
        let mapping = self.tables.mapping(table, self.settings).ok()?;
        let others = self.tables.taken.iter().chain(self.states.keys());
        let case = self.settings.target.name_case;
        TargetRefusal::same_name(&mapping, case, others).or_else(|| self.structure(table)?.err())
    }

    /// Returns the changes that a table of the target needs, if any.
    fn structure(&self, table: &TableName) -> Option<Result<Option<StructurePlan>, TargetRefusal>> {
        let mapping = self.tables.mapping(table, self.settings).ok()?;
        let load = self.states.get(table).and_then(|tracked| tracked.load.as_ref());
        Some(TargetRefusal::find(&mapping, self.settings, self.target, load, false))
    }

    /// Says how the next run changes the structure of tables, with the statements.
    pub(crate) fn changes(&self, conn: &mut PgConn, findings: &mut Findings) -> Result<()> {
        let found = self.tables.taken.iter().filter_map(|table| self.structure(table)?.ok()?);
        for plan in found {
            let refusal = foresee(conn, &plan)?.refusal;
            match refusal {
                Some(error) => {
                    findings.fault(S::Tables, format!("`{}`: {}", plan.table, chain(&error)));
                }
                None => findings.ok(S::Tables, foretold(&plan)),
            }
        }
        Ok(())
    }

    /// Warns of publications that will refuse the changed rows of tables that are yet to come.
    pub(crate) fn published(&self, conn: &mut PgConn, findings: &mut Findings) -> Result<()> {
        let query = "SELECT p.pubname::text FROM pg_publication p \
             WHERE p.puballtables AND (p.pubupdate OR p.pubdelete) ORDER BY 1";
        let publications = texts(conn, query)?;
        let to_come = self.tables.taken.iter().filter(|table| self.comes_without_key(table));
        let to_come: Vec<&str> = to_come.map(TableName::as_str).collect();
        if publications.is_empty() || to_come.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = publications.iter().map(String::as_str).collect();
        findings.warning(
            S::Tables,
            format!(
                "the publication {} takes every table, and {} will have no key: once such a table is there, run \
                 ALTER TABLE … REPLICA IDENTITY FULL for it, or the next run cannot change its rows",
                some(&names),
                some(&to_come)
            ),
        );
        Ok(())
    }

    fn comes_without_key(&self, table: &TableName) -> bool {
        let mapping = self.tables.mapping(table, self.settings).ok();
        mapping.is_some_and(|mapping| {
            mapping.key.is_empty() && !self.target.tables.contains_key(&mapping.pg_table)
        })
    }
}

/// Says how the next run changes the structure of a table, with the statements.
fn foretold(plan: &StructurePlan) -> String {
    if plan.is_empty() {
        return format!("`{}`: {}", plan.table, plan.notes.join("; "));
    }
    let said: Vec<&str> = plan.changes.iter().map(|change| &*change.said).collect();
    let statements: Vec<String> =
        plan.changes.iter().flat_map(StructureChange::statements).map(paste_pg).collect();
    format!("`{}`: with the next run {}: {}", plan.table, said.join("; "), statements.join(" "))
}

/// Warns of event triggers, which run on every table that is made.
pub(crate) fn event_triggers(conn: &mut PgConn, findings: &mut Findings) -> Result<()> {
    let query = "SELECT evtname::text FROM pg_event_trigger \
         WHERE evtenabled <> 'D' AND evtevent <> 'login' ORDER BY 1";
    let triggers = texts(conn, query)?;
    if !triggers.is_empty() {
        let names: Vec<&str> = triggers.iter().map(String::as_str).collect();
        findings.warning(
            S::Schema,
            format!(
                "event triggers run on the tables that Handoff makes: {}; a table that one of them changes or \
                 refuses fails",
                some(&names)
            ),
        );
    }
    Ok(())
}

/// Runs a query of one column of texts.
fn texts(conn: &mut PgConn, query: &str) -> Result<Vec<String>> {
    let rows = conn.query(query, &[]).map_err(|error| conn.fault(&error))?;
    rows.iter().map(|row| row.try_get(0).map_err(|error| conn.fault(&error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CheckFinding, FixKind};
    use handoff_connect::Side;
    use handoff_plan::testing::{self, SampleTable, arrived};
    use handoff_schema::{SourceCatalogue, TableMapping, TargetKind};

    fn table() -> TableName {
        TableName::new("t").unwrap()
    }

    /// Judges the table `t`, which the target has in this kind, and which is ours if `is_ours`.
    fn judged(kind: TargetKind, is_ours: bool) -> (BTreeSet<TableName>, Vec<CheckFinding>) {
        let extraction = handoff_model::Extraction::FullTable;
        let schema = SampleTable { marks: Vec::new(), lookback: None, extraction }.schema();
        let settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        let mapping =
            TableMapping::new(&schema, &settings.table(&table()), &settings.values).unwrap();
        let catalogue =
            SourceCatalogue { tables: [(table(), Ok(schema))].into(), ..SourceCatalogue::empty() };
        let tables = SourceTables { catalogue, taken: vec![table()], bytes: 0, largest: 0 };
        let mut there = arrived(&mapping);
        there.kind = kind;
        let target =
            TargetCatalogue { tables: [("t".to_owned(), there)].into(), ..Default::default() };
        let states = if is_ours { [(table(), testing::tracked())].into() } else { BTreeMap::new() };
        let expected = ExpectedTables {
            settings: &settings,
            tables: &tables,
            states: &states,
            target: &target,
        };
        let mut findings = Findings::of(Side::Target);
        (expected.refused(&mut findings), findings.into_vec())
    }

    #[test]
    fn a_table_that_fits_is_no_finding() {
        assert_eq!(judged(TargetKind::Table, true), (BTreeSet::new(), Vec::new()));
    }

    #[test]
    fn a_table_that_does_not_fit_is_refused_with_the_statements() {
        for is_ours in [true, false] {
            let (refused, found) = judged(TargetKind::View, is_ours);
            assert_eq!(refused, [table()].into());
            assert!(found[0].what.starts_with("`t`: "), "{found:?}");
            assert!(found[0].fixes.iter().all(|fix| fix.kind == FixKind::Statement));
            assert!(!found[0].fixes.is_empty());
        }
    }
}
