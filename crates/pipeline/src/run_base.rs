//! The servers and the tables that a run starts from.

use crate::builder::Pipeline;
use crate::error::{Error, Result};
use crate::options::RunOptions;
use handoff_loader::StrategySet;
use handoff_model::RunId;
use handoff_objects::WantedObjects;
use handoff_plan::{Hops, NameWeight, OmissionReport, UnmatchedName};
use handoff_session::{
    Access, Ownership, Session, SessionError, SessionOptions, Sides, TableScope, without_objects,
};

/// The servers and the tables that a run starts from.
pub(crate) struct RunBase<'s> {
    pub(crate) session: Session<'s>,
    pub(crate) scope: TableScope,
    /// The parts of the source that the target does not get.
    pub(crate) omissions: OmissionReport,
    /// The objects that the target is to get; [`None`] if the source is not read.
    pub(crate) objects: Option<WantedObjects>,
    /// Names in the settings that match nothing.
    pub(crate) names: Vec<UnmatchedName>,
    /// The ownership of the data in those tables.
    pub(crate) ownership: Ownership,
}

impl RunBase<'_> {
    /// Says which names in the settings match nothing; a pattern only if `least` asks for it.
    pub(crate) fn names(&self, least: NameWeight) -> impl Iterator<Item = String> {
        let names = self.names.iter();
        names.filter(move |name| name.weight >= least).map(ToString::to_string)
    }
}

impl Pipeline {
    /// Returns the bounds of the sessions of `run`.
    pub(crate) fn session_options(&self, run: RunId) -> SessionOptions {
        // A table in flight holds at most one connection a side, or waits for the workers that all
        // share; the catalogue, the proof and the record of a failure need another now and then.
        let connections = StrategySet::default().connections(self.settings.run.jobs.get());
        let connections = u32::try_from(connections).unwrap_or(u32::MAX).saturating_add(2);
        SessionOptions { run, connections, cancel: self.cancel.clone() }
    }

    /// Connects and looks at the tables to move. The replica database, which is made where it is missing, comes
    /// last: everything that could be refused before it has been.
    pub(crate) fn survey(
        &self,
        run: RunId,
        access: Access,
        options: &RunOptions,
    ) -> Result<RunBase<'_>> {
        if options.adopt && options.tables.is_empty() {
            return Err(Error::AdoptWhat);
        }
        if options.from_spool.is_some() && (options.tables.len(), options.hops) != (1, Hops::Load) {
            return Err(Error::SpoolOfWhat);
        }
        if self.settings.replica.is_none() && options.hops != Hops::Both {
            return Err(SessionError::NoReplica.into());
        }
        let sides = Sides::of(options.hops, access);
        let mut session = Session::open(&self.settings, access, sides, &self.session_options(run))?;
        let scope = session.scope(&options.tables)?;
        let names = session.unmatched_names(&scope.catalogue)?;
        let objects = session.objects(&scope)?.filter(|_| options.hops == Hops::Both);
        let omissions = session.omissions(&scope)?;
        let omissions = match &objects {
            Some(wanted) => without_objects(omissions, wanted),
            None => omissions,
        };
        if options.hops != Hops::Copy {
            session.demand_roles()?;
        }
        let ownership = self.ownership(&session, &scope, options)?;
        session.make_replica()?;
        let ownership = ownership.with_replica(session.servers.replica.as_ref())?;
        Ok(RunBase { session, scope, omissions, objects, names, ownership })
    }
}
