//! One table of a repair: compared, brought into line by its steps, and compared again.

use super::rehearsal::way_of;
use crate::error::TableError;
use crate::report::{RepairWay, SeenRepair, TableReport, VerifyPair};
use crate::table::{
    Attempt, Between, ProofRule, RunScope, TableDifference, TableRun, full_instead, repair_steps,
    steps,
};
use handoff_connect::Side;
use handoff_model::{Deletes, ProofBy, Reason};
use handoff_plan::TablePlan;
use handoff_rows::has_key_values;
use handoff_verify::ShowKeys;
use jiff::Timestamp;

/// The most rounds in which a table is mended that still differs afterwards, since its source is written to.
const ROUNDS: u32 = 2;

const EVERYWHERE: Between = Between { first: Side::Source, last: Side::Target };

/// A table after its repair: the report, and the findings on the way.
pub(super) struct RepairedTable {
    pub(super) report: TableReport,
    pub(super) seen: SeenRepair,
}

/// One table on its way through a repair.
struct TableRepair<'r> {
    table: TableRun<'r>,
    keys: ShowKeys,
    seen: SeenRepair,
}

impl RunScope<'_> {
    /// Mends one table. Every outcome is in the report.
    pub(super) fn repair(&self, plan: &TablePlan, keys: ShowKeys) -> RepairedTable {
        let table = TableRun::new(self, Attempt::repair(plan, Timestamp::now()));
        let planned = table.attempt.report(table.route.load_mode());
        let mut repair = TableRepair { table, keys, seen: SeenRepair::default() };
        let done = repair.mend_until_equal();
        let mut report = TableReport { plan: Some(planned), ..repair.table.into_report() };
        if let Err(error) = done {
            self.note_failure(&mut report, &error);
        }
        RepairedTable { report: self.done(report), seen: repair.seen }
    }
}

impl TableRepair<'_> {
    fn mend_until_equal(&mut self) -> Result<(), TableError> {
        let (run, plan) = (self.table.run, self.table.plan);
        if !was_moved(plan, run.stages.has_replica) {
            return Err(TableError::NeverMoved(plan.name.clone()));
        }
        let mut began = Timestamp::now();
        let found = self.compare()?;
        self.seen.before = self.pairs(&found);
        let mut found = self.but_retained(found);
        while self.seen.rounds < ROUNDS && (found.differing() > 0 || self.is_owed_a_merge()) {
            run.delete_limit(plan).check(&found, &plan.mapping)?;
            self.mend(found, began)?;
            began = Timestamp::now();
            let again = self.compare()?;
            self.seen.after = self.pairs(&again);
            found = self.but_retained(again);
            self.seen.rounds += 1;
        }
        self.conclude(&found)
    }

    /// Takes the last comparison for the proof: every row was compared, whatever the run proves by.
    fn conclude(&mut self, found: &TableDifference) -> Result<(), TableError> {
        let table = &mut self.table;
        let retains = table.plan.deletes == Deletes::Ignore;
        table.rule = ProofRule { by: ProofBy::Rows, retains };
        table.evidence = found.evidence(retains);
        table.notes.extend(table.evidence.retained_note(table.rule));
        match found.differing() {
            0 => Ok(()),
            rows => Err(TableError::StillDiffers { table: table.plan.name.clone(), rows }),
        }
    }

    fn compare(&self) -> Result<TableDifference, TableError> {
        let table = &self.table;
        table.run.patiently(table.plan, || table.compare_rows(EVERYWHERE))
    }

    fn pairs(&self, found: &TableDifference) -> Vec<VerifyPair> {
        let mapping = &self.table.plan.mapping;
        found.0.pairs.iter().map(|pair| VerifyPair::of(pair, mapping, self.keys)).collect()
    }

    fn but_retained(&self, found: TableDifference) -> TableDifference {
        match self.table.plan.deletes {
            Deletes::Ignore => found.without_retained(),
            _ => found,
        }
    }

    /// Returns false if the replica's table is recorded to lack rows that were being merged.
    fn is_whole(&self) -> bool {
        !self.table.run.stages.has_replica || self.table.plan.tracked.loadable_copy().is_some()
    }

    /// Returns true if the replica lacks rows of a merge that broke off, whatever the comparison says.
    fn is_owed_a_merge(&self) -> bool {
        self.seen.rounds == 0 && !self.is_whole()
    }

    /// Brings the rows that differ into line, or copies the whole table where that cannot be done.
    fn mend(&mut self, found: TableDifference, began: Timestamp) -> Result<(), TableError> {
        let plan = self.table.plan;
        let way = way_of(&found, &plan.mapping);
        self.seen.way = Some(way);
        self.table.restart(Attempt::repair(plan, began));
        let totals = self.table.totals.clone();
        let why = match way {
            RepairWay::Rows => match self.mend_rows(found) {
                Ok(()) => return Ok(()),
                Err(error) => why_in_full(&error).ok_or(error)?,
            },
            RepairWay::FullCopy if has_key_values(&plan.mapping) => {
                "more rows differ than are listed"
            }
            RepairWay::FullCopy => "it has no key by which rows could be looked up",
        };
        self.seen.way = Some(RepairWay::FullCopy);
        if plan.deletes == Deletes::Ignore {
            return Err(TableError::OnlyInFull { table: plan.name.clone(), why });
        }
        self.table.restart(self.table.attempt.in_full(Reason::Repair));
        self.table.totals = totals;
        self.table.follow(steps(&self.table.route))?;
        self.table.notes.push(format!("the whole table was copied: {why}"));
        Ok(())
    }

    fn mend_rows(&mut self, found: TableDifference) -> Result<(), TableError> {
        // After a first round the replica holds another copy than the plan knows.
        let copies_keys =
            found.differs_before(Side::Replica) || !self.is_whole() || self.seen.rounds > 0;
        self.table.handed.found = Some(found);
        self.table.follow(repair_steps(&self.table.route, copies_keys))
    }
}

/// Returns the reason to copy the whole table after rows could not be brought into line one by one, if that helps.
fn why_in_full(error: &TableError) -> Option<&'static str> {
    Some(match full_instead(error)? {
        Reason::Collided => "rows that came meanwhile are in the way of a unique value",
        Reason::SchemaChanged => "the replica's table is of another structure",
        Reason::ReplicaDamaged => "the replica's table is damaged",
        _ => return None,
    })
}

/// Returns true if the table has arrived everywhere before.
fn was_moved(plan: &TablePlan, has_replica: bool) -> bool {
    let copied = plan.tracked.copy.as_ref().is_some_and(|copy| copy.copy_id.is_some());
    plan.tracked.was_loaded() && (copied || !has_replica)
}

#[cfg(test)]
mod tests;
