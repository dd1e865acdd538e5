//! Whose data a table holds: what is recorded of it, beside the databases of a run. Asks no server.

use handoff_connect::{DatabaseIdentity, IdentityMatch};
use handoff_plan::Hops;
use handoff_settings::IdentityBy;
use handoff_tracking::{CopyState, DataOrigin, LoadState, RunIdentities, TrackedTable};

/// The origin of a table's data, as a run sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginVerdict {
    /// It came from the source of the run, as it is recorded, or there is none.
    Known,
    /// It came from the source of the run, of which a fact that matters little is another.
    Renewed,
    /// An earlier version recorded it without its source.
    Unrecorded,
    /// It came from the source of the run, which moved.
    Moved,
    /// It came from another source, and was asked to be replaced from the run's.
    Awaited,
    /// It came from another source.
    Other(IdentityChange),
}

/// The thing that is another one than recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityChange {
    /// The source is another database of the same server.
    SourceDatabase,
    /// The source is on another server.
    SourceServer,
    /// The replica holds rows of the source, and the target rows of another one.
    Configuration,
    /// The replica is another one, and what it holds is of no known source.
    Replica,
}

/// The databases of a run, and how far they are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSides<'a> {
    pub(crate) identities: &'a RunIdentities,
    pub(crate) hops: Hops,
    pub(crate) by: IdentityBy,
}

/// The identities that a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared<'a> {
    pub(crate) recorded: &'a DatabaseIdentity,
    pub(crate) now: &'a DatabaseIdentity,
}

impl<'a> RunSides<'a> {
    /// Judges the data of one table.
    pub(crate) fn judge(&self, tracked: &TrackedTable) -> OriginVerdict {
        let copied = self.copied(tracked);
        let loaded = self.loaded(tracked);
        if matches!(loaded, OriginVerdict::Other(_))
            && self.hops == Hops::Both
            && copy(tracked).is_some()
            && !matches!(copied, OriginVerdict::Other(_) | OriginVerdict::Awaited)
        {
            return OriginVerdict::Other(IdentityChange::Configuration);
        }
        copied.max(loaded).max(self.replicated(tracked)).max(self.targeted(tracked))
    }

    /// Returns what was compared for [`IdentityChange`], for people.
    pub(crate) fn compared(
        &self,
        tracked: &'a TrackedTable,
        change: IdentityChange,
    ) -> Option<Compared<'a>> {
        let by_load = load(tracked).map(|load| &load.origin);
        let by_copy = copy(tracked).map(|copy| &copy.origin);
        if change == IdentityChange::Replica {
            let recorded = by_load?.replica.as_ref()?;
            return Some(Compared { recorded, now: self.identities.replica.as_ref()? });
        }
        let now = self.source_of(tracked);
        let loaded = by_load.filter(|_| self.hops != Hops::Copy);
        let copied = by_copy.filter(|_| self.hops != Hops::Load);
        let other = [loaded, copied]
            .into_iter()
            .flatten()
            .find(|origin| self.is_from_elsewhere(origin, now))?;
        Some(Compared { recorded: other.source.as_ref()?, now: now? })
    }

    fn is_from_elsewhere(&self, origin: &DataOrigin, now: Option<&DatabaseIdentity>) -> bool {
        let verdict = self.judge_source(origin, now);
        matches!(verdict, OriginVerdict::Other(_) | OriginVerdict::Moved)
    }

    /// Returns the source that the run brings: of hop 2 alone the one that the replica's copy came from.
    fn source_of(&self, tracked: &'a TrackedTable) -> Option<&'a DatabaseIdentity> {
        match self.hops {
            Hops::Load => copy(tracked)?.origin.source.as_ref(),
            Hops::Both | Hops::Copy => self.identities.source.as_ref(),
        }
    }

    fn copied(&self, tracked: &TrackedTable) -> OriginVerdict {
        match copy(tracked).filter(|_| self.hops != Hops::Load) {
            Some(copy) => self.judge_source(&copy.origin, self.source_of(tracked)),
            None => OriginVerdict::Known,
        }
    }

    fn loaded(&self, tracked: &TrackedTable) -> OriginVerdict {
        match load(tracked).filter(|_| self.hops != Hops::Copy) {
            Some(load) => self.judge_source(&load.origin, self.source_of(tracked)),
            None => OriginVerdict::Known,
        }
    }

    fn judge_source(&self, origin: &DataOrigin, now: Option<&DatabaseIdentity>) -> OriginVerdict {
        let Some(now) = now else { return OriginVerdict::Known };
        let Some(recorded) = &origin.source else { return OriginVerdict::Unrecorded };
        let matched = match recorded.compare(now) {
            _ if self.by == IdentityBy::Address && recorded.is_at_place_of(now) => {
                IdentityMatch::Same
            }
            matched => matched,
        };
        match matched {
            IdentityMatch::Same if recorded == now => OriginVerdict::Known,
            IdentityMatch::Same => OriginVerdict::Renewed,
            IdentityMatch::Moved => OriginVerdict::Moved,
            _ if is_awaited(origin, now) => OriginVerdict::Awaited,
            IdentityMatch::OtherDatabase => OriginVerdict::Other(IdentityChange::SourceDatabase),
            IdentityMatch::OtherServer => OriginVerdict::Other(IdentityChange::SourceServer),
        }
    }

    /// Judges the replica. One that is another, and holds copies whose source is known or which were
    /// loaded from it, is good: its own record came along with it. So is one that holds nothing.
    fn replicated(&self, tracked: &TrackedTable) -> OriginVerdict {
        let replica = self.identities.replica.as_ref().filter(|_| self.hops != Hops::Copy);
        let (Some(now), Some(load)) = (replica, load(tracked)) else { return OriginVerdict::Known };
        let Some(recorded) = &load.origin.replica else { return OriginVerdict::Renewed };
        let is_same = match recorded.compare(now) {
            IdentityMatch::Same if recorded == now => return OriginVerdict::Known,
            IdentityMatch::Same => return OriginVerdict::Renewed,
            IdentityMatch::Moved => true,
            IdentityMatch::OtherDatabase | IdentityMatch::OtherServer => false,
        };
        let is_known = copy(tracked)
            .is_none_or(|copy| copy.origin.source.is_some() || copy.copy_id == load.loaded_copy_id);
        match is_same || is_known {
            true => OriginVerdict::Renewed,
            false => OriginVerdict::Other(IdentityChange::Replica),
        }
    }

    /// Judges the target, whose record is in it and comes along with its data: it may be another one.
    fn targeted(&self, tracked: &TrackedTable) -> OriginVerdict {
        let target = self.identities.target.as_ref().filter(|_| self.hops != Hops::Copy);
        match (target, load(tracked)) {
            (Some(now), Some(load)) if load.origin.target.as_ref() != Some(now) => {
                OriginVerdict::Renewed
            }
            _ => OriginVerdict::Known,
        }
    }
}

/// Returns true if the data was asked to be replaced by that of the source `now`.
fn is_awaited(origin: &DataOrigin, now: &DatabaseIdentity) -> bool {
    let next = origin.next_source.as_ref().map(|next| next.compare(now));
    matches!(next, Some(IdentityMatch::Same | IdentityMatch::Moved))
}

/// Returns the state of hop 1 if the replica, or without one the target, holds a copy.
pub(crate) fn copy(tracked: &TrackedTable) -> Option<&CopyState> {
    tracked.copy.as_ref().filter(|copy| copy.copy_id.is_some())
}

/// Returns the state of hop 2 if something was loaded.
pub(crate) fn load(tracked: &TrackedTable) -> Option<&LoadState> {
    tracked.load.as_ref().filter(|load| load.last_success_at.is_some())
}

#[cfg(test)]
mod tests {
    use super::IdentityChange::{Configuration, Replica, SourceDatabase, SourceServer};
    use super::OriginVerdict::{Awaited, Known, Moved, Other, Renewed, Unrecorded};
    use super::*;
    use handoff_plan::testing;

    fn at(host: &str, database: &str) -> DatabaseIdentity {
        let machine = Some(format!("{host}:3306:/var/lib/mysql/"));
        let birthmark = Some(format!("{host} {database}"));
        DatabaseIdentity { machine, birthmark, ..DatabaseIdentity::at(host, 3306, database) }
    }

    fn run() -> RunIdentities {
        RunIdentities {
            source: Some(at("clinic", "x")),
            replica: Some(at("etl", "r")),
            target: Some(at("pg", "t")),
        }
    }

    /// A table that this run's databases carried a day ago.
    fn carried() -> TrackedTable {
        let mut tracked = testing::tracked();
        let RunIdentities { source, replica, target } = run();
        copy_origin(&mut tracked).source.clone_from(&source);
        *load_origin(&mut tracked) =
            DataOrigin { source, replica, target, ..DataOrigin::default() };
        tracked
    }

    fn copy_origin(tracked: &mut TrackedTable) -> &mut DataOrigin {
        &mut tracked.copy.as_mut().unwrap().origin
    }

    fn load_origin(tracked: &mut TrackedTable) -> &mut DataOrigin {
        &mut tracked.load.as_mut().unwrap().origin
    }

    /// Judges the table for a run of both hops, of the first and of the second.
    #[track_caller]
    fn check(change: impl FnOnce(&mut TrackedTable), expected: &[OriginVerdict; 3]) {
        let mut tracked = carried();
        change(&mut tracked);
        let identities = run();
        let by = IdentityBy::Server;
        let judged = [Hops::Both, Hops::Copy, Hops::Load]
            .map(|hops| RunSides { identities: &identities, hops, by }.judge(&tracked));
        assert_eq!(&judged, expected);
    }

    fn from(tracked: &mut TrackedTable, source: &DatabaseIdentity) {
        copy_origin(tracked).source = Some(source.clone());
        load_origin(tracked).source = Some(source.clone());
    }

    #[test]
    fn data_of_another_source_is_never_taken_for_the_runs() {
        check(|_| {}, &[Known, Known, Known]);
        let other = at("clinic", "y");
        check(
            |t| from(t, &DatabaseIdentity { birthmark: None, ..other.clone() }),
            &[Other(SourceDatabase), Other(SourceDatabase), Known],
        );
        let away = at("elsewhere", "x");
        check(|t| from(t, &away), &[Other(SourceServer), Other(SourceServer), Known]);
        // The replica is this run's, and somebody else loaded the target.
        check(
            |t| load_origin(t).source = Some(away.clone()),
            &[Other(Configuration), Known, Other(SourceServer)],
        );
        // The replica was filled by somebody else.
        check(
            |t| copy_origin(t).source = Some(away.clone()),
            &[Other(SourceServer), Other(SourceServer), Other(SourceServer)],
        );
    }

    #[test]
    fn a_source_that_moved_is_the_same() {
        let moved = DatabaseIdentity { host: "10.0.0.1".to_owned(), ..at("clinic", "x") };
        check(|t| from(t, &moved), &[Moved, Moved, Known]);
        let altered = DatabaseIdentity { birthmark: None, ..at("clinic", "x") };
        check(|t| from(t, &altered), &[Renewed, Renewed, Known]);
    }

    #[test]
    fn what_was_asked_for_is_awaited_until_it_has_arrived() {
        let away = at("elsewhere", "x");
        let asked = |t: &mut TrackedTable| {
            from(t, &away);
            copy_origin(t).next_source = run().source;
            load_origin(t).next_source = run().source;
        };
        check(asked, &[Awaited, Awaited, Known]);
        // Of yet another source nobody spoke.
        let next = at("third", "x");
        let otherwise = |t: &mut TrackedTable| {
            from(t, &away);
            copy_origin(t).next_source = Some(next.clone());
            load_origin(t).next_source = Some(next.clone());
        };
        check(otherwise, &[Other(SourceServer), Other(SourceServer), Known]);
    }

    #[test]
    fn an_earlier_version_recorded_no_source() {
        let forgotten = |t: &mut TrackedTable| {
            *copy_origin(t) = DataOrigin::default();
            *load_origin(t) = DataOrigin::default();
        };
        check(forgotten, &[Unrecorded, Unrecorded, Renewed]);
    }

    #[test]
    fn a_table_without_data_came_from_nowhere() {
        let away = at("elsewhere", "x");
        let never = |t: &mut TrackedTable| {
            from(t, &away);
            t.copy.as_mut().unwrap().copy_id = None;
            t.load.as_mut().unwrap().last_success_at = None;
        };
        check(never, &[Known, Known, Known]);
    }

    #[test]
    fn another_replica_is_good_if_its_record_tells_of_its_rows() {
        let away = Some(at("old", "r"));
        check(|t| load_origin(t).replica.clone_from(&away), &[Renewed, Known, Renewed]);
        let wiped = |t: &mut TrackedTable| {
            load_origin(t).replica.clone_from(&away);
            t.copy = None;
        };
        check(wiped, &[Renewed, Known, Renewed]);
        let stranger = |t: &mut TrackedTable| {
            load_origin(t).replica.clone_from(&away);
            *copy_origin(t) = DataOrigin::default();
            t.copy.as_mut().unwrap().copy_id = Some(handoff_model::CopyId::new());
        };
        check(stranger, &[Other(Replica), Unrecorded, Other(Replica)]);
    }

    #[test]
    fn a_target_that_was_renamed_or_restored_keeps_its_record() {
        check(|t| load_origin(t).target = Some(at("pg2", "t2")), &[Renewed, Known, Renewed]);
    }

    #[test]
    fn servers_that_take_turns_behind_an_address_are_one_where_the_settings_say_so() {
        let mut tracked = carried();
        let mut turn = at("other", "x");
        turn.host = "clinic".to_owned();
        from(&mut tracked, &turn);
        let identities = run();
        for (by, expected) in
            [(IdentityBy::Server, Other(SourceServer)), (IdentityBy::Address, Renewed)]
        {
            let sides = RunSides { identities: &identities, hops: Hops::Both, by };
            assert_eq!(sides.judge(&tracked), expected);
        }
    }
}
