//! What a run starts from: its servers, and which of their tables are meant.

use crate::denied::Hidden;
use crate::identity::{Ownership, RunPools};
use crate::names::{self, NameWeight, UnmatchedName, demand_roles};
use crate::omissions::{self, OmissionReport};
use crate::pipeline::Pipeline;
use crate::servers::{Opening, Servers};
use crate::{Error, Hops, Result, RunOptions};
use handoff_connect::{MyPool, SessionProfile};
use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use handoff_settings::{TableFilter, closest};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What a run starts from.
pub(crate) struct Base {
    pub(crate) servers: Servers,
    /// When its catalogue was about to be read: what that tells is no older.
    pub(crate) looked_at: Timestamp,
    /// What is in the database that the run reads first.
    pub(crate) catalogue: SourceCatalogue,
    pub(crate) wanted: BTreeSet<TableName>,
    /// What of the source the target does not get.
    pub(crate) omissions: OmissionReport,
    /// Names in the settings that match nothing.
    pub(crate) names: Vec<UnmatchedName>,
    /// Whose data those tables hold.
    pub(crate) ownership: Ownership,
}

impl Base {
    /// Looks for what the source's account may not see.
    pub(crate) fn hidden(&self, expected: &BTreeSet<TableName>) -> Result<Hidden> {
        let Some(source) = &self.servers.source else { return Ok(Hidden::default()) };
        let mut conn = source.get(SessionProfile::Read).map_err(Error::Connect)?;
        Hidden::look(&mut conn, &self.catalogue, &self.wanted, expected)
    }

    /// Says by name which tables are not carried for what their engine is.
    pub(crate) fn without_rows(&self) -> impl Iterator<Item = String> {
        let tables = self.catalogue.not_carried.iter().filter(|other| other.is_table());
        tables.map(|table| format!("`{}` is a {}, which is not moved", table.name, table.kind))
    }

    /// Says which names in the settings match nothing; a pattern only if `least` asks for it.
    pub(crate) fn names(&self, least: NameWeight) -> impl Iterator<Item = String> {
        let names = self.names.iter();
        names.filter(move |name| name.weight >= least).map(ToString::to_string)
    }
}

impl Pipeline {
    /// Connects and looks at what there is to move. The replica database, which is made where it
    /// is missing, comes last: everything that could be refused before it has been.
    pub(crate) fn look(&self, opening: &Opening<'_>, options: &RunOptions) -> Result<Base> {
        if options.adopt && options.tables.is_empty() {
            return Err(Error::AdoptWhat);
        }
        if options.from_spool.is_some() && (options.tables.len(), options.hops) != (1, Hops::Load) {
            return Err(Error::SpoolOfWhat);
        }
        let source = opening.source()?;
        let target = opening.target()?;
        let looked_at = Timestamp::now();
        let (source, replica, catalogue, wanted) = match source {
            Some(source) => {
                let catalogue = read_catalogue(&source)?;
                let wanted = self.wanted(&catalogue, options)?;
                (Some(source), opening.replica_if_there()?, catalogue, wanted)
            }
            None => {
                let replica = opening.replica()?.ok_or(Error::NoReplica)?;
                let catalogue = read_catalogue(&replica)?;
                let wanted = self.wanted(&catalogue, options)?;
                (None, Some(replica), catalogue, wanted)
            }
        };
        let pools =
            RunPools { source: source.as_ref(), replica: replica.as_ref(), target: &target };
        let names = self.unmatched(pools, &catalogue)?;
        let filter = TableFilter::new(&self.settings.run).map_err(Error::Globs)?;
        let omissions = omissions::read(source.as_ref(), &catalogue, &wanted, &filter)?;
        demand_roles(&self.settings, &target, options.hops)?;
        let ownership = self.ownership(pools, &catalogue, &wanted, options)?;
        let replica = replica.map_or_else(|| opening.replica(), |replica| Ok(Some(replica)))?;
        let ownership = ownership.with_replica(replica.as_ref())?;
        let servers = Servers { source, replica, target };
        Ok(Base { servers, looked_at, catalogue, wanted, omissions, names, ownership })
    }

    /// Returns the names in the settings that match nothing, and refuses those that would have something
    /// carried which is meant to be left out.
    pub(crate) fn unmatched(
        &self,
        pools: RunPools<'_>,
        catalogue: &SourceCatalogue,
    ) -> Result<Vec<UnmatchedName>> {
        let found = names::unmatched(&self.settings, catalogue);
        if found.iter().all(|name| name.weight != NameWeight::Fault) {
            return Ok(found);
        }
        let states = self.recorded_states(pools)?;
        let asked = Error::server("look for the tables that exclude names");
        let source = pools.source.map(|source| source.get(SessionProfile::Read)).transpose();
        let mut source = source.map_err(Error::Connect)?;
        let found = names::excused(found, &states, source.as_mut()).map_err(asked)?;
        names::refused(found)
    }

    /// Returns the names of the tables to move: those named, or those the settings include.
    pub(crate) fn wanted(
        &self,
        catalogue: &SourceCatalogue,
        options: &RunOptions,
    ) -> Result<BTreeSet<TableName>> {
        let filter = TableFilter::new(&self.settings.run).map_err(Error::Globs)?;
        if options.tables.is_empty() {
            let all = catalogue.tables.keys();
            let taken: BTreeSet<_> = all.filter(|name| filter.takes(name)).cloned().collect();
            let found = catalogue.tables.len();
            return if taken.is_empty() { Err(Error::NoTables { found }) } else { Ok(taken) };
        }
        let named: BTreeSet<TableName> = options.tables.iter().cloned().collect();
        let there = |name: &&TableName| catalogue.tables.contains_key(*name);
        let missing: Vec<_> = named.iter().filter(|name| !there(name)).cloned().collect();
        if let Some(first) = missing.first() {
            let all = catalogue.tables.keys().map(TableName::as_str);
            let near = closest(first.as_str(), all).and_then(|near| TableName::new(near).ok());
            let where_ = if options.hops == Hops::Load { "replica" } else { "source" };
            return Err(Error::UnknownTables { where_, near, tables: missing });
        }
        let excluded: Vec<_> = named.iter().filter(|name| !filter.takes(name)).cloned().collect();
        if excluded.is_empty() { Ok(named) } else { Err(Error::Excluded { tables: excluded }) }
    }
}

pub(crate) fn read_catalogue(pool: &MyPool) -> Result<SourceCatalogue> {
    let mut conn = pool.get(SessionProfile::Read).map_err(Error::Connect)?;
    SourceCatalogue::read(&mut conn, pool.database()).map_err(Error::Catalogue)
}
