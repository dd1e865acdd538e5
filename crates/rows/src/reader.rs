//! Streaming reads.
//!
//! The statements of a read depend on its effect on the table's writers:
//!
//! | [`Locking`] | statements |
//! | --- | --- |
//! | `Snapshot` | one; outside a transaction it is a consistent snapshot of its own |
//! | `Free` | one |
//! | `Ranges` | one a range of the key, by [`RangePace`](pace::RangePace); a small table is one range |
//! | `Ranges`, of changed rows | one for the keys, if a scan is short enough; then those rows |
//!
//! A table that is to be read in ranges and has no key is read in one statement all the same, and
//! its writers wait for the end of it: there is no order in which to go on after a range.

mod chunk;
mod condition;
mod fetch;
mod key;
mod pace;
mod packets;
mod pages;
mod row_reader;
mod spec;
mod timed;
mod window;

use crate::error::Result;
pub use chunk::ReadChunk;
use condition::SqlCondition;
use fetch::{FetchFlow, RowFetch};
use handoff_connect::MyConn;
use handoff_model::RowFilter;
use handoff_schema::TableSchema;
use key::TableKey;
pub use key::{force_key_index, key_operands, parameter as key_parameter};
use mysql::Value;
use pages::RangePages;
pub use row_reader::RowReader;
pub use spec::{Locking, ReadSpec, RowSink};
use timed::TimedSink;

/// Renders the WHERE clause that selects the rows of `filter`, with its parameters; an empty text
/// selects every row.
///
/// # Errors
///
/// Returns [`Error::Filter`](crate::Error::Filter) if the table has no such key or column, or one of another type.
pub fn where_clause(filter: &RowFilter, table: &TableSchema) -> Result<(String, Vec<Value>)> {
    let condition = SqlCondition::of_filter(filter, table, TableKey::of(table).as_ref())?;
    Ok((condition.where_clause(), condition.params))
}

impl RowReader<'_> {
    /// Reads every selected row into `sink` and returns their number.
    ///
    /// `conn` must not be in a transaction. Each distinct statement is prepared once.
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails, the run is cancelled or the sink fails. A statement
    /// whose rows were not all fetched is killed, never read to its end, and `conn` is then not used
    /// again.
    pub fn read<S: RowSink>(&self, conn: &mut MyConn, sink: &mut S) -> Result<u64, S::Error> {
        let key = TableKey::of(self.spec.table);
        let filter = SqlCondition::of_filter(self.spec.filter, self.spec.table, key.as_ref())?;
        let mut sink = TimedSink::new(sink);
        let rows = match (self.spec.locking, &key, self.spec.filter) {
            (Locking::Ranges, Some(key), RowFilter::Changed { .. }) => {
                match self.read_window(conn, &mut sink, key, &filter)? {
                    Some(rows) => rows,
                    None => RangePages::new(self, key, &filter).read(conn, &mut sink)?,
                }
            }
            (Locking::Ranges, Some(key), RowFilter::All | RowFilter::Range(_)) => {
                RangePages::new(self, key, &filter).read(conn, &mut sink)?
            }
            (_, key, _) => {
                let index = key.as_ref().filter(|_| self.forces_index());
                self.read_whole(conn, &mut sink, index, &filter)?
            }
        };
        sink.flush()?;
        if let Some(clock) = self.clock {
            clock.add(sink.waits());
        }
        Ok(rows)
    }

    /// Returns true if one statement is to read by way of the key's index, and false if the server
    /// may choose.
    fn forces_index(&self) -> bool {
        match self.spec.filter {
            RowFilter::All | RowFilter::Changed { .. } => false,
            RowFilter::Keys(_) => true,
            // MyISAM and Aria scan the whole of a table faster than they fetch a tenth of it by an
            // index, and know how many rows a range has.
            RowFilter::Range(_) => {
                self.spec.table.engine.is_transactional() || self.spec.locking != Locking::Free
            }
        }
    }

    /// Reads in one statement, by way of the key's index or as the server likes.
    fn read_whole<S: RowSink>(
        &self,
        conn: &mut MyConn,
        sink: &mut TimedSink<'_, S>,
        index: Option<&TableKey>,
        filter: &SqlCondition,
    ) -> Result<u64, S::Error> {
        let sql = self.select(index, filter);
        let mut rows = 0;
        let mut unpaid = 0;
        let step = self.step();
        let mut fetch = RowFetch::new(conn, self.spec.cancel);
        let done = fetch.run(&sql, &filter.params, |row| {
            rows += 1;
            sink.row(row)?;
            if sink.buffered() >= sink.threshold() {
                sink.flush()?;
            }
            unpaid += 1;
            if unpaid >= step {
                self.pay(std::mem::take(&mut unpaid), sink)?;
            }
            Ok::<_, S::Error>(FetchFlow::On)
        });
        done.map_err(|stop| stop.into_error(&self.spec, rows))?;
        self.pay(unpaid, sink)?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{CancelToken, RowThrottle};
    use handoff_schema::StorageEngine;

    fn forces(filter: &RowFilter, engine: StorageEngine, locking: Locking) -> bool {
        let table = &TableSchema { engine, ..TableSchema::empty("t") };
        let spec = ReadSpec { table, select: &[], filter, locking, cancel: &CancelToken::new() };
        RowReader::new(spec).forces_index()
    }

    #[test]
    fn the_index_of_the_key_is_forced_where_the_server_would_scan_the_table() {
        let (all, keys) = (RowFilter::All, RowFilter::Keys(Vec::new()));
        let range = RowFilter::Range(handoff_model::KeyRange::ALL);
        assert!(!forces(&all, StorageEngine::InnoDb, Locking::Snapshot));
        assert!(forces(&keys, StorageEngine::MyIsam, Locking::Free));
        assert!(forces(&range, StorageEngine::InnoDb, Locking::Free));
        assert!(forces(&range, StorageEngine::MyIsam, Locking::Ranges));
        assert!(!forces(&range, StorageEngine::MyIsam, Locking::Free));
    }

    #[test]
    fn a_read_that_locks_is_not_drawn_out_by_the_throttle() {
        let (table, cancel) = (&TableSchema::empty("t"), &CancelToken::new());
        let throttle = RowThrottle::new(std::num::NonZeroU32::new(1_000).unwrap());
        let step = |locking| {
            let filter = &RowFilter::All;
            let spec = ReadSpec { table, select: &[], filter, locking, cancel };
            RowReader::new(spec).throttle(Some(&throttle)).step()
        };
        assert_eq!(step(Locking::Free), throttle.step());
        assert_eq!(step(Locking::Ranges), u64::MAX);
    }
}
