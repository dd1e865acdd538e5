//! Making the plan of a run from what is there, what is recorded and what is asked.

use crate::base::{Base, read_catalogue};
use crate::clock::SourceClock;
use crate::identity::Judged;
use crate::mark::Witness;
use crate::only_failed::is_left_over;
use crate::pipeline::Pipeline;
use crate::plan::{Surroundings, plan};
use crate::recover::{Recovered, Recovery, recover};
use crate::{Error, Hops, Plan, Result, RunOptions};
use handoff_connect::{MyPool, PgPool, SessionProfile};
use handoff_model::TableName;
use handoff_schema::{
    SchemaCache, SourceCatalogue, TableMapping, TargetCatalogue, ddl, pg_table_name,
};
use handoff_settings::TableFilter;
use handoff_tracking::{RecoveryFinding, TrackedTable, Tracker};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A plan, and what was found while it was made.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) findings: Vec<RecoveryFinding>,
    pub(crate) notes: Vec<String>,
    /// Tables that dead runs left in the target schema.
    pub(crate) leftovers: Vec<String>,
    /// Whose data the tables hold.
    pub(crate) judged: Judged,
    /// Names for the keys of tables that are made, by the tables' names in the target.
    pub(crate) key_names: BTreeMap<String, String>,
}

impl Pipeline {
    /// Makes the plan, once everything interrupted was dealt with.
    pub(crate) fn make_plan(
        &self,
        base: &Base,
        tracker: &Tracker,
        options: &RunOptions,
        recovery: Recovery,
    ) -> Result<Planned> {
        // Of two names that are one to the replica, the one that is meant.
        let names = || base.catalogue.tables.keys().chain(&base.wanted);
        let replica = base.servers.replica.as_ref().map(read_catalogue).transpose()?;
        let replica = replica.map(|replica| replica.under_names(names()));
        let replica =
            replica.or_else(|| self.settings.replica.as_ref().map(|_| SourceCatalogue::empty()));
        let target = self.read_target(&base.servers.target)?;
        let mut recovered =
            recover(tracker, base.servers.replica.as_ref(), replica.as_ref(), &target, recovery)?;
        let arrived = |name: &TableName| target.tables.contains_key(&pg_table_name(name));
        let expected =
            self.expected(&base.catalogue, &options.tables, &recovered.states, arrived)?;
        let hidden = base.hidden(&expected)?;
        recovered.notes.extend(hidden.gone.iter().map(gone));
        let mut wanted: BTreeSet<TableName> =
            base.wanted.iter().chain(hidden.denied.keys()).cloned().collect();
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
        let (clock, witness) = ask(base.servers.origin(), options.hops, now)?;
        let plan = plan(&Surroundings {
            settings: &self.settings,
            options,
            wanted: &wanted,
            denied: &hidden.denied,
            origin: &self.mapped(base),
            database: base.servers.origin().database(),
            replica: replica.as_ref(),
            target: &target,
            states: &recovered.states,
            replaced: &judged.replaced,
            findings: &recovered.findings,
            clock,
            witness,
            now,
        });
        let Recovered { findings, notes, .. } = recovered;
        let key_names = key_names(base.catalogue.tables.keys(), &target);
        Ok(Planned { plan, findings, notes, leftovers: target.leftovers, judged, key_names })
    }

    /// Maps every table once, for both hops and all threads.
    fn mapped(&self, base: &Base) -> SchemaCache {
        let cache = SchemaCache::new();
        cache.load(base.servers.origin().database(), base.catalogue.clone(), |schema| {
            TableMapping::new(schema, &self.settings.table(&schema.name), &self.settings.values)
        });
        cache
    }

    /// Returns the tables that would be meant, did the source show them: they were carried once, and
    /// are where they arrived still. None where tables are named.
    pub(crate) fn expected(
        &self,
        catalogue: &SourceCatalogue,
        named: &[TableName],
        states: &BTreeMap<TableName, TrackedTable>,
        arrived: impl Fn(&TableName) -> bool,
    ) -> Result<BTreeSet<TableName>> {
        if !named.is_empty() {
            return Ok(BTreeSet::new());
        }
        let filter = TableFilter::new(&self.settings.run).map_err(Error::Globs)?;
        let is_missed = |name: &TableName, tracked: &TrackedTable| {
            tracked.was_loaded()
                && !catalogue.tables.contains_key(name)
                && catalogue.not_carried_as(name).is_none()
                && filter.takes(name)
                && arrived(name)
        };
        let missed = states.iter().filter(|(name, tracked)| is_missed(name, tracked));
        Ok(missed.map(|(name, _)| name.clone()).collect())
    }

    pub(crate) fn read_target(&self, pool: &PgPool) -> Result<TargetCatalogue> {
        let mut conn = pool.get().map_err(Error::Connect)?;
        TargetCatalogue::read(&mut conn, &self.settings.target.schema)
            .map_err(Error::TargetCatalogue)
    }
}

/// Chooses names for the keys of the tables that the target lacks, those among them that another run may bring.
fn key_names<'t>(
    tables: impl Iterator<Item = &'t TableName>,
    target: &TargetCatalogue,
) -> BTreeMap<String, String> {
    let taken = target.tables.keys().chain(target.names.keys()).cloned().collect();
    let names: Vec<String> = tables.map(pg_table_name).collect();
    let lacks = |name: &&String| !target.tables.contains_key(*name);
    ddl::key_names(names.iter().filter(lacks).map(String::as_str), &taken)
}

/// Says that a table is gone from the source, and what stays of it.
pub(crate) fn gone(table: &TableName) -> String {
    format!(
        "`{table}` is gone from the source: its last rows stay in the target; once that is as it \
         should be, drop it there or name it in `exclude`"
    )
}

/// Asks the server that is read first for its time, and what tells which of its tables changed.
fn ask(pool: &MyPool, hops: Hops, now: Timestamp) -> Result<(SourceClock, Witness)> {
    let mut conn = pool.get(SessionProfile::Read).map_err(Error::Connect)?;
    let clock = SourceClock::read(&mut conn);
    let clock = clock.map_err(Error::server("read the clock of the source"))?;
    let witness = match hops {
        Hops::Load => Witness::nobody(&clock),
        Hops::Both | Hops::Copy => Witness::ask(&mut conn, &clock, now),
    };
    Ok((clock, witness))
}
