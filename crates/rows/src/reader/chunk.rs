//! Reading some rows in the order of the key, and going on behind them another time.

use super::condition::SqlCondition;
use super::fetch::{FetchEnd, FetchFlow, RowFetch};
use super::key::parameter;
use super::key::{TableKey, key_value};
use super::pages::{RangeEnd, RangePages, owned};
use super::row_reader::RowReader;
use super::spec::RowSink;
use super::timed::TimedSink;
use crate::error::{Error, Result};
use handoff_connect::{MyConn, quote_my};
use handoff_model::{KeyRange, KeyValue, RowFilter};
use mysql::Value;

/// A row of MyISAM or Aria with fewer bytes is read faster in a scan of the table than in one of an
/// index: 25 ns beside 60, of a row of four integers.
const SHORT_ROW: u64 = 64;

/// The result of reading one chunk.
#[derive(Debug)]
pub struct ReadChunk {
    /// Rows read.
    pub rows: u64,
    /// The key behind which the next chunk begins. [`None`] if no row follows.
    pub end: Option<Vec<KeyValue>>,
}

impl RowReader<'_> {
    /// Reads at most `rows` rows behind the key `after` into `sink`, in the order of the key.
    ///
    /// A table that is written to meanwhile is not read consistently: for a replica table of our
    /// own. `conn` must not be in a transaction.
    ///
    /// # Errors
    ///
    /// Returns an error as [`RowReader::read`] does, and [`Error::Filter`] for a table without a key.
    pub fn read_chunk<S: RowSink>(
        &self,
        conn: &mut MyConn,
        sink: &mut S,
        after: Option<&[KeyValue]>,
        rows: u64,
    ) -> Result<ReadChunk, S::Error> {
        let key = self.key()?;
        let filter = SqlCondition::of_filter(self.spec.filter, self.spec.table, Some(&key))?;
        let pages = RangePages::new(self, &key, &filter);
        let after: Option<Vec<Value>> = after.map(|after| after.iter().map(parameter).collect());
        let (sql, params) = pages.statement(after.as_deref(), &RangeEnd::Rows(rows));
        let width = self.spec.select.len();
        let (mut count, mut last) = (0, Vec::new());
        let mut sink = TimedSink::new(sink);
        let mut fetch = RowFetch::new(conn, self.spec.cancel);
        let done = fetch.run(&sql, &params, |row| {
            let (row, key) = row.split_at(width);
            sink.row(row)?;
            count += 1;
            if count == rows {
                last = owned(key);
            }
            if sink.buffered() >= sink.threshold() {
                sink.flush()?;
            }
            Ok::<_, S::Error>(FetchFlow::On)
        });
        let end = done.map_err(|stop| stop.into_error(&self.spec, count))?;
        debug_assert_eq!(end, FetchEnd::Whole, "nobody has enough of a chunk");
        self.pay(count, &mut sink)?;
        sink.flush()?;
        if let Some(clock) = self.clock {
            clock.add(sink.waits());
        }
        if count < rows {
            return Ok(ReadChunk { rows: count, end: None });
        }
        let place = pages.key_position(last)?;
        Ok(ReadChunk { rows: count, end: Some(self.key_values(place)?) })
    }

    /// Returns the key of the row that is `rows` rows into `range`, in the order of the key, and
    /// [`None`] if the range has fewer. Without regard to the filter; only an index is read.
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails or the run is cancelled, and [`Error::Filter`] for a
    /// table without a key.
    pub fn end_of(
        &self,
        conn: &mut MyConn,
        range: &KeyRange,
        rows: u64,
    ) -> Result<Option<Vec<KeyValue>>> {
        let key = self.key()?;
        let filter = RowFilter::Range(range.clone());
        let condition = SqlCondition::of_filter(&filter, self.spec.table, Some(&key))?;
        let sql = format!(
            "SELECT {} FROM {}{}{}{} LIMIT 1 OFFSET ?",
            key.select_list(),
            quote_my(self.spec.table.name.as_str()),
            key.force_index(),
            condition.where_clause(),
            key.order_by()
        );
        let mut params = condition.params;
        params.push(Value::UInt(rows.saturating_sub(1)));
        let mut found = None;
        let mut fetch = RowFetch::new(conn, self.spec.cancel);
        let done = fetch.run(&sql, &params, |row| {
            found = Some(owned(row));
            Ok::<_, Error>(FetchFlow::On)
        });
        done.map_err(|stop| stop.into_error(&self.spec, 0))?;
        let every = SqlCondition::default();
        let pages = RangePages::new(self, &key, &every);
        found.map(|row| self.key_values(pages.key_position(row)?)).transpose()
    }

    /// Returns about `size` keys of the table, taken at random and in their order, by one scan of
    /// an index. Without regard to the filter. However wrong the row count of the catalogue is, they
    /// are never more than twice as many.
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails or the run is cancelled, and [`Error::Filter`] for a
    /// table without a key.
    pub fn sample_keys(&self, conn: &mut MyConn, size: u32) -> Result<Vec<Vec<KeyValue>>> {
        let key = self.key()?;
        let rows = u32::try_from(self.spec.table.rows).unwrap_or(u32::MAX).max(1);
        let share = (f64::from(size) / f64::from(rows)).min(1.0);
        // Any index that holds the key will do, and the smallest is the fastest; the short rows of a
        // table without clusters are scanned faster yet, and the few of them sorted.
        let (table, rows) = (self.spec.table, self.spec.table.rows);
        let scans = !table.engine.is_transactional() && table.data_bytes / rows.max(1) < SHORT_ROW;
        let ignored = if scans { key.ignore_index() } else { String::new() };
        let sql = format!(
            "SELECT {} FROM {}{ignored} WHERE RAND() < ?{}",
            key.select_list(),
            quote_my(table.name.as_str()),
            key.order_by()
        );
        let every = SqlCondition::default();
        let pages = RangePages::new(self, &key, &every);
        let mut sample = KeySample::new(size);
        let mut fetch = RowFetch::new(conn, self.spec.cancel);
        let done = fetch.run(&sql, &[Value::Double(share)], |row| {
            if sample.takes_next() {
                sample.add(self.key_values(pages.key_position(owned(row))?)?);
            }
            Ok::<_, Error>(FetchFlow::On)
        });
        done.map_err(|stop| stop.into_error(&self.spec, 0))?;
        Ok(sample.keys)
    }

    pub(super) fn key(&self) -> Result<TableKey> {
        TableKey::of(self.spec.table).ok_or_else(|| self.refuse("it has no key to be read by"))
    }

    fn key_values(&self, place: Vec<Value>) -> Result<Vec<KeyValue>> {
        let values: Option<Vec<KeyValue>> = place.into_iter().map(key_value).collect();
        values.ok_or_else(|| self.refuse("its key holds a NULL"))
    }

    pub(super) fn refuse(&self, problem: &str) -> Error {
        Error::Filter { table: self.spec.table.name.clone(), problem: problem.to_owned() }
    }
}

/// Keys in their order, thinned out evenly when they become too many.
struct KeySample<K> {
    keys: Vec<K>,
    most: usize,
    /// Of so many keys one is taken.
    step: u64,
    seen: u64,
}

impl<K> KeySample<K> {
    /// Begins a sample of between `size` and twice as many keys, where that many come.
    fn new(size: u32) -> KeySample<K> {
        let most = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(2).max(2);
        KeySample { keys: Vec::new(), most, step: 1, seen: 0 }
    }

    /// Counts the next key, and returns true if it is to be added.
    fn takes_next(&mut self) -> bool {
        let takes = self.seen.is_multiple_of(self.step);
        self.seen += 1;
        takes
    }

    fn add(&mut self, key: K) {
        if self.keys.len() == self.most {
            let mut index = 0_u64;
            self.keys.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.step *= 2;
        }
        self.keys.push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(size: u32, keys: u64, expected: &[u64]) {
        let mut sample = KeySample::new(size);
        for key in 0..keys {
            if sample.takes_next() {
                sample.add(key);
            }
        }
        assert_eq!(sample.keys, expected);
    }

    #[test]
    fn a_sample_stays_small_and_even() {
        check(2, 0, &[]);
        check(2, 4, &[0, 1, 2, 3]);
        check(2, 5, &[0, 2, 4]);
        check(2, 9, &[0, 4, 8]);
        check(2, 33, &[0, 16, 32]);
        check(0, 3, &[0, 2]);
    }
}
