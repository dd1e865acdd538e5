//! Other runs: one that is in progress, and the traces of earlier ones.

use crate::findings::Findings;
use crate::human::some;
use crate::mysql::MySide;
use crate::report::CheckSubject as S;
use crate::source::ReachedSource;
use crate::surroundings::{ExpectedTables, event_triggers};
use crate::target::ReachedTarget;
use handoff_connect::{Result, Side};
use handoff_model::human::counted;
use handoff_model::{RunId, TableName, chain, own::is_own_table, shell_word};
use handoff_plan::{Hops, check_place};
use handoff_schema::TargetCatalogue;
use handoff_session::{Holdings, Ownership, RunPools, SessionError, without_copies};
use handoff_settings::Settings;
use handoff_tracking::{LockRefused, RecoveryFinding, TrackedTable, Tracker, TrackingError};
use std::collections::{BTreeMap, BTreeSet};

/// The databases that runs write to, as far as they are known.
pub(crate) struct RunDatabases<'a> {
    pub(crate) run: RunId,
    pub(crate) settings: &'a Settings,
    pub(crate) source: Option<&'a ReachedSource>,
    /// [`None`] if there is none, or if its database is not there yet.
    pub(crate) replica: Option<&'a MySide>,
    pub(crate) target: &'a ReachedTarget,
}

/// The findings of both sides that runs write to.
pub(crate) struct BothSides {
    pub(crate) replica: Findings,
    pub(crate) target: Findings,
}

impl BothSides {
    fn of(&mut self, side: Side) -> &mut Findings {
        if side == Side::Replica { &mut self.replica } else { &mut self.target }
    }
}

impl RunDatabases<'_> {
    pub(crate) fn look(&self, findings: &mut BothSides) {
        findings.target.look(S::Grants, |findings| {
            self.foreign(findings);
            Ok(())
        });
        let tracker = Tracker::open_read_only(
            self.run,
            self.replica.map(|replica| replica.pool.clone()),
            self.target.pool.clone(),
            &self.settings.target.schema,
        );
        let tracker = match tracker {
            Ok(tracker) => tracker,
            Err(error) => return tracking(&error, findings),
        };
        let running = self.locks(&tracker, findings);
        let states = match tracker.states() {
            Ok(states) => states,
            Err(error) => return tracking(&error, findings),
        };
        findings.target.look(S::Identity, |findings| self.identity(&states, findings));
        let replica = self.replica.map(|replica| &replica.pool);
        let settings = &self.settings.target;
        let holdings = match Holdings::inspect(replica, &self.target.pool, settings) {
            Ok(holdings) => holdings,
            Err(error) => return untold(&error, findings),
        };
        let disagreements = holdings.disagreements(&states);
        findings.target.ok(
            S::Tracking,
            match states.len() {
                0 => "no table was moved before".to_owned(),
                some => format!("{} known from earlier runs", counted(some, "table")),
            },
        );
        let refused = self.surroundings(&states, &holdings.target, &mut findings.target);
        self.not_ours(&disagreements, &refused, findings);
        self.in_the_way(&holdings, findings);
        // What a run that is in progress has not finished yet is no leftover.
        if !running {
            leftovers(&holdings, &disagreements, findings);
        }
    }

    /// Says whether the tables came from the databases that the settings lead to.
    fn identity(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        findings: &mut Findings,
    ) -> Result<()> {
        let Some(source) = self.source else { return Ok(()) };
        let Some(tables) = &source.tables else { return Ok(()) };
        let pools = RunPools {
            source: Some(&source.my.pool),
            replica: self.replica.map(|replica| &replica.pool),
            target: &self.target.pool,
        };
        let by = self.settings.source_identity;
        let ownership = Ownership::inspect(pools, &tables.catalogue, Hops::Both, by)?;
        let mut states = states.clone();
        if self.replica.is_none() && self.settings.replica.is_some() {
            without_copies(&mut states);
        }
        let wanted = tables.taken.iter().cloned().collect();
        match ownership.change(&states, &wanted) {
            Some(change) => {
                let what = format!(
                    "{}: a run compares the rows, and goes on by itself only if all are the same",
                    change.what()
                );
                let finding = findings.fault(S::Identity, what);
                for remedy in change.remedies() {
                    finding.command(remedy);
                }
            }
            None if states.is_empty() => {}
            None => findings.ok(S::Identity, "the tables came from this source"),
        }
        Ok(())
    }

    /// Says whether another run is in progress, and returns whether one is.
    fn locks(&self, tracker: &Tracker, findings: &mut BothSides) -> bool {
        let mut running = lock(tracker.refusal(Side::Target), &mut findings.target);
        if self.replica.is_some() {
            running |= lock(tracker.refusal(Side::Replica), &mut findings.replica);
        }
        running
    }

    /// Says which tracking tables the target's role cannot write to.
    fn foreign(&self, findings: &mut Findings) {
        let foreign: Vec<&str> = self
            .target
            .foreign
            .iter()
            .map(String::as_str)
            .filter(|name| is_own_table(name))
            .collect();
        if foreign.is_empty() {
            return;
        }
        let target = &self.settings.target;
        let role = handoff_connect::quote_pg(target.server.user.as_str());
        let many = counted(foreign.len(), "table");
        let what = format!("{role} may not write to {many} of the schema: {}", some(&foreign));
        let finding = findings.fault(S::Grants, what);
        for name in foreign {
            let table = handoff_schema::ddl::qualified(&target.schema, name);
            finding.statement(format!("ALTER TABLE {table} OWNER TO {role}"));
        }
    }

    /// Says what stands around the tables of the target, and returns those that cannot go there as it is.
    fn surroundings(
        &self,
        states: &BTreeMap<TableName, TrackedTable>,
        target: &TargetCatalogue,
        findings: &mut Findings,
    ) -> BTreeSet<TableName> {
        let Some(tables) = self.source.and_then(|source| source.tables.as_ref()) else {
            return BTreeSet::new();
        };
        let expected = ExpectedTables { settings: self.settings, tables, states, target };
        findings.look(S::Schema, |findings| event_triggers(&mut self.target.pool.get()?, findings));
        findings
            .look(S::Tables, |findings| expected.published(&mut self.target.pool.get()?, findings));
        findings.look(S::Tables, |findings| {
            self.target.beside(&self.settings.target.schema, &expected.names(), findings)
        });
        findings
            .look(S::Tables, |findings| expected.changes(&mut self.target.pool.get()?, findings));
        expected.refused(findings)
    }

    /// Names the tables that can be taken over.
    fn not_ours(
        &self,
        disagreements: &[RecoveryFinding],
        refused: &BTreeSet<TableName>,
        findings: &mut BothSides,
    ) {
        let Some(tables) = self.source.and_then(|source| source.tables.as_ref()) else { return };
        for side in [Side::Replica, Side::Target] {
            let foreign: Vec<&str> = disagreements
                .iter()
                .filter(|finding| {
                    matches!(finding, RecoveryFinding::NotOurs { table, side: found }
                        if *found == side && tables.taken.contains(table))
                })
                .filter_map(RecoveryFinding::table)
                .filter(|table| side == Side::Replica || !refused.contains(*table))
                .map(TableName::as_str)
                .collect();
            if foreign.is_empty() {
                continue;
            }
            let many = counted(foreign.len(), "table");
            let what = format!(
                "{many} that Handoff did not make stand in the way: {}; rename them, or have them \
                 taken over",
                some(&foreign)
            );
            let names: Vec<String> = foreign.iter().map(|name| shell_word(name)).collect();
            findings
                .of(side)
                .fault(S::Tracking, what)
                .command(format!("etl run {} --adopt", names.join(" ")));
        }
    }
}

impl RunDatabases<'_> {
    /// Says which tables can't have their place in the replica.
    fn in_the_way(&self, holdings: &Holdings, findings: &mut BothSides) {
        let tables = self.source.and_then(|source| source.tables.as_ref());
        let (Some(tables), Some(replica)) = (tables, &holdings.replica) else { return };
        let Some(database) = self.replica.map(|replica| replica.database.as_str()) else { return };
        let replica = replica.clone().under_names(tables.taken.iter());
        let taken: BTreeSet<TableName> = tables.taken.iter().cloned().collect();
        for table in &taken {
            if let Err(error) = check_place(&replica, database, table, &taken) {
                findings.replica.fault(S::Schema, chain(&error));
            }
        }
    }
}

/// Warns of what interrupted runs left, which the next run mends.
fn leftovers(holdings: &Holdings, disagreements: &[RecoveryFinding], findings: &mut BothSides) {
    for finding in disagreements {
        let side = match finding {
            RecoveryFinding::Interrupted { .. } => Side::Replica,
            RecoveryFinding::TrackedButMissing { side, .. } => *side,
            _ => continue,
        };
        findings.of(side).warning(S::Leftovers, format!("{finding} by the next run"));
    }
    left(holdings.leftovers.len(), &mut findings.replica);
    left(holdings.target.leftovers.len(), &mut findings.target);
}

fn left(count: usize, findings: &mut Findings) {
    if count > 0 {
        let tables = counted(count, "table");
        let what = format!("an interrupted run left {tables}: the next run ends that");
        findings.warning(S::Leftovers, what);
    }
}

/// Says that a side does not tell what it holds.
fn untold(error: &SessionError, findings: &mut BothSides) {
    let (side, why) = match error {
        SessionError::Connect(fault) => (fault.side(), fault.message().to_owned()),
        SessionError::TargetCatalogue(_) => (Side::Target, chain(error)),
        _ => (Side::Replica, chain(error)),
    };
    findings.of(side).untold(S::Tracking, &why);
}

fn lock(refusal: Result<Option<LockRefused>>, findings: &mut Findings) -> bool {
    match refusal {
        Ok(None) => {
            findings.ok(S::Lock, "no run is in progress");
            false
        }
        Ok(Some(refused)) => {
            let remedy = refused.remedy().map(str::to_owned);
            let finding = findings.fault(S::Lock, refused.to_string());
            match remedy {
                Some(statement) => finding.statement(statement),
                None => finding.command("etl run --wait"),
            };
            true
        }
        Err(fault) => {
            findings.unknown(S::Lock, &fault);
            false
        }
    }
}

fn tracking(error: &TrackingError, findings: &mut BothSides) {
    let side = match error {
        TrackingError::NotOurs { side, .. } | TrackingError::Layout { side, .. } => *side,
        TrackingError::Engine { .. } => Side::Replica,
        TrackingError::Server { fault, .. } => fault.side(),
        _ => Side::Target,
    };
    let finding = findings.of(side).fault(S::Tracking, chain(error));
    if let TrackingError::Surrounded { remedy, .. } = error {
        finding.statement(remedy.as_str());
        return;
    }
    if let TrackingError::Engine { table, .. } = error {
        finding.statement(format!("ALTER TABLE {table} ENGINE=InnoDB"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CheckFinding, CheckVerdict};
    use handoff_connect::{Fault, Leftover, LeftoverKind};
    use handoff_model::{Cancelled, CopyId};
    use handoff_tracking::CopyRecovery;

    fn sides() -> BothSides {
        BothSides { replica: Findings::of(Side::Replica), target: Findings::of(Side::Target) }
    }

    fn all(findings: BothSides) -> Vec<CheckFinding> {
        [findings.replica.into_vec(), findings.target.into_vec()].concat()
    }

    fn table() -> TableName {
        TableName::new("t").unwrap()
    }

    #[test]
    fn a_lock_that_is_free_is_good() {
        let mut findings = Findings::of(Side::Target);
        assert!(!lock(Ok(None), &mut findings));
        assert_eq!(findings.into_vec()[0].what, "no run is in progress");
    }

    #[test]
    fn a_lock_that_is_held_is_a_fault_and_a_run_in_progress() {
        let mut findings = Findings::of(Side::Target);
        assert!(lock(Ok(Some(LockRefused::Cancelled(Cancelled))), &mut findings));
        let found = findings.into_vec();
        assert_eq!(found[0].verdict, CheckVerdict::Fault);
        assert_eq!(found[0].fixes[0].text, "etl run --wait");
    }

    #[test]
    fn a_lock_that_cannot_be_asked_for_is_no_run() {
        let mut findings = Findings::of(Side::Target);
        assert!(!lock(Err(Fault::new(Side::Target, "no")), &mut findings));
        assert_eq!(findings.into_vec()[0].verdict, CheckVerdict::Warning);
    }

    #[test]
    fn leftovers_are_warned_of_on_their_side() {
        let leftover = Leftover { copy_id: CopyId::new(), kind: LeftoverKind::New };
        let target = TargetCatalogue { leftovers: vec!["x".to_owned(); 2], ..Default::default() };
        let holdings = Holdings { leftovers: vec![leftover], replica: None, target };
        let mut findings = sides();
        leftovers(&holdings, &[], &mut findings);
        let found = all(findings);
        let told: Vec<&str> = found.iter().map(|found| found.what.as_str()).collect();
        assert_eq!(
            told,
            [
                "an interrupted run left 1 table: the next run ends that",
                "an interrupted run left 2 tables: the next run ends that"
            ]
        );
        assert_eq!([found[0].side, found[1].side], [Side::Replica, Side::Target]);
    }

    #[test]
    fn only_disagreements_that_the_next_run_ends_are_leftovers() {
        let holdings =
            Holdings { leftovers: Vec::new(), replica: None, target: TargetCatalogue::default() };
        let copy_id = CopyId::new();
        let disagreements = [
            RecoveryFinding::Interrupted { table: table(), copy_id, remedy: CopyRecovery::Finish },
            RecoveryFinding::TrackedButMissing { table: table(), side: Side::Target },
            RecoveryFinding::OrphanShadow { copy_id },
            RecoveryFinding::CopiedNotLoaded { table: table(), copy_id },
        ];
        let mut findings = sides();
        leftovers(&holdings, &disagreements, &mut findings);
        let found = all(findings);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|found| found.what.ends_with(" by the next run")));
    }

    #[test]
    fn tracking_that_cannot_be_read_is_a_fault_of_its_side() {
        let fault = Fault::new(Side::Replica, "no");
        let error = TrackingError::Server { doing: "read", table: "etl_runs", fault };
        let mut findings = sides();
        tracking(&error, &mut findings);
        let found = all(findings);
        assert_eq!((found[0].side, found[0].verdict), (Side::Replica, CheckVerdict::Fault));
        assert!(found[0].fixes.is_empty());
    }

    #[test]
    fn tracking_that_is_surrounded_is_told_with_its_remedy() {
        let error = TrackingError::Surrounded {
            place: "raw".to_owned(),
            table: "etl_runs",
            what: "a test",
            remedy: "DROP IT".to_owned(),
        };
        let mut findings = sides();
        tracking(&error, &mut findings);
        let found = all(findings);
        assert_eq!((found[0].side, found[0].fixes[0].text.as_str()), (Side::Target, "DROP IT"));
    }

    #[test]
    fn a_side_that_does_not_tell_is_a_warning() {
        let fault = Fault::new(Side::Target, "no");
        for (error, side) in [
            (SessionError::TargetCatalogue(fault), Side::Target),
            (SessionError::server("list")(Fault::new(Side::Replica, "no")), Side::Replica),
            (SessionError::Connect(Fault::new(Side::Target, "no")), Side::Target),
        ] {
            let mut findings = sides();
            untold(&error, &mut findings);
            let found = all(findings);
            assert_eq!((found[0].side, found[0].verdict), (side, CheckVerdict::Warning));
        }
    }
}
