//! Mending tables that differ: exactly the rows that a comparison named, and the comparison again.

mod rehearsal;
mod request;
mod table;

pub use request::RepairRequest;

use crate::builder::Pipeline;
use crate::error::Result;
use crate::options::RunOptions;
use crate::pipeline::Task;
use crate::report::{RepairReport, RepairTable};
use crate::table::{DeleteLimits, GuardedCommand, MOST_LISTED};
use crate::verify::VerifyRequest;
use handoff_connect::Side;
use handoff_verify::VerifyOptions;
use rehearsal::rehearsed;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

impl Pipeline {
    /// Compares the tables that `request` names, brings the rows that differ into line in the replica
    /// and in the target, and compares again. A dry run compares only.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::error::Error) only if nothing could start: a server that cannot be
    /// reached, a table that is not there, another run in progress.
    pub fn repair(&self, request: &RepairRequest) -> Result<RepairReport> {
        if request.dry_run {
            return self.rehearse(request);
        }
        let options = RunOptions {
            tables: request.tables.clone(),
            wait: request.wait,
            ..RunOptions::default()
        };
        // A person is waiting: the hours of the nightly run are not meant.
        let task = Task { limits: self.repair_limits(request), until: None };
        let seen = Mutex::new(BTreeMap::new());
        let done = self.run_by(&options, &task, |run, plan| {
            let repaired = run.repair(plan, request.keys);
            let mut all = seen.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(plan.name.clone(), repaired.seen);
            repaired.report
        })?;
        let mut repairs = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut tables = Vec::with_capacity(done.tables.len());
        for moved in done.tables {
            let repair = repairs.remove(&moved.table).unwrap_or_default();
            tables.push(RepairTable::of(moved, repair));
        }
        Ok(RepairReport {
            run_id: done.run_id,
            started_at: done.started_at,
            finished_at: done.finished_at,
            ok: tables.iter().all(|table| table.status.is_equal()),
            cancelled: done.cancelled,
            dry_run: false,
            tables,
            notes: done.notes,
        })
    }

    fn repair_limits(&self, request: &RepairRequest) -> DeleteLimits {
        DeleteLimits {
            asked: request.max_delete_percent,
            configured: self.settings.run.max_delete_percent,
            command: GuardedCommand::Repair,
        }
    }

    /// Foresees a repair. Writes nothing anywhere.
    fn rehearse(&self, request: &RepairRequest) -> Result<RepairReport> {
        let verify = VerifyRequest {
            tables: request.tables.clone(),
            from: Side::Source,
            to: Side::Target,
            keys: request.keys,
            options: Some(VerifyOptions {
                most_listed: MOST_LISTED,
                sums: self.settings.run.sums,
                ..VerifyOptions::default()
            }),
            ..VerifyRequest::default()
        };
        let found = self.verify(&verify)?;
        let limits = self.repair_limits(request);
        let tables = found.tables.into_iter().map(|table| {
            let own = self.settings.table(&table.table).max_delete_percent;
            rehearsed(table, &limits.of_table(own))
        });
        Ok(RepairReport {
            run_id: found.run_id,
            started_at: found.started_at,
            finished_at: found.finished_at,
            ok: found.ok,
            cancelled: found.cancelled,
            dry_run: true,
            tables: tables.collect(),
            notes: found.notes,
        })
    }
}
