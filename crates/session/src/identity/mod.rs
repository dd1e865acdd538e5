//! Whose data it is: no run replaces the rows of one source by those of another unasked.

mod change;
mod verdict;

pub use change::SourceChange;
use change::named;
pub use verdict::IdentityChange;

pub use verdict::OriginVerdict;
use verdict::RunSides;

use crate::connector::Servers;
use crate::error::{SessionError, SessionResult};
use crate::session::Session;
use handoff_connect::{DatabaseIdentity, Fault, IdentityMatch, MyPool, PgPool, SessionProfile};
use handoff_model::human::counted;
use handoff_model::{TableName, TablePhase};
use handoff_plan::Hops;
use handoff_schema::SourceCatalogue;
use handoff_settings::{IdentityBy, MySqlServer, Settings};
use handoff_tracking::{RunIdentities, SourceRecord, TrackedTable, Tracker};
use std::collections::{BTreeMap, BTreeSet};

/// The pools of a run, before anything that is missing is made.
#[derive(Clone, Copy)]
pub struct RunPools<'a> {
    /// The source, if it is read.
    pub source: Option<&'a MyPool>,
    /// The replica, if it is there.
    pub replica: Option<&'a MyPool>,
    /// The target.
    pub target: &'a PgPool,
}

/// Whose data the tables of a run hold, and what may be done to it.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    /// The databases of the run.
    pub identities: RunIdentities,
    hops: Hops,
    by: IdentityBy,
    /// The reason to go on, if tables are of another source.
    pub consent: OwnershipConsent,
}

/// The reason why a run goes on although tables are of another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnershipConsent {
    /// None are.
    #[default]
    Unneeded,
    /// They hold the same rows as this one: so many tables were compared.
    SameRows(usize),
    /// The caller says that it is the same.
    SameSource,
    /// The caller asks for everything of this one.
    NewSource,
}

/// The tables of a run by what becomes of their data.
#[derive(Debug, Default)]
pub struct JudgedTables {
    /// Those whose source is recorded anew.
    recorded: BTreeSet<TableName>,
    /// Those that are replaced in full by rows of another source.
    pub replaced: BTreeSet<TableName>,
    /// Remarks for a person.
    pub notes: Vec<String>,
}

impl Session<'_> {
    /// Asks the servers which databases they lead to. Of a run of these hops, and nothing is compared yet.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if a server is gone.
    pub fn ownership(&self, catalogue: &SourceCatalogue, hops: Hops) -> SessionResult<Ownership> {
        let Servers { source, replica, target } = &self.servers;
        let pools = RunPools { source: source.as_ref(), replica: replica.as_ref(), target };
        let found = Ownership::inspect(pools, catalogue, hops, self.settings.source_identity);
        found.map_err(SessionError::server("ask which database this is"))
    }
}

/// Says which tables came from elsewhere than the settings lead to, as far as the records alone tell.
pub fn recorded_elsewhere(
    settings: &Settings,
    states: &BTreeMap<TableName, TrackedTable>,
) -> Vec<String> {
    let MySqlServer { host, port, database, .. } = &settings.source;
    let now = DatabaseIdentity::at(host, *port, database);
    let mut notes = Vec::new();
    let tables: Vec<TableName> = states
        .iter()
        .filter(|(_, tracked)| elsewhere(tracked, &now).is_some())
        .map(|(table, _)| table.clone())
        .collect();
    if let Some(recorded) = states.values().find_map(|tracked| elsewhere(tracked, &now)) {
        notes.push(format!(
            "{} came from {recorded}, and source.url leads to {now}: the next run finds out whether that \
             is the same one, and stops if it is not",
            named(&tables)
        ));
    }
    let ownership = Ownership { hops: Hops::Load, ..Ownership::default() };
    let all = states.keys().cloned().collect();
    notes.extend(ownership.change(states, &all).map(|change| change.what()));
    notes
}

/// Returns the recorded source of a table, if it is at another place than `now`.
fn elsewhere<'t>(
    tracked: &'t TrackedTable,
    now: &DatabaseIdentity,
) -> Option<&'t DatabaseIdentity> {
    let recorded = verdict::load(tracked)?.origin.source.as_ref()?;
    (!recorded.is_at_place_of(now)).then_some(recorded)
}

/// Asks each server which database it is.
fn identities(pools: RunPools<'_>, catalogue: &SourceCatalogue) -> Result<RunIdentities, Fault> {
    let source = pools.source.map(my_identity).transpose()?;
    let birthmark = catalogue.oldest_table.clone();
    Ok(RunIdentities {
        source: source.map(|source| DatabaseIdentity { birthmark, ..source }),
        replica: pools.replica.map(my_identity).transpose()?,
        target: Some(pools.target.get()?.identity()?),
    })
}

pub fn my_identity(pool: &MyPool) -> Result<DatabaseIdentity, Fault> {
    pool.get(SessionProfile::Read)?.identity()
}

impl Ownership {
    /// Asks the servers of a run which databases they lead to.
    ///
    /// # Errors
    ///
    /// Returns the [`Fault`] of a server that is gone.
    pub fn inspect(
        pools: RunPools<'_>,
        catalogue: &SourceCatalogue,
        hops: Hops,
        by: IdentityBy,
    ) -> Result<Ownership, Fault> {
        let found = identities(pools, catalogue)?;
        Ok(Ownership { identities: found, hops, by, consent: OwnershipConsent::Unneeded })
    }

    fn sides(&self) -> RunSides<'_> {
        RunSides { identities: &self.identities, hops: self.hops, by: self.by }
    }

    /// Adds the replica, which was made after everything else had been looked at.
    pub fn with_replica(mut self, replica: Option<&MyPool>) -> SessionResult<Ownership> {
        if let (None, Some(pool)) = (&self.identities.replica, replica) {
            let asked = SessionError::server("ask which database the replica is");
            self.identities.replica = Some(my_identity(pool).map_err(asked)?);
        }
        Ok(self)
    }

    /// Returns the tables of `wanted` that came from elsewhere, if there are any, under what is another
    /// one for the first of them.
    pub fn change(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        wanted: &BTreeSet<TableName>,
    ) -> Option<SourceChange> {
        let mut found: Option<SourceChange> = None;
        for table in wanted {
            let Some(tracked) = states.get(table) else { continue };
            let OriginVerdict::Other(change) = self.sides().judge(tracked) else { continue };
            let Some(compared) = self.sides().compared(tracked, change) else { continue };
            let first = found.get_or_insert_with(|| SourceChange {
                change,
                recorded: compared.recorded.clone(),
                now: compared.now.clone(),
                tables: Vec::new(),
                hops: self.hops,
            });
            first.tables.push(table.clone());
        }
        found
    }

    /// Judges every table once what was interrupted is finished or undone.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::OtherSource`] if a table came from elsewhere and nothing allows to go on.
    pub fn judge(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        wanted: &BTreeSet<TableName>,
    ) -> SessionResult<JudgedTables> {
        let mut judged = JudgedTables::default();
        if let (OwnershipConsent::Unneeded, Some(change)) =
            (self.consent, self.change(states, wanted))
        {
            return Err(SessionError::OtherSource(Box::new(change)));
        }
        let mut unrecorded = 0;
        for table in wanted {
            let Some(tracked) = states.get(table) else { continue };
            let verdict = self.sides().judge(tracked);
            unrecorded += usize::from(verdict == OriginVerdict::Unrecorded);
            match (self.consent, verdict) {
                (OwnershipConsent::NewSource, _) | (_, OriginVerdict::Awaited) => {
                    judged.replaced.insert(table.clone());
                }
                (_, OriginVerdict::Known) => {}
                _ => {
                    judged.recorded.insert(table.clone());
                }
            }
        }
        judged.notes = self.notes(states, wanted, unrecorded);
        Ok(judged)
    }

    /// Records the sources of the tables whose data stays, and those that are to be replaced.
    pub fn record(&self, judged: &JudgedTables, tracker: &Tracker) -> SessionResult<()> {
        tracker.identify(self.identities.clone());
        let phases: &[TablePhase] = match self.hops {
            Hops::Both => &[TablePhase::Copy, TablePhase::Load],
            Hops::Copy => &[TablePhase::Copy],
            Hops::Load => &[TablePhase::Load],
        };
        let recorded: Vec<&TableName> = judged.recorded.iter().collect();
        tracker.record_source(&recorded, SourceRecord::Current, phases)?;
        if self.consent == OwnershipConsent::NewSource {
            let replaced: Vec<&TableName> = judged.replaced.iter().collect();
            tracker.record_source(&replaced, SourceRecord::Next, phases)?;
        }
        Ok(())
    }

    fn notes(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        wanted: &BTreeSet<TableName>,
        unrecorded: usize,
    ) -> Vec<String> {
        let RunIdentities { source, .. } = &self.identities;
        let mut notes = Vec::new();
        if let (Some(source), 1..) = (source, unrecorded) {
            let tables = counted(unrecorded, "table");
            notes.push(format!(
                "an earlier version recorded {tables} without their source: from now on it is {source}"
            ));
        }
        if let Some(source) = source.as_ref().filter(|source| source.is_address_alone()) {
            notes.push(format!(
                "the source does not tell which server it is: {source} stands for it"
            ));
        }
        notes.extend(self.moved(states, wanted));
        for table in wanted {
            let Some(load) = states.get(table).and_then(verdict::load) else { continue };
            let sides = [
                ("replica", &load.origin.replica, &self.identities.replica),
                ("target", &load.origin.target, &self.identities.target),
            ];
            let others: Vec<String> = sides
                .into_iter()
                .filter_map(|(side, recorded, now)| other(side, recorded.as_ref()?, now.as_ref()?))
                .collect();
            if !others.is_empty() && self.hops != Hops::Copy {
                notes.extend(others);
                break;
            }
        }
        notes
    }

    /// Says from where to where the source moved, or why another one is good.
    fn moved(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        wanted: &BTreeSet<TableName>,
    ) -> Option<String> {
        let (tracked, change) = wanted.iter().find_map(|table| {
            let tracked = states.get(table)?;
            match self.sides().judge(tracked) {
                OriginVerdict::Moved => Some((tracked, IdentityChange::SourceServer)),
                OriginVerdict::Other(change) => Some((tracked, change)),
                _ => None,
            }
        })?;
        let compared = self.sides().compared(tracked, change)?;
        let why = match self.consent {
            OwnershipConsent::Unneeded => "the source moved".to_owned(),
            OwnershipConsent::SameRows(tables) => {
                format!(
                    "the source is another one and holds the same rows in {}",
                    counted(tables, "table")
                )
            }
            OwnershipConsent::SameSource => {
                "the source is another one, by --same-source".to_owned()
            }
            OwnershipConsent::NewSource => "the source is another one, by --new-source".to_owned(),
        };
        Some(format!("{why}: it was {}, and is {} now", compared.recorded, compared.now))
    }
}

fn other(side: &str, recorded: &DatabaseIdentity, now: &DatabaseIdentity) -> Option<String> {
    (recorded.compare(now) != IdentityMatch::Same)
        .then(|| format!("the {side} is another one or moved: it was {recorded}, and is {now} now"))
}

#[cfg(test)]
mod tests;
