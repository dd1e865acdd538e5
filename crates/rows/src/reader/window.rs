//! Reading the rows of a window of a table that locks out its writers.

use super::condition::SqlCondition;
use super::fetch::{FetchEnd, FetchFlow, RowFetch};
use super::key::{TableKey, key_value};
use super::pages::owned;
use super::row_reader::RowReader;
use super::spec::RowSink;
use super::timed::TimedSink;
use crate::error::Result;
use handoff_connect::{MyConn, ServerFlavor, ServerVersion, quote_my};
use handoff_model::{KeyValue, RowFilter};

/// The time that the scan may take: well under the 200 ms that a writer may be kept waiting.
const LIMIT_MS: u32 = 150;

/// The most keys that are kept. Of more rows the ranges of the key bring enough at a time.
const MOST_KEYS: usize = 20_000;

/// The number of rows looked up in one statement.
const BATCH: usize = 500;
const BATCH_BYTES: u64 = 1 << 20;

impl RowReader<'_> {
    /// Has the whole table searched for the keys of the window, which the server gives up when it
    /// takes too long, and looks the rows up by their keys; returns [`None`] if it gave up, and then
    /// the sink got no row.
    ///
    /// In ranges every row of the table would be fetched by way of the index, which takes a server many
    /// times as long as to scan it.
    pub(super) fn read_window<S: RowSink>(
        &self,
        conn: &mut MyConn,
        sink: &mut TimedSink<'_, S>,
        key: &TableKey,
        window: &SqlCondition,
    ) -> Result<Option<u64>, S::Error> {
        let Some(keys) = self.window_keys(conn, key, window)? else { return Ok(None) };
        let mut rows = 0;
        let mut fetch = RowFetch::new(conn, self.spec.cancel);
        for keys in keys.chunks(self.batch()) {
            let keys = RowFilter::Keys(keys.to_vec());
            // A row may have left the window since.
            let condition =
                SqlCondition::of_filter(&keys, self.spec.table, Some(key))?.and(window.clone());
            let sql = self.select(Some(key), &condition);
            let mut read = 0;
            let done = fetch.run(&sql, &condition.params, |row| {
                read += 1;
                sink.row(row)?;
                Ok::<_, S::Error>(FetchFlow::On)
            });
            rows += read;
            done.map_err(|stop| stop.into_error(&self.spec, rows))?;
            // No lock is held between two statements.
            if sink.buffered() >= sink.threshold() {
                sink.flush()?;
            }
            self.pay(read, sink)?;
        }
        Ok(Some(rows))
    }

    /// Returns the number of rows to look up in one statement, so that they are about a megabyte at most.
    fn batch(&self) -> usize {
        let row = self.spec.table.data_bytes / self.spec.table.rows.max(1);
        usize::try_from(BATCH_BYTES / row.max(1)).unwrap_or(BATCH).clamp(1, BATCH)
    }

    fn window_keys(
        &self,
        conn: &mut MyConn,
        key: &TableKey,
        window: &SqlCondition,
    ) -> Result<Option<Vec<Vec<KeyValue>>>> {
        let Some(select) = limited_select(conn.pool().version()) else { return Ok(None) };
        let sql = format!(
            "{select} {} FROM {}{}",
            key.select_list(),
            quote_my(self.spec.table.name.as_str()),
            window.where_clause()
        );
        // What cannot be looked up, or is too much, is left to those who read in ranges. The statement
        // goes on to its end all the same: one that is killed may take the next with it.
        let mut keys = Some(Vec::new());
        let mut fetch = RowFetch::new(conn, self.spec.cancel).limited();
        let done = fetch.run(&sql, &window.params, |row| {
            keys = keys.take().filter(|keys| keys.len() < MOST_KEYS).and_then(|mut keys| {
                let place = key.key_position(owned(row)).ok()?;
                keys.push(place.into_iter().map(key_value).collect::<Option<Vec<KeyValue>>>()?);
                Some(keys)
            });
            Ok::<_, crate::error::Error>(FetchFlow::On)
        });
        let end = done.map_err(|stop| stop.into_error(&self.spec, 0))?;
        Ok(keys.filter(|_| end == FetchEnd::Whole))
    }
}

/// Renders the beginning of a query that the server ends after [`LIMIT_MS`]; [`None`] if it has no
/// such limit.
fn limited_select(version: &ServerVersion) -> Option<String> {
    match (version.flavor, version.number) {
        (ServerFlavor::MariaDb, (10, 1.., _) | (11.., ..)) => {
            let seconds = f64::from(LIMIT_MS) / 1000.0;
            Some(format!("SET STATEMENT max_statement_time = {seconds} FOR SELECT"))
        }
        (ServerFlavor::MySql, (5, 7.., _) | (6.., ..)) => {
            Some(format!("SELECT /*+ MAX_EXECUTION_TIME({LIMIT_MS}) */"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn only_a_server_that_can_limit_a_query_is_asked_to_search_a_table() {
        for (version, expected) in [
            ("10.11.19-MariaDB", Some("SET STATEMENT max_statement_time = 0.15 FOR SELECT")),
            ("11.4.2-MariaDB", Some("SET STATEMENT max_statement_time = 0.15 FOR SELECT")),
            ("10.0.38-MariaDB", None),
            ("5.7.44", Some("SELECT /*+ MAX_EXECUTION_TIME(150) */")),
            ("9.1.0", Some("SELECT /*+ MAX_EXECUTION_TIME(150) */")),
            ("5.6.51", None),
        ] {
            let version = ServerVersion::parse(version).unwrap();
            assert_eq!(limited_select(&version).as_deref(), expected, "{version}");
        }
    }
}
