//! The servers of one command.

use crate::connector::{Connector, Servers, SessionOptions};
use crate::error::{SessionError, SessionResult};
use handoff_connect::MyPool;
use handoff_model::{RunId, TableName};
use handoff_plan::Hops;
use handoff_schema::{SchemaCache, SourceCatalogue, TableMapping, TargetCatalogue};
use handoff_settings::Settings;
use handoff_tracking::{TrackedTable, Tracker};
use std::collections::BTreeMap;

/// The right of a command to make what is missing on its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks: nothing is made.
    Look,
    /// It makes the replica's database and the tracking tables where they are missing.
    Write,
}

/// The servers that a command needs. The target is always one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// True if the source is read.
    pub source: bool,
    /// The need of the replica, where the settings have one.
    pub replica: ReplicaNeed,
}

/// The need that a command has of the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaNeed {
    /// Its database has to be there.
    Present,
    /// Its database may be missing.
    Optional,
}

impl Sides {
    /// Returns the servers of a run of these hops. Hop 2 reads the replica, which has to be there then, unless the
    /// run is only foreseen.
    pub fn of(hops: Hops, access: Access) -> Sides {
        let replica = match (hops, access) {
            (Hops::Load, Access::Write) => ReplicaNeed::Present,
            _ => ReplicaNeed::Optional,
        };
        Sides { source: hops != Hops::Load, replica }
    }
}

/// The servers of one command, opened.
pub struct Session<'s> {
    /// The settings.
    pub settings: &'s Settings,
    /// The servers.
    pub servers: Servers,
    pub(crate) access: Access,
    connector: Connector<'s>,
    run: RunId,
}

impl<'s> Session<'s> {
    /// Opens the servers of `sides`, and refuses those that are too old.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if a server cannot be reached or is too old.
    pub fn open(
        settings: &'s Settings,
        access: Access,
        sides: Sides,
        options: &SessionOptions,
    ) -> SessionResult<Session<'s>> {
        let connector = Connector::new(settings, options);
        let source = sides.source.then(|| connector.source()).transpose()?;
        let target = connector.target()?;
        let replica = match sides.replica {
            ReplicaNeed::Present => connector.replica()?,
            ReplicaNeed::Optional => connector.replica_if_there()?,
        };
        let servers = Servers { source, replica, target };
        Ok(Session { settings, servers, access, connector, run: options.run })
    }

    /// Makes the replica's database where it is missing and may be made. Comes last, once everything that could be
    /// refused before was not.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the replica refuses.
    pub fn make_replica(&mut self) -> SessionResult<()> {
        if self.access == Access::Write && self.servers.replica.is_none() {
            self.servers.replica = self.connector.make_replica()?;
        }
        Ok(())
    }

    /// Returns the database that is read first.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::NoReplica`] if there is none.
    pub(crate) fn origin(&self) -> SessionResult<&MyPool> {
        let Servers { source, replica, .. } = &self.servers;
        source.as_ref().or(replica.as_ref()).ok_or(SessionError::NoReplica)
    }

    /// Returns true if a replica is configured whose database is yet to be made.
    pub(crate) fn lacks_replica(&self) -> bool {
        self.servers.replica.is_none() && self.settings.replica.is_some()
    }

    /// Opens the tracking tables for reading, without making what is missing.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Tracking`] if they cannot be read.
    pub fn read_tracker(&self) -> SessionResult<Tracker> {
        let Servers { replica, target, .. } = &self.servers;
        let schema = &self.settings.target.schema;
        Ok(Tracker::open_read_only(self.run, replica.clone(), target.clone(), schema)?)
    }

    /// Returns the recorded state of every table, without making what is missing.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Tracking`] if they cannot be read.
    pub fn recorded_states(&self) -> SessionResult<BTreeMap<TableName, TrackedTable>> {
        let mut states = self.read_tracker()?.states()?;
        if self.lacks_replica() {
            without_copies(&mut states);
        }
        Ok(states)
    }

    /// Reads the catalogue of the target.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::TargetCatalogue`] if it cannot be read.
    pub fn read_target(&self) -> SessionResult<TargetCatalogue> {
        let mut conn = self.servers.target.get().map_err(SessionError::Connect)?;
        let read = TargetCatalogue::read(&mut conn, &self.settings.target.schema);
        let read = read.map_err(SessionError::TargetCatalogue)?;
        Ok(read.named(self.settings.target.name_case))
    }

    /// Maps every table of a catalogue once, for both hops and all threads.
    pub fn mapped(&self, database: &str, catalogue: SourceCatalogue) -> SchemaCache {
        let cache = SchemaCache::new();
        cache.load(database, catalogue, |schema| {
            TableMapping::new(schema, &self.settings.table(&schema.name), &self.settings.values)
        });
        cache
    }
}

/// Leaves out what is recorded of copies: the replica is yet to be made, and what is recorded of them in the
/// target is about loads without one.
pub fn without_copies(states: &mut BTreeMap<TableName, TrackedTable>) {
    states.values_mut().for_each(|tracked| tracked.copy = None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hop_2_reads_the_replica_which_has_to_be_there_if_rows_are_to_be_moved() {
        use ReplicaNeed::{Optional, Present};
        for (hops, access, source, replica) in [
            (Hops::Both, Access::Write, true, Optional),
            (Hops::Copy, Access::Write, true, Optional),
            (Hops::Load, Access::Write, false, Present),
            (Hops::Both, Access::Look, true, Optional),
            (Hops::Copy, Access::Look, true, Optional),
            (Hops::Load, Access::Look, false, Optional),
        ] {
            assert_eq!(Sides::of(hops, access), Sides { source, replica }, "{hops:?} {access:?}");
        }
    }
}
