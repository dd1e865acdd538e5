//! The first look at a table: its watermark columns and its number of rows, before it is read.

use crate::error::TableError;
use handoff_connect::{Fault, MyConn, MyPool, SessionProfile, quote_my};
use handoff_model::{CancelToken, RowFilter, Watermark, WatermarkWindow};
use handoff_plan::{SourceClock, TablePlan, WatermarkColumn, WatermarkKind, Window, moment};
use handoff_rows::where_clause;
use handoff_schema::TableSchema;
use handoff_session::LOCAL_TIME;
use jiff::SignedDuration;
use mysql::{Row, Value};

/// The source's answer before the rows of a table are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Rows in all.
    pub(crate) rows: u64,
    /// Rows that are to be moved; unknown where all are, and where counting them would keep writers
    /// waiting.
    pub(crate) changed: Option<u64>,
    /// The next watermark of each column that has one: all moved rows are below it, and later ones are not.
    pub(crate) next: Vec<(WatermarkColumn, Watermark)>,
}

impl Probe {
    /// Returns the rows that were written since the probe, as far as their columns tell.
    pub(crate) fn later(&self) -> Option<RowFilter> {
        let bounds = self.next.iter().map(|(column, from)| WatermarkWindow {
            column: column.name.clone(),
            from: from.clone(),
            below: None,
        });
        let bounds: Vec<WatermarkWindow> = bounds.collect();
        (!bounds.is_empty()).then_some(RowFilter::Changed { bounds, nulls: Vec::new() })
    }
}

/// Asks a database about its tables.
pub(crate) struct SourceProbe<'a> {
    pub(crate) pool: &'a MyPool,
    pub(crate) cancel: &'a CancelToken,
}

impl SourceProbe<'_> {
    /// Asks, in one statement, for the clock, the watermarks and the number of rows.
    pub(crate) fn probe(&self, plan: &TablePlan, filter: &RowFilter) -> Result<Probe, TableError> {
        let (table, window) = (&plan.schema, plan.window.as_deref());
        let window = window.unwrap_or(&NO_WINDOW);
        let name = quote_my(table.name.as_str());
        let mut asked = vec![
            "CAST(UTC_TIMESTAMP() AS CHAR)".to_owned(),
            format!("CAST({LOCAL_TIME} AS CHAR)"),
            format!("(SELECT COUNT(*) FROM {name})"),
        ];
        let mut params = Vec::new();
        if *filter == RowFilter::All || !is_quick(window, table) {
            asked.push("NULL".to_owned());
        } else {
            let (clause, values) = clause(filter, table)?;
            asked.push(format!("(SELECT COUNT(*) FROM {name}{clause})"));
            params = values;
        }
        asked.extend(window.columns.iter().map(|column| highest(&name, column)));
        let row: Option<Row> = self.ask(&format!("SELECT {}", asked.join(", ")), params)?;
        let answers = row.map(Row::unwrap).unwrap_or_default();
        parse(window, answers).ok_or_else(|| {
            TableError::Probe(Fault::new(self.pool.side(), "the server does not tell the time"))
        })
    }

    /// Returns true if the table has a row.
    pub(crate) fn has_rows(&self, table: &TableSchema) -> Result<bool, TableError> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", quote_my(table.name.as_str()));
        Ok(self.ask_plainly::<bool>(&sql)?.unwrap_or(true))
    }

    /// Counts the rows of a filter.
    pub(crate) fn count(&self, table: &TableSchema, filter: &RowFilter) -> Result<u64, TableError> {
        let (clause, params) = clause(filter, table)?;
        let sql = format!("SELECT COUNT(*) FROM {}{clause}", quote_my(table.name.as_str()));
        Ok(self.ask::<u64>(&sql, params)?.unwrap_or_default())
    }

    /// Returns the value of `column` behind which the next slice of at most `rows` rows of a window
    /// begins; a slice never ends between equal values, so that it may have more. [`None`] if
    /// the rest of the window is one slice.
    pub(crate) fn boundary(
        &self,
        table: &TableSchema,
        column: &WatermarkColumn,
        window: &WatermarkWindow,
        rows: u64,
    ) -> Result<Option<Watermark>, TableError> {
        let (name, column_name) = (quote_my(table.name.as_str()), quote_my(column.name.as_str()));
        let filter = RowFilter::Changed { bounds: vec![window.clone()], nulls: Vec::new() };
        let (clause, mut params) = clause(&filter, table)?;
        let last = format!("{name}{clause} ORDER BY {column_name} LIMIT 1 OFFSET ?");
        params.push(Value::UInt(rows));
        let sql = format!("SELECT CAST({column_name} AS CHAR) FROM {last}");
        let Some(text) = self.ask::<String>(&sql, params.clone())? else { return Ok(None) };
        let Some(found) = watermark(column.kind, &text) else { return Ok(None) };
        if found != window.from {
            return Ok(Some(found));
        }
        // As many rows as a slice may have, and more, begin with one value: they are one slice.
        let sql = format!(
            "SELECT CAST(MIN({column_name}) AS CHAR) FROM {name}{clause} \
             AND {column_name} > (SELECT {column_name} FROM {last})"
        );
        let outer = params[..params.len() - 1].to_vec();
        let next = self.ask::<Option<String>>(&sql, [outer, params].concat())?.flatten();
        Ok(next.and_then(|text| watermark(column.kind, &text)))
    }

    /// Asks without preparing a statement, which would be a second one.
    fn ask_plainly<T: mysql::prelude::FromRow>(&self, sql: &str) -> Result<Option<T>, TableError> {
        let mut conn: MyConn = self.pool.get(SessionProfile::Read).map_err(TableError::Probe)?;
        let guard = self.pool.cancel_guard(&conn, self.cancel);
        let answer = conn.query_first(sql);
        drop(guard);
        answer.map_err(|error| TableError::Probe(conn.fault(&error)))
    }

    fn ask<T: mysql::prelude::FromRow>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Option<T>, TableError> {
        let mut conn: MyConn = self.pool.get(SessionProfile::Read).map_err(TableError::Probe)?;
        let guard = self.pool.cancel_guard(&conn, self.cancel);
        let answer = conn.exec_first(sql, params);
        drop(guard);
        answer.map_err(|error| TableError::Probe(conn.fault(&error)))
    }
}

/// Returns true if the rows of a window can be counted without a scan that keeps writers waiting.
fn is_quick(window: &Window, table: &TableSchema) -> bool {
    let lookback = window.lookback.iter().flat_map(|(_, columns)| columns);
    table.engine.is_transactional()
        || table.rows < ROWS_OF_A_SCAN
        || window.columns.iter().chain(lookback).all(|column| column.indexed)
}

fn clause(filter: &RowFilter, table: &TableSchema) -> Result<(String, Vec<Value>), TableError> {
    where_clause(filter, table).map_err(TableError::Filter)
}

/// Spells the highest value of a column that is not in the future. A TIMESTAMP is told by the clock
/// alone: it is the server's own.
fn highest(table: &str, column: &WatermarkColumn) -> String {
    let name = quote_my(column.name.as_str());
    let until = match column.kind {
        WatermarkKind::Timestamp => return "NULL".to_owned(),
        WatermarkKind::Integer | WatermarkKind::Decimal => String::new(),
        WatermarkKind::Date => format!(" WHERE {name} <= DATE({LOCAL_TIME})"),
        WatermarkKind::DateTime => format!(" WHERE {name} <= {LOCAL_TIME}"),
    };
    format!("(SELECT CAST(MAX({name}) AS CHAR) FROM {table}{until})")
}

fn parse(window: &Window, answers: Vec<Value>) -> Option<Probe> {
    let mut texts = answers.into_iter().map(text);
    let (utc, local) = (texts.next()??, texts.next()??);
    let clock = SourceClock::parse(&utc, &local)?;
    let rows = texts.next()??.parse().ok()?;
    let changed = texts.next()?.and_then(|text| text.parse().ok());
    let mut next = Vec::new();
    for column in &window.columns {
        let highest = texts.next()?;
        let mark = next_mark(column.kind, &clock, highest.as_deref());
        next.extend(mark.map(|watermark| (column.clone(), watermark)));
    }
    Some(Probe { rows, changed, next })
}

/// A count comes as a number, all else as a text.
fn text(value: Value) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        other => mysql::from_value_opt::<Option<String>>(other).ok().flatten(),
    }
}

/// Returns the next watermark of a column: its highest value that is not in the future, since who
/// wrote it may live in another zone than the server; of a TIMESTAMP the clock.
fn next_mark(kind: WatermarkKind, clock: &SourceClock, highest: Option<&str>) -> Option<Watermark> {
    let now = kind.now(clock);
    if kind == WatermarkKind::Timestamp {
        return kind.at(now);
    }
    let highest = highest.and_then(|text| watermark(kind, text));
    // Nothing is there yet. What comes may be written with any zone's clock.
    highest.or_else(|| kind.at(now.checked_sub(A_DAY).ok()?))
}

/// Rows of a table without transactions that are scanned in one statement, which locks its writers
/// out: about 200 ms.
const ROWS_OF_A_SCAN: u64 = 100_000;

/// The window of a table that has no watermark column.
static NO_WINDOW: Window = Window { columns: Vec::new(), lookback: None };

/// As far as clocks of two zones are apart.
const A_DAY: SignedDuration = SignedDuration::from_hours(26);

/// Reads a value as a server prints it; [`None`] for a zero date.
fn watermark(kind: WatermarkKind, text: &str) -> Option<Watermark> {
    let time = || moment(text).map(|_| text.to_owned());
    Some(match kind {
        WatermarkKind::Integer => Watermark::Integer(text.parse().ok()?),
        WatermarkKind::Decimal => Watermark::Decimal(text.to_owned()),
        WatermarkKind::Date => Watermark::Date(time()?),
        WatermarkKind::DateTime => Watermark::DateTime(time()?),
        WatermarkKind::Timestamp => Watermark::Timestamp(time()?),
    })
}
