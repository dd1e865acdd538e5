//! What stands around the tables of the target.

use super::findings::Findings;
use super::report::CheckSubject as S;
use super::tables::Tables;
use crate::target_fit::TargetRefusal;
use crate::wording::some;
use handoff_connect::{PgConn, Result};
use handoff_model::TableName;
use handoff_schema::TargetCatalogue;
use handoff_settings::Settings;
use handoff_tracking::{LoadState, TrackedTable};
use std::collections::{BTreeMap, BTreeSet};

/// The tables that a run would load, and what there is of them.
pub(super) struct Expected<'a> {
    pub(super) settings: &'a Settings,
    pub(super) tables: &'a Tables,
    pub(super) states: &'a BTreeMap<TableName, TrackedTable>,
    pub(super) target: &'a TargetCatalogue,
}

impl Expected<'_> {
    /// Says which tables cannot go into the target as that is, and returns them.
    pub(super) fn refused(&self, findings: &mut Findings) -> BTreeSet<TableName> {
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

    fn refusal(&self, table: &TableName) -> Option<TargetRefusal> {
        // One that cannot be mapped has a finding of its own.
        let mapping = self.tables.mapping(table, self.settings).ok()?;
        let load = self.states.get(table).and_then(|tracked| tracked.load.as_ref());
        let is_ours = load.is_some_and(LoadState::is_ours);
        let others = self.tables.taken.iter().chain(self.states.keys());
        TargetRefusal::same_name(&mapping, others).or_else(|| {
            TargetRefusal::find(&mapping, &self.settings.target.schema, self.target, is_ours)
        })
    }

    /// Warns of publications that will refuse the changed rows of tables that are yet to come.
    pub(super) fn published(&self, conn: &mut PgConn, findings: &mut Findings) -> Result<()> {
        let query = "SELECT p.pubname::text FROM pg_publication p \
             WHERE p.puballtables AND (p.pubupdate OR p.pubdelete) ORDER BY 1";
        let rows = conn.query(query, &[]).map_err(|error| conn.fault(&error))?;
        let read = |row: &postgres::Row| row.try_get(0).map_err(|error| conn.fault(&error));
        let publications: Vec<String> = rows.iter().map(read).collect::<Result<_>>()?;
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

/// Warns of event triggers, which run on every table that is made.
pub(super) fn event_triggers(conn: &mut PgConn, findings: &mut Findings) -> Result<()> {
    let query = "SELECT evtname::text FROM pg_event_trigger \
         WHERE evtenabled <> 'D' AND evtevent <> 'login' ORDER BY 1";
    let rows = conn.query(query, &[]).map_err(|error| conn.fault(&error))?;
    let read = |row: &postgres::Row| row.try_get(0).map_err(|error| conn.fault(&error));
    let names: Vec<String> = rows.iter().map(read).collect::<Result<_>>()?;
    if !names.is_empty() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
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
