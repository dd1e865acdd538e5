//! Comparing a table of a run.

use super::Found;
use crate::table_run::TableRunner;
use crate::{TableContext, TableError};
use handoff_connect::Side;
use handoff_model::{Event, Phase, SumBy};
use handoff_rows::Locking;
use handoff_schema::{Mapping, TableSchema, ddl};
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
        let other = |side, what| TableError::Structure { table: context.name.clone(), side, what };
        let servers = &self.servers;
        let mut places = Vec::with_capacity(3);
        if let Some(pool) = servers.source.as_ref().filter(|_| between.first == Side::Source) {
            let table = &*context.schema;
            let safe = table.engine.is_transactional();
            let locking = if safe { Locking::Snapshot } else { Locking::Ranges };
            places.push(Place::My { pool, table, locking, throttle: self.throttle.as_ref() });
        }
        if let Some(pool) = &servers.replica {
            let missing = || other(Side::Replica, "there is no such table".to_owned());
            let table = context.replica.as_deref().ok_or_else(missing)?;
            if let Some(what) = other_structure(&context.schema, table) {
                return Err(other(Side::Replica, what));
            }
            places.push(Place::My { pool, table, locking: Locking::Free, throttle: None });
        }
        if between.last == Side::Target {
            let missing = || other(Side::Target, "there is no such table".to_owned());
            let there = context.target.as_deref().ok_or_else(missing)?;
            let differences = ddl::differences(&context.mapping, &there.columns, &there.key);
            if let Some(what) = differences.into_iter().next() {
                return Err(other(Side::Target, what));
            }
            places.push(Place::Pg { pool: &servers.target, schema: &self.prover.schema });
        }
        Ok(places)
    }
}

/// Says what is different in two MySQL tables, as far as it decides which rows are read, and as what.
pub(crate) fn other_structure(one: &TableSchema, other: &TableSchema) -> Option<String> {
    for (index, column) in one.columns.iter().enumerate() {
        let name = &column.name;
        let Some(there) = other.columns.get(index).filter(|there| there.name == *name) else {
            return Some(format!("the column `{name}` is missing or in another place"));
        };
        if (&there.kind, &there.charset) != (&column.kind, &column.charset) {
            let (there, here) = (&there.column_type, &column.column_type);
            return Some(format!("the column `{name}` is {there}, not {here}"));
        }
    }
    if let Some(more) = other.columns.get(one.columns.len()) {
        return Some(format!("the column `{}` is not in the source", more.name));
    }
    // Rows are named and looked up by it.
    let (there, here) = (key_columns(other), key_columns(one));
    (there != here).then(|| format!("the key is {there}, not {here}"))
}

fn key_columns(table: &TableSchema) -> String {
    let Some(key) = table.key() else { return "none".to_owned() };
    let names = key.iter().map(|&index| format!("`{}`", table.columns[index].name));
    format!("({})", names.collect::<Vec<_>>().join(", "))
}
