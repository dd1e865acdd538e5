//! Comparing a table of a run.

use super::Found;
use crate::places::{Places, Unlike};
use crate::table_run::TableRunner;
use crate::{TableContext, TableError, TargetRefusal};
use handoff_connect::Side;
use handoff_model::{Event, Phase, SumBy};
use handoff_schema::Mapping;
use handoff_verify::{Place, Verifier, VerifyJob, VerifyOptions};
use std::sync::Arc;

/// The most rows that are moved one by one; where more differ, the table is moved in full.
pub(crate) const MOST: usize = 100_000;

/// Cells of a sketch for each row of the table: enough to name a tenth of them.
const CELL_FOR_ROWS: u64 = 4;

/// The first and the last of the databases to compare, in the order of the way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Between {
    pub(crate) first: Side,
    pub(crate) last: Side,
}

impl TableRunner {
    /// Compares a table.
    pub(crate) fn found(
        &self,
        context: &TableContext,
        between: Between,
    ) -> Result<Found, TableError> {
        self.found_in(&context.mapping, self.sums, context, between)
    }

    /// Compares the columns of a table that `mapping` has.
    pub(crate) fn found_in(
        &self,
        mapping: &Mapping,
        sums: SumBy,
        context: &TableContext,
        between: Between,
    ) -> Result<Found, TableError> {
        let places = self.places(context, between)?;
        let rows = context.schema.rows;
        let (table, phase) = (context.name.clone(), Phase::Verify);
        let all = rows.saturating_mul(places.len() as u64);
        self.observer.event(&Event::PhaseStarted { table, phase, rows: Some(all) });
        let cells = usize::try_from(rows / CELL_FOR_ROWS).unwrap_or(usize::MAX);
        let options = VerifyOptions {
            most_cells: cells.clamp(1 << 12, 1 << 18),
            most_listed: MOST,
            sums,
            ..VerifyOptions::default()
        };
        let verifier = Verifier::new(options, self.cancel.clone(), Arc::clone(&self.observer));
        let job = VerifyJob { mapping, values: &self.values, places: &places, rows };
        let compare = || verifier.compare(&job).map_err(TableError::Compare);
        self.again(context, compare).map(Found)
    }

    /// Returns where the table is, once it is known to be of one structure everywhere.
    fn places<'a>(
        &'a self,
        context: &'a TableContext,
        between: Between,
    ) -> Result<Vec<Place<'a>>, TableError> {
        let servers = &self.servers;
        let source = servers.source.as_ref().filter(|_| between.first == Side::Source);
        let reaches_target = between.last == Side::Target;
        let places = Places {
            origin: &context.schema,
            source: source.map(|pool| (pool, self.throttle.as_ref())),
            replica: servers.replica.as_ref().map(|pool| (pool, context.replica.as_deref())),
            target: reaches_target
                .then(|| (&servers.target, &*self.prover.schema, context.target.as_deref())),
        };
        let structure =
            |side, what| TableError::Structure { table: context.name.clone(), side, what };
        places.alike(&context.mapping).map_err(|unlike| match unlike {
            Unlike::Unfit(misfit) => TableError::Target(TargetRefusal::Unfit(misfit)),
            Unlike::Structure(what) => structure(Side::Replica, what),
            Unlike::Absent(side) => structure(side, "there is no such table".to_owned()),
        })
    }
}
