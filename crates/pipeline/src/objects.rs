//! The objects around the columns: some stand aside before the first table, and all are made after the last.

use crate::builder::Pipeline;
use crate::error::{Result, TableError};
use crate::report::TableReport;
use crate::run_base::RunBase;
use crate::table::RunTools;
use handoff_model::{Reason, RunEvent, RunId, chain};
use handoff_objects::{
    FailedObject, MakerOptions, ObjectMaker, ObjectPlan, ObjectPreview, ObjectReport,
};
use handoff_plan::{Hops, Plan, TablePlan};
use handoff_schema::UntranslatedPart;
use handoff_session::{Access, Session, Sides};

impl Pipeline {
    pub(crate) fn maker_options(&self) -> MakerOptions {
        MakerOptions {
            schema: self.settings.target.schema.clone(),
            jobs: self.settings.run.jobs,
            lock_timeout: self.settings.target.lock_timeout,
            memory_bytes: self.memory_of_a_table(),
            cancel: self.cancel.clone(),
        }
    }

    /// Drops the foreign keys and triggers of ours that concern a table which moves: rows arrive in any order, and as
    /// they are. Returns a sentence for each that could not be dropped; its tables fail by themselves.
    pub(crate) fn stand_aside(&self, base: &RunBase<'_>, plan: &Plan) -> Result<Vec<String>> {
        let moving: Vec<&TablePlan> = plan.tables.iter().filter(|table| moves(table)).collect();
        if base.objects.is_none() || moving.is_empty() {
            return Ok(Vec::new());
        }
        let present = base.session.read_objects()?;
        let schema = &self.settings.target.schema;
        let maker = ObjectMaker::new(&base.session.servers.target, self.maker_options());
        let failed = maker.stand_aside(&present, |object| {
            moving.iter().any(|table| object.concerns(schema, &table.mapping.pg_table))
        });
        Ok(failed.iter().map(FailedObject::sentence).collect())
    }

    /// Makes what the target lacks of the objects, once the rows are there. An object that cannot be made fails no
    /// table.
    pub(crate) fn make_objects(&self, base: &RunBase<'_>, tables: &[TableReport]) -> ObjectReport {
        if self.cancel.is_cancelled() {
            return ObjectReport::default();
        }
        let made = self.planned_objects(base).map(|plan| self.make_planned(base, &plan, tables));
        made.unwrap_or_else(|error| {
            log::warn!("the objects around the columns were not made: {}", chain(&error));
            ObjectReport::default()
        })
    }

    fn make_planned(
        &self,
        base: &RunBase<'_>,
        plan: &ObjectPlan,
        tables: &[TableReport],
    ) -> ObjectReport {
        let maker = ObjectMaker::new(&base.session.servers.target, self.maker_options());
        let mut report = maker.make(plan);
        let moved =
            |name: &_| tables.iter().any(|table| table.table == *name && !table.is_unchanged());
        if let Err(fault) = maker.advance(plan, moved) {
            log::warn!("the sequences of identities were not moved on: {}", chain(&fault));
        }
        if let Some(wanted) = &base.objects {
            report.remarks.extend(wanted.remarks.iter().cloned());
        }
        report.sort();
        report
    }

    /// Returns the statements that the next run would make, those of tables that are yet to come among them.
    pub(crate) fn foresee_objects(&self, base: &RunBase<'_>) -> Result<Vec<ObjectPreview>> {
        let Some(wanted) = &base.objects else { return Ok(Vec::new()) };
        let present = base.session.read_objects()?.foresee(wanted);
        let plan = ObjectPlan::make(wanted, &present).of_tables(&base.scope.wanted);
        Ok(plan.preview(&self.settings.target.schema))
    }

    /// Returns the views, triggers, routines and events of the source with their texts, for a person to translate.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if a server cannot be reached or read.
    pub fn untranslated_parts(&self) -> Result<Vec<UntranslatedPart>> {
        let options = self.session_options(RunId::new());
        let sides = Sides::of(Hops::Both, Access::Look);
        self.patiently(|| {
            let session = Session::open(&self.settings, Access::Look, sides, &options)?;
            Ok(session.untranslated_parts()?)
        })
    }

    fn planned_objects(&self, base: &RunBase<'_>) -> Result<ObjectPlan> {
        let Some(wanted) = &base.objects else { return Ok(ObjectPlan::default()) };
        let present = base.session.read_objects()?;
        Ok(ObjectPlan::make(wanted, &present).of_tables(&base.scope.wanted))
    }
}

fn moves(table: &TablePlan) -> bool {
    table.decision.reason != Reason::Unchanged
}

impl RunTools {
    /// Drops the object of ours that refused the rows of a table, and returns true if there was one: rows come first.
    pub(crate) fn makes_way(&self, plan: &TablePlan, error: &TableError) -> bool {
        let Some(fault) = error.fault() else { return false };
        let maker = ObjectMaker::new(&self.servers.target, self.objects.clone());
        match maker.give_way(&plan.name, fault) {
            Ok(Some(object)) => {
                let what = object.described();
                let text = format!("{what} refused rows, and was dropped: {}", chain(fault));
                self.observer.event(&RunEvent::Notice { table: Some(plan.name.clone()), text });
                true
            }
            Ok(None) => false,
            Err(fault) => {
                log::warn!("`{}`: an index stays that refuses rows: {}", plan.name, chain(&fault));
                false
            }
        }
    }
}
