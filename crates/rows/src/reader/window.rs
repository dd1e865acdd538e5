//! Reading the rows of a window of a table that locks out its writers.

use super::fetch::{End, Fetch, Flow};
use super::key::Key;
use super::pages::owned;
use super::timed::Timed;
use super::{Condition, Reader, RowSink};
use crate::Result;
use handoff_connect::{Flavor, MyConn, ServerVersion, quote_my};
use handoff_model::{KeyValue, RowFilter};

/// How long the scan may take: well under the 200 ms that a writer may be kept waiting.
const LIMIT_MS: u32 = 150;

/// The most keys that are kept. Of more rows the ranges of the key bring enough at a time.
const MOST_KEYS: usize = 20_000;

/// How many rows are looked up in one statement.
const BATCH: usize = 500;

impl Reader<'_> {
    /// Has the whole table searched for the keys of the window, which the server gives up when it
    /// takes too long, and looks the rows up by their keys; returns [`None`] if it gave up, and then
    /// the sink got no row.
    ///
    /// In ranges every row of the table would be fetched by way of the index, which takes a server many
    /// times as long as to scan it.
    pub(super) fn read_window<S: RowSink>(
        &self,
        conn: &mut MyConn,
        sink: &mut Timed<'_, S>,
        key: &Key,
        window: &Condition,
    ) -> Result<Option<u64>, S::Error> {
        let Some(keys) = self.window_keys(conn, key, window)? else { return Ok(None) };
        let mut rows = 0;
        for keys in keys.chunks(BATCH) {
            let keys = RowFilter::Keys(keys.to_vec());
            let condition = Condition::of_filter(&keys, self.spec.table, Some(key))?;
            // A row may have left the window since.
            rows += self.read_whole(conn, sink, Some(key), condition.and(window.clone()))?;
            if sink.buffered() >= sink.threshold() {
                sink.flush()?;
            }
        }
        Ok(Some(rows))
    }

    fn window_keys(
        &self,
        conn: &mut MyConn,
        key: &Key,
        window: &Condition,
    ) -> Result<Option<Vec<Vec<KeyValue>>>> {
        let Some(select) = limited_select(conn.pool().version()) else { return Ok(None) };
        let sql = format!(
            "{select} {} FROM {}{}",
            key.select_list(),
            quote_my(self.spec.table.name.as_str()),
            window.where_clause()
        );
        let mut keys = Vec::new();
        let mut fetch = Fetch::new(conn, self.spec.cancel).limited();
        let end = fetch.run(&sql, window.params.clone(), |row| {
            // What cannot be looked up is told by those who read in ranges.
            let place = key.place(owned(row)).ok();
            let values =
                place.and_then(|place| place.into_iter().map(super::key::key_value).collect());
            let is_kept = values.is_some() && keys.len() < MOST_KEYS;
            keys.extend(values);
            Ok::<_, crate::Error>(if is_kept { Flow::On } else { Flow::Enough })
        });
        let end = end.map_err(|stop| stop.into_error(&self.spec, 0))?;
        Ok((end == End::Whole).then_some(keys))
    }
}

/// Spells the beginning of a query that the server ends after [`LIMIT_MS`]; [`None`] if it has no
/// such limit.
fn limited_select(version: &ServerVersion) -> Option<String> {
    match (version.flavor, version.number) {
        (Flavor::MariaDb, (10, 1.., _) | (11.., ..)) => {
            let seconds = f64::from(LIMIT_MS) / 1000.0;
            Some(format!("SET STATEMENT max_statement_time = {seconds} FOR SELECT"))
        }
        (Flavor::MySql, (5, 7.., _) | (6.., ..)) => {
            Some(format!("SELECT /*+ MAX_EXECUTION_TIME({LIMIT_MS}) */"))
        }
        _ => None,
    }
}
