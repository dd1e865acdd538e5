//! Reading in ranges of the key.

use super::condition::{KeySide, SqlCondition};
use super::fetch::{FetchEnd, FetchFlow, RowFetch};
use super::key::TableKey;
use super::pace::{RangeLap, RangePace};
use super::row_reader::RowReader;
use super::spec::{ReadSpec, RowSink};
use super::timed::TimedSink;
use crate::error::{Error, Result};
use handoff_connect::{MyConn, ValueRef, quote_my};
use handoff_model::RowFilter;
use mysql::Value;

/// Reads a table range by range, each drained before the sink may write.
///
/// A range ends by LIMIT, where the filter lets every row pass that is looked at. Where it lets few
/// pass, a LIMIT bounds what is found and not what is searched, so the end of the range is looked
/// up in the index first.
pub(super) struct RangePages<'a> {
    reader: &'a RowReader<'a>,
    spec: &'a ReadSpec<'a>,
    key: &'a TableKey,
    filter: &'a SqlCondition,
    from: String,
    order: String,
}

/// The end of a range.
pub(super) enum RangeEnd {
    /// After so many rows.
    Rows(u64),
    /// At this key.
    Key(Vec<Value>),
    /// At the end of the table.
    End,
}

/// Keeps values beyond their row.
pub(super) fn owned(values: &[ValueRef<'_>]) -> Vec<Value> {
    values.iter().map(|&value| value.into()).collect()
}

impl<'a> RangePages<'a> {
    pub(super) fn new(
        reader: &'a RowReader<'a>,
        key: &'a TableKey,
        filter: &'a SqlCondition,
    ) -> RangePages<'a> {
        let spec = &reader.spec;
        let from = format!(" FROM {}{}", quote_my(spec.table.name.as_str()), key.force_index());
        let order = key.order_by();
        RangePages { reader, spec, key, filter, from, order }
    }

    pub(super) fn read<S: RowSink>(
        &self,
        conn: &mut MyConn,
        sink: &mut TimedSink<'_, S>,
    ) -> Result<u64, S::Error> {
        let mut fetch = RowFetch::new(conn, self.spec.cancel);
        let mut pace = RangePace::new(self.spec.table, self.reader.room);
        let mut total = 0;
        let mut after: Option<Vec<Value>> = None;
        loop {
            let until = self.until::<S>(&mut fetch, after.as_deref(), &pace, total)?;
            let (sql, params) = self.statement(after.as_deref(), &until);
            let mut last = Vec::new();
            let mut lap = RangeLap::begin(self.reader.room);
            let width = self.spec.select.len();
            let limit = if let RangeEnd::Rows(limit) = until { limit } else { u64::MAX };
            let done = fetch.run(&sql, &params, |row| {
                let (row, key) = row.split_at(width);
                sink.row(row)?;
                total += 1;
                let is_over = lap.is_over(sink.buffered());
                if is_over || lap.rows() == limit {
                    last = owned(key);
                }
                Ok::<_, S::Error>(if is_over { FetchFlow::Enough } else { FetchFlow::On })
            });
            let end = done.map_err(|stop| stop.into_error(self.spec, total))?;
            let looked_at = if let RangeEnd::Key(_) = until { pace.rows() } else { lap.rows() };
            pace.learn(looked_at, lap.elapsed(), sink.buffered());
            if sink.buffered() >= sink.threshold() {
                sink.flush()?;
            }
            self.reader.pay(lap.rows(), sink)?;
            let place = match (end, until) {
                (FetchEnd::Ended, _) => self.key_position(last)?,
                (FetchEnd::Whole, RangeEnd::Rows(limit)) if lap.rows() == limit => {
                    self.key_position(last)?
                }
                (FetchEnd::Whole, RangeEnd::Key(place)) => place,
                (FetchEnd::Whole, _) => return Ok(total),
            };
            if after.as_ref() == Some(&place) {
                return Err(self.refuse("the server does not go on behind a key").into());
            }
            after = Some(place);
        }
    }

    /// Returns the place in the key's order at which a range ended.
    pub(super) fn key_position(&self, key: Vec<Value>) -> Result<Vec<Value>> {
        self.key.key_position(key).map_err(|column| {
            self.refuse(&format!(
                "its key `{column}` holds a text that is not valid in its character set, \
                 so that it cannot be read in ranges"
            ))
        })
    }

    fn refuse(&self, problem: &str) -> Error {
        Error::Filter { table: self.spec.table.name.clone(), problem: problem.to_owned() }
    }

    /// Decides the end of the next range.
    fn until<S: RowSink>(
        &self,
        fetch: &mut RowFetch<'_>,
        after: Option<&[Value]>,
        pace: &RangePace,
        total: u64,
    ) -> Result<RangeEnd, S::Error> {
        let selective = matches!(self.spec.filter, RowFilter::Changed { .. });
        if !selective {
            return Ok(RangeEnd::Rows(pace.rows()));
        }
        if after.is_none() && self.spec.table.rows <= pace.rows() {
            return Ok(RangeEnd::End);
        }
        let behind = after
            .map(|after| SqlCondition::of_key(self.key, KeySide::After, after))
            .unwrap_or_default();
        let sql = format!(
            "SELECT {}{}{}{} LIMIT 1 OFFSET ?",
            self.key.select_list(),
            self.from,
            behind.where_clause(),
            self.order
        );
        let mut params = behind.params;
        params.push(Value::UInt(pace.rows() - 1));
        let mut bound = None;
        let found = fetch.run(&sql, &params, |row| {
            bound = Some(owned(row));
            Ok::<_, S::Error>(FetchFlow::On)
        });
        found.map_err(|stop| stop.into_error(self.spec, total))?;
        Ok(match bound {
            Some(key) => RangeEnd::Key(self.key_position(key)?),
            None => RangeEnd::End,
        })
    }

    pub(super) fn statement(
        &self,
        after: Option<&[Value]>,
        until: &RangeEnd,
    ) -> (String, Vec<Value>) {
        let mut condition = self.filter.clone();
        if let Some(after) = after {
            condition = condition.and(SqlCondition::of_key(self.key, KeySide::After, after));
        }
        if let RangeEnd::Key(key) = until {
            condition = condition.and(SqlCondition::of_key(self.key, KeySide::UpTo, key));
        }
        let mut sql = format!(
            "SELECT {}, {}{}{}{}",
            self.spec.select.join(", "),
            self.key.select_list(),
            self.from,
            condition.where_clause(),
            self.order
        );
        let mut params = condition.params;
        if let RangeEnd::Rows(limit) = until {
            sql.push_str(" LIMIT ?");
            params.push(Value::UInt(*limit));
        }
        (sql, params)
    }
}
