//! Making the plan of a run from the databases, the records and the request.

use crate::builder::Pipeline;
use crate::error::Result;
use crate::options::{Prove, RunOptions};
use crate::recover::{Recovered, Recovery, recover};
use crate::run_base::RunBase;
use handoff_model::TableName;
use handoff_plan::{Plan, PlanError, PlanInputs, RefusedTable, is_left_over, plan};
use handoff_schema::{SourceCatalogue, TargetCatalogue, ddl, pg_table_name};
use handoff_session::{JudgedTables, SourceFacts, read_catalogue, turned_tables};
use handoff_tracking::{RecoveryFinding, Tracker};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A plan, and the findings of making it.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) findings: Vec<RecoveryFinding>,
    pub(crate) notes: Vec<String>,
    /// Tables that are gone from the source.
    pub(crate) gone: Vec<TableName>,
    /// Tables that dead runs left in the target schema.
    pub(crate) leftovers: Vec<String>,
    /// The tables, judged by the ownership of their data.
    pub(crate) judged: JudgedTables,
    /// Names for the keys of tables that are made, by the tables' names in the target.
    pub(crate) key_names: BTreeMap<String, String>,
}

impl Pipeline {
    /// Makes the plan, once everything interrupted was dealt with.
    pub(crate) fn make_plan(
        &self,
        base: &RunBase<'_>,
        tracker: &Tracker,
        options: &RunOptions,
        recovery: Recovery,
    ) -> Result<Planned> {
        let RunBase { session, scope, .. } = base;
        let replica = self.replica_catalogue(base)?;
        let target = session.read_target()?;
        let replica_pool = session.servers.replica.as_ref();
        let mut recovered = recover(tracker, replica_pool, replica.as_ref(), &target, recovery)?;
        let arrived = |name: &TableName| target.has(name);
        let states = &recovered.states;
        let expected =
            session.expected_tables(&scope.catalogue, &options.tables, states, arrived)?;
        let hidden = session.hidden_tables(scope, &expected)?;
        let mut wanted: BTreeSet<TableName> =
            scope.wanted.iter().chain(hidden.denied.keys()).cloned().collect();
        if options.only_failed {
            let not_started = tracker.last_not_started()?;
            wanted.retain(|table| {
                let tracked = recovered.states.get(table);
                not_started.contains(table)
                    || tracked.is_none_or(|tracked| is_left_over(options.hops, tracked))
            });
        }
        let judged = base.ownership.judge(&recovered.states, &wanted)?;
        recovered.notes.extend(judged.notes.iter().cloned());
        let now = Timestamp::now();
        let SourceFacts { clock, detector } = session.source_facts(now)?;
        let database = session.servers.origin().database();
        let recheck = SignedDuration::try_from(self.settings.run.recheck);
        let since = recheck.ok().and_then(|recheck| now.checked_sub(recheck).ok());
        let histories = tracker.histories(since.unwrap_or(Timestamp::UNIX_EPOCH))?;
        let turned = match options.tables[..] {
            [] => turned_tables(
                &scope.catalogue,
                &session.table_filter()?,
                &recovered.states,
                arrived,
            ),
            _ => Vec::new(),
        };
        let mut plan = plan(&PlanInputs {
            settings: &self.settings,
            hops: options.hops,
            full: options.full,
            adopt: options.adopt,
            leaves_unchanged: options.prove != Prove::Rows,
            wanted: &wanted,
            denied: &hidden.denied,
            origin: &session.mapped(database, scope.catalogue.clone()),
            database,
            replica: replica.as_ref(),
            target: &target,
            states: &recovered.states,
            histories: &histories,
            replaced: &judged.replaced,
            findings: &recovered.findings,
            clock,
            detector,
            now,
        });
        plan.refused.extend(turned.into_iter().map(|(table, kind)| RefusedTable {
            table: table.clone(),
            error: PlanError::Turned { table, kind },
        }));
        let Recovered { findings, notes, .. } = recovered;
        let key_names = key_names(scope.catalogue.tables.keys(), &target);
        let (gone, leftovers) = (hidden.gone, target.leftovers);
        Ok(Planned { plan, findings, notes, gone, leftovers, judged, key_names })
    }

    /// Reads the catalogue of the replica. Of two names that are one to its server it has the one that is meant.
    fn replica_catalogue(&self, base: &RunBase<'_>) -> Result<Option<SourceCatalogue>> {
        let Some(pool) = &base.session.servers.replica else {
            return Ok(self.settings.replica.as_ref().map(|_| SourceCatalogue::empty()));
        };
        let names = base.scope.catalogue.tables.keys().chain(&base.scope.wanted);
        Ok(Some(read_catalogue(pool)?.under_names(names)))
    }
}

/// Chooses names for the keys of the tables that the target lacks, those among them that another run may bring.
fn key_names<'t>(
    tables: impl Iterator<Item = &'t TableName>,
    target: &TargetCatalogue,
) -> BTreeMap<String, String> {
    let taken = target.tables.keys().chain(target.names.keys()).cloned().collect();
    let case = target.name_case;
    let names: Vec<String> = tables.map(|table| pg_table_name(table, case)).collect();
    let names = names.iter().map(String::as_str);
    ddl::key_names(names.filter(|name| !target.tables.contains_key(*name)), &taken)
}
