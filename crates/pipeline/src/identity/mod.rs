//! Whose data it is: no run replaces the rows of one source by those of another unasked.

mod change;
mod verdict;

pub use change::SourceChange;
use change::named;
pub use verdict::IdentityChange;

pub(crate) use verdict::{OriginVerdict, RunSides};

use crate::wording::counted;
use crate::{Depth, VerifyReport};
use crate::{
    Error, Hops, Pipeline, Result, RunOptions, SourceConsent, VerifyRequest, VerifyStatus,
};
use handoff_connect::{
    DatabaseIdentity, Fault, IdentityMatch, MyPool, PgPool, SessionProfile, Side,
};
use handoff_model::{NopObserver, TableName, TablePhase};
use handoff_schema::SourceCatalogue;
use handoff_settings::{IdentityBy, MySqlServer, Settings};
use handoff_tracking::{RunIdentities, SourceRecord, TrackedTable, Tracker};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The pools of a run, before anything that is missing is made.
#[derive(Clone, Copy)]
pub(crate) struct RunPools<'a> {
    pub(crate) source: Option<&'a MyPool>,
    pub(crate) replica: Option<&'a MyPool>,
    pub(crate) target: &'a PgPool,
}

/// Whose data the tables of a run hold, and what may be done to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ownership {
    pub(crate) identities: RunIdentities,
    hops: Hops,
    by: IdentityBy,
    consent: Consent,
}

/// Why a run goes on although tables are of another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Consent {
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
pub(crate) struct Judged {
    /// Those whose source is recorded anew.
    recorded: BTreeSet<TableName>,
    /// Those that are replaced in full by rows of another source.
    pub(crate) replaced: BTreeSet<TableName>,
    /// What a person should know of it.
    pub(crate) notes: Vec<String>,
}

impl Pipeline {
    /// Finds out whose data the tables are that a run is to move, and refuses to go on where it is not
    /// what the run would bring. Writes nothing; only where the source is another one, rows are compared.
    pub(crate) fn ownership(
        &self,
        pools: RunPools<'_>,
        catalogue: &SourceCatalogue,
        wanted: &BTreeSet<TableName>,
        options: &RunOptions,
    ) -> Result<Ownership> {
        let by = self.settings.source_identity;
        let asked = Error::server("ask which database this is");
        let mut ownership = Ownership::look(pools, catalogue, options.hops, by).map_err(asked)?;
        // A file is of no source that is known.
        if options.from_spool.is_some() {
            return Ok(ownership);
        }
        ownership.consent = match options.source {
            SourceConsent::New => Consent::NewSource,
            SourceConsent::Same => Consent::SameSource,
            SourceConsent::Recorded => {
                let states = self.recorded_states(pools)?;
                match ownership.change(&states, wanted) {
                    Some(change) => self.same_rows(change, pools)?,
                    None => Consent::Unneeded,
                }
            }
        };
        Ok(ownership)
    }

    /// Returns what is recorded of every table, without making what is missing.
    pub(crate) fn recorded_states(
        &self,
        pools: RunPools<'_>,
    ) -> Result<BTreeMap<TableName, TrackedTable>> {
        let schema = &self.settings.target.schema;
        let (replica, target) = (pools.replica.cloned(), pools.target.clone());
        let tracker =
            Tracker::open_read_only(handoff_model::RunId::new(), replica, target, schema)?;
        let mut states = tracker.states()?;
        if pools.replica.is_none() && self.settings.replica.is_some() {
            without_copies(&mut states);
        }
        Ok(states)
    }

    /// Compares every row of the tables of a change: another source that holds the same rows is the same
    /// for everything that is built on them.
    fn same_rows(&self, change: SourceChange, pools: RunPools<'_>) -> Result<Consent> {
        let is_comparable = self.settings.replica.is_some() == pools.replica.is_some()
            && change.change != IdentityChange::Replica;
        let tables = change.tables.len();
        let (from, to) = match change.hops {
            Hops::Both => (Side::Source, Side::Target),
            Hops::Copy => (Side::Source, Side::Replica),
            Hops::Load => (Side::Replica, Side::Target),
        };
        let quietly = self.unobserved();
        // Counts are cheap, and tell most databases apart.
        for depth in [Depth::Quick, Depth::Rows] {
            let tables = change.tables.clone();
            let request = VerifyRequest { tables, depth, from, to, ..VerifyRequest::default() };
            if !is_comparable || !is_equal(&quietly.verify(&request)?) {
                return Err(Error::OtherSource(Box::new(change)));
            }
        }
        Ok(Consent::SameRows(tables))
    }

    fn unobserved(&self) -> Pipeline {
        Pipeline {
            settings: self.settings.clone(),
            observer: Arc::new(NopObserver),
            cancel: self.cancel.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// Leaves out what is recorded of copies: the replica is yet to be made, and what is recorded of them in the
/// target is about loads without one.
pub(crate) fn without_copies(states: &mut BTreeMap<TableName, TrackedTable>) {
    states.values_mut().for_each(|tracked| tracked.copy = None);
}

/// Says which tables came from elsewhere than the settings lead to, as far as the records alone tell.
pub(crate) fn recorded_elsewhere(
    settings: &Settings,
    states: &BTreeMap<TableName, TrackedTable>,
) -> Vec<String> {
    let MySqlServer { host, port, database, .. } = &settings.source;
    let now = DatabaseIdentity::at(host, *port, database);
    let mut notes = Vec::new();
    let elsewhere = |tracked: &TrackedTable| {
        let recorded = verdict::load(tracked)?.origin.source.clone()?;
        (!recorded.is_at_place_of(&now)).then_some(recorded)
    };
    let tables: Vec<TableName> = states
        .iter()
        .filter(|(_, tracked)| elsewhere(tracked).is_some())
        .map(|(table, _)| table.clone())
        .collect();
    if let Some(recorded) = states.values().find_map(elsewhere) {
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

/// Rows that changed while they were looked at are the source's own work.
fn is_equal(report: &VerifyReport) -> bool {
    let is_same = |status| matches!(status, VerifyStatus::Equal | VerifyStatus::Moving);
    !report.cancelled && report.tables.iter().all(|table| is_same(table.status))
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

pub(crate) fn my_identity(pool: &MyPool) -> Result<DatabaseIdentity, Fault> {
    pool.get(SessionProfile::Read)?.identity()
}

impl Ownership {
    /// Asks the servers of a run which databases they lead to.
    ///
    /// # Errors
    ///
    /// Returns the [`Fault`] of a server that is gone.
    pub(crate) fn look(
        pools: RunPools<'_>,
        catalogue: &SourceCatalogue,
        hops: Hops,
        by: IdentityBy,
    ) -> Result<Ownership, Fault> {
        let identities = identities(pools, catalogue)?;
        Ok(Ownership { identities, hops, by, consent: Consent::Unneeded })
    }

    fn sides(&self) -> RunSides<'_> {
        RunSides { identities: &self.identities, hops: self.hops, by: self.by }
    }

    /// Adds the replica, which was made after everything else had been looked at.
    pub(crate) fn with_replica(mut self, replica: Option<&MyPool>) -> Result<Ownership> {
        if let (None, Some(pool)) = (&self.identities.replica, replica) {
            let asked = Error::server("ask which database the replica is");
            self.identities.replica = Some(my_identity(pool).map_err(asked)?);
        }
        Ok(self)
    }

    /// Returns the tables of `wanted` that came from elsewhere, if there are any, under what is another
    /// one for the first of them.
    pub(crate) fn change(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        wanted: &BTreeSet<TableName>,
    ) -> Option<SourceChange> {
        let mut found: Option<SourceChange> = None;
        for table in wanted {
            let Some(tracked) = states.get(table) else { continue };
            let OriginVerdict::Other(change) = self.sides().judge(tracked) else { continue };
            let Some(compared) = self.sides().compared(tracked, change) else { continue };
            let of_first = || SourceChange {
                change,
                recorded: compared.recorded.clone(),
                now: compared.now.clone(),
                tables: Vec::new(),
                hops: self.hops,
            };
            found.get_or_insert_with(of_first).tables.push(table.clone());
        }
        found
    }

    /// Judges every table once what was interrupted is finished or undone.
    ///
    /// # Errors
    ///
    /// Returns [`Error::OtherSource`] if a table came from elsewhere and nothing allows to go on.
    pub(crate) fn judge(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        wanted: &BTreeSet<TableName>,
    ) -> Result<Judged> {
        let mut judged = Judged::default();
        if let (Consent::Unneeded, Some(change)) = (self.consent, self.change(states, wanted)) {
            return Err(Error::OtherSource(Box::new(change)));
        }
        let mut unrecorded = 0;
        for table in wanted {
            let Some(tracked) = states.get(table) else { continue };
            let verdict = self.sides().judge(tracked);
            unrecorded += usize::from(verdict == OriginVerdict::Unrecorded);
            match (self.consent, verdict) {
                (Consent::NewSource, _) | (_, OriginVerdict::Awaited) => {
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
    pub(crate) fn record(&self, judged: &Judged, tracker: &Tracker) -> Result<()> {
        tracker.identify(self.identities.clone());
        let phases: &[TablePhase] = match self.hops {
            Hops::Both => &[TablePhase::Copy, TablePhase::Load],
            Hops::Copy => &[TablePhase::Copy],
            Hops::Load => &[TablePhase::Load],
        };
        let recorded: Vec<&TableName> = judged.recorded.iter().collect();
        tracker.record_source(&recorded, SourceRecord::Current, phases)?;
        if self.consent == Consent::NewSource {
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
            Consent::Unneeded => "the source moved".to_owned(),
            Consent::SameRows(tables) => {
                format!(
                    "the source is another one and holds the same rows in {}",
                    counted(tables, "table")
                )
            }
            Consent::SameSource => "the source is another one, by --same-source".to_owned(),
            Consent::NewSource => "the source is another one, by --new-source".to_owned(),
        };
        Some(format!("{why}: it was {}, and is {} now", compared.recorded, compared.now))
    }
}

fn other(side: &str, recorded: &DatabaseIdentity, now: &DatabaseIdentity) -> Option<String> {
    (recorded.compare(now) != IdentityMatch::Same)
        .then(|| format!("the {side} is another one or moved: it was {recorded}, and is {now} now"))
}
