//! Reading in ranges of the key.

use super::condition::{Condition, Side};
use super::fetch::{End, Fetch, Flow};
use super::key::Key;
use super::pace::{Lap, Pace};
use super::timed::Timed;
use super::{ReadSpec, Reader, RowSink};
use crate::{Error, Result};
use handoff_connect::{MyConn, ValueRef, quote_my};
use handoff_model::RowFilter;
use mysql::Value;

/// Reads a table range by range, each drained before the sink may write.
///
/// A range ends by LIMIT, where the filter lets every row pass that is looked at. Where it lets few
/// pass, a LIMIT bounds what is found and not what is searched, so the end of the range is looked
/// up in the index first.
pub(super) struct Pages<'a> {
    reader: &'a Reader<'a>,
    spec: &'a ReadSpec<'a>,
    key: &'a Key,
    filter: &'a Condition,
    from: String,
    order: String,
}

/// Where a range is to end.
pub(super) enum Until {
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

impl<'a> Pages<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, key: &'a Key, filter: &'a Condition) -> Pages<'a> {
        let spec = &reader.spec;
        let from = format!(" FROM {}{}", quote_my(spec.table.name.as_str()), key.force_index());
        let order = key.order_by();
        Pages { reader, spec, key, filter, from, order }
    }

    pub(super) fn read<S: RowSink>(
        &self,
        conn: &mut MyConn,
        sink: &mut Timed<'_, S>,
    ) -> Result<u64, S::Error> {
        let mut fetch = Fetch::new(conn, self.spec.cancel);
        let mut pace = Pace::new(self.spec.table, self.reader.room);
        let mut total = 0;
        let mut after: Option<Vec<Value>> = None;
        loop {
            let until = self.until::<S>(&mut fetch, after.as_deref(), &pace, total)?;
            let (sql, params) = self.statement(after.as_deref(), &until);
            let mut last = Vec::new();
            let mut lap = Lap::begin(self.reader.room);
            let width = self.spec.select.len();
            let limit = if let Until::Rows(limit) = until { limit } else { u64::MAX };
            let end = fetch.run(&sql, params, |row| {
                let (row, key) = row.split_at(width);
                sink.row(row)?;
                total += 1;
                let is_over = lap.is_over(sink.buffered());
                if is_over || lap.rows() == limit {
                    last = owned(key);
                }
                Ok::<_, S::Error>(if is_over { Flow::Enough } else { Flow::On })
            });
            let end = end.map_err(|stop| stop.into_error(self.spec, total))?;
            let looked_at = if let Until::Key(_) = until { pace.rows() } else { lap.rows() };
            pace.learn(looked_at, lap.elapsed(), sink.buffered());
            if sink.buffered() >= sink.threshold() {
                sink.flush()?;
            }
            self.reader.pay(lap.rows(), sink)?;
            let place = match (end, until) {
                (End::Ended, _) => self.place(last)?,
                (End::Whole, Until::Rows(limit)) if lap.rows() == limit => self.place(last)?,
                (End::Whole, Until::Key(place)) => place,
                (End::Whole, _) => return Ok(total),
            };
            if after.as_ref() == Some(&place) {
                return Err(self.refuse("the server does not go on behind a key").into());
            }
            after = Some(place);
        }
    }

    /// Returns where a range ended.
    pub(super) fn place(&self, key: Vec<Value>) -> Result<Vec<Value>> {
        self.key.place(key).map_err(|column| {
            self.refuse(&format!(
                "its key `{column}` holds a text that is not valid in its character set, \
                 so that it cannot be read in ranges"
            ))
        })
    }

    fn refuse(&self, problem: &str) -> Error {
        Error::Filter { table: self.spec.table.name.clone(), problem: problem.to_owned() }
    }

    /// Decides where the next range ends.
    fn until<S: RowSink>(
        &self,
        fetch: &mut Fetch<'_>,
        after: Option<&[Value]>,
        pace: &Pace,
        total: u64,
    ) -> Result<Until, S::Error> {
        let selective = matches!(self.spec.filter, RowFilter::Changed { .. });
        if !selective {
            return Ok(Until::Rows(pace.rows()));
        }
        if after.is_none() && self.spec.table.rows <= pace.rows() {
            return Ok(Until::End);
        }
        let after = after.map(|after| Condition::of_key(self.key, Side::After, after));
        let after = after.unwrap_or_default();
        let sql = format!(
            "SELECT {}{}{}{} LIMIT 1 OFFSET ?",
            self.key.select_list(),
            self.from,
            after.where_clause(),
            self.order
        );
        let mut params = after.params;
        params.push(Value::UInt(pace.rows() - 1));
        let mut bound = None;
        let found = fetch.run(&sql, params, |row| {
            bound = Some(owned(row));
            Ok::<_, S::Error>(Flow::On)
        });
        found.map_err(|stop| stop.into_error(self.spec, total))?;
        Ok(match bound {
            Some(key) => Until::Key(self.place(key)?),
            None => Until::End,
        })
    }

    pub(super) fn statement(&self, after: Option<&[Value]>, until: &Until) -> (String, Vec<Value>) {
        let mut condition = self.filter.clone();
        if let Some(after) = after {
            condition = condition.and(Condition::of_key(self.key, Side::After, after));
        }
        if let Until::Key(key) = until {
            condition = condition.and(Condition::of_key(self.key, Side::UpTo, key));
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
        if let Until::Rows(limit) = until {
            sql.push_str(" LIMIT ?");
            params.push(Value::UInt(*limit));
        }
        (sql, params)
    }
}
