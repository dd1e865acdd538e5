//! The rows of a table that may have changed since a watermark: pure, and the same for both hops.

use crate::clock::SourceClock;
use handoff_model::{ColumnName, RowFilter, Watermark, WatermarkWindow};
use handoff_schema::{ColumnSchema, MySqlType, TableSchema};
use handoff_settings::{Lookback, TableSettings};
use handoff_tracking::WatermarkAt;
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Span};

/// The longest time after its stamp at which a TIMESTAMP row may be committed and still be found.
const TIMESTAMP_OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// The same for a DATETIME, in which the hour that summer time ends with comes twice.
const DATETIME_OVERLAP: SignedDuration = SignedDuration::from_mins(65);
/// The most numbers that may be taken before a row with a higher one is committed.
const INTEGER_OVERLAP: i128 = 1_000;

/// The quantity that a watermark column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatermarkKind {
    /// Numbers, which find new rows only.
    Integer,
    /// The same with a point.
    Decimal,
    /// Days.
    Date,
    /// Times in no zone.
    DateTime,
    /// Times in UTC.
    Timestamp,
}

/// A column whose value grows whenever a row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkColumn {
    /// The column.
    pub name: ColumnName,
    /// The quantity that it counts.
    pub kind: WatermarkKind,
    /// True if it may be NULL, where no window finds it.
    pub nullable: bool,
    /// True if an index begins with it.
    pub indexed: bool,
}

/// The way in which the changed rows of a table are found. Made of settings and schema alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The watermark columns, combined with OR.
    pub columns: Vec<WatermarkColumn>,
    /// Columns of dates that are young enough for a row to be moved again, and how young in days.
    pub lookback: Option<(u32, Vec<WatermarkColumn>)>,
}

/// The reason why the changed rows of a table cannot be found, with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoWindow {
    /// A column that is not there.
    #[error("{key} names `{column}`, which the table has not{}", usable(.near))]
    Unknown {
        /// The key of the settings.
        key: &'static str,
        /// The column.
        column: ColumnName,
        /// The columns that would do.
        near: Vec<ColumnName>,
    },
    /// A column of a type that tells nothing.
    #[error(
        "{key} names `{column}`, which is {column_type} and does not grow with time{}",
        usable(.near)
    )]
    Type {
        /// The key of the settings.
        key: &'static str,
        /// The column.
        column: ColumnName,
        /// Its type.
        column_type: String,
        /// The columns that would do.
        near: Vec<ColumnName>,
    },
    /// A table without a key.
    #[error(
        "it has no key by which changed rows could replace the old ones; write extraction = \
         \"full_table\""
    )]
    NoKey,
}

fn usable(columns: &[ColumnName]) -> String {
    if columns.is_empty() {
        return "; no column of it would do: write extraction = \"full_table\"".to_owned();
    }
    let names: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
    format!("; columns that would do: {}", names.join(", "))
}

impl WatermarkKind {
    /// Returns what a column of this type counts, if it can be a watermark.
    pub fn of(kind: &MySqlType) -> Option<WatermarkKind> {
        use MySqlType as M;
        Some(match kind {
            M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) => {
                WatermarkKind::Integer
            }
            M::Decimal { .. } => WatermarkKind::Decimal,
            M::Date => WatermarkKind::Date,
            M::DateTime(_) => WatermarkKind::DateTime,
            M::Timestamp(_) => WatermarkKind::Timestamp,
            _ => return None,
        })
    }

    /// Returns the time that a column of this kind is written with.
    pub fn now(self, clock: &SourceClock) -> DateTime {
        if self == WatermarkKind::Timestamp { clock.utc } else { clock.local }
    }

    /// Returns true if the column tells a time, so that it finds changed rows as well as new ones.
    pub fn is_time(self) -> bool {
        matches!(self, WatermarkKind::Date | WatermarkKind::DateTime | WatermarkKind::Timestamp)
    }

    /// Makes a watermark of a moment of this kind; [`None`] for numbers.
    pub fn at(self, moment: DateTime) -> Option<Watermark> {
        Some(match self {
            WatermarkKind::Date => Watermark::Date(moment.strftime("%Y-%m-%d").to_string()),
            WatermarkKind::DateTime => Watermark::DateTime(seconds(moment)),
            // A server refuses to compare with times that are no TIMESTAMP.
            WatermarkKind::Timestamp => {
                Watermark::Timestamp(seconds(moment.max(first_timestamp())))
            }
            WatermarkKind::Integer | WatermarkKind::Decimal => return None,
        })
    }

    /// Returns true if the watermark is of this kind.
    pub fn fits(self, watermark: &Watermark) -> bool {
        matches!(
            (self, watermark),
            (WatermarkKind::Integer, Watermark::Integer(_))
                | (WatermarkKind::Decimal, Watermark::Decimal(_))
                | (WatermarkKind::Date, Watermark::Date(_))
                | (WatermarkKind::DateTime, Watermark::DateTime(_))
                | (WatermarkKind::Timestamp, Watermark::Timestamp(_))
        )
    }

    /// Returns the watermark by `overlap` before the moment of `text`.
    fn before(self, text: &str, overlap: SignedDuration) -> Option<Watermark> {
        self.at(moment(text)?.checked_sub(overlap).unwrap_or(DateTime::MIN))
    }

    /// Returns where the window begins: the watermark less the overlap. Its end is open: whatever
    /// is there when the rows are read is moved, and what is above the next watermark once more.
    fn from(self, watermark: &Watermark) -> Option<Watermark> {
        match watermark {
            Watermark::Integer(number) if *number >= 0 => {
                Some(Watermark::Integer((number - INTEGER_OVERLAP).max(0)))
            }
            Watermark::Integer(number) => {
                Some(Watermark::Integer(number.saturating_sub(INTEGER_OVERLAP)))
            }
            Watermark::Decimal(_) => Some(watermark.clone()),
            Watermark::Date(text) => self.before(text, SignedDuration::from_hours(24)),
            Watermark::DateTime(text) => self.before(text, DATETIME_OVERLAP),
            Watermark::Timestamp(text) => self.before(text, TIMESTAMP_OVERLAP),
        }
    }
}

fn seconds(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn first_timestamp() -> DateTime {
    DateTime::constant(1970, 1, 2, 0, 0, 0, 0)
}

/// Reads a date with or without a time; [`None`] for zero dates and impossible days.
pub fn moment(text: &str) -> Option<DateTime> {
    text.parse().ok().or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(Default::default())))
}

impl Window {
    /// Resolves what the settings say of a table.
    ///
    /// # Errors
    ///
    /// Returns [`NoWindow`] if a column is missing or of a type that tells nothing, or if the table has
    /// no key.
    pub fn of(schema: &TableSchema, settings: &TableSettings) -> Result<Window, NoWindow> {
        let named = settings.watermark.iter();
        let columns = named
            .map(|name| column(schema, "watermark", name, |_| true))
            .collect::<Result<_, _>>()?;
        let lookback =
            settings.lookback.as_ref().map(|lookback| young(schema, lookback)).transpose()?;
        if schema.key().is_none() {
            return Err(NoWindow::NoKey);
        }
        Ok(Window { columns, lookback })
    }

    /// Returns the rows that may have changed since `since`, with those that are young enough; the
    /// last good run began `elapsed` ago. [`None`] if a watermark of `since` is missing or of another
    /// kind.
    pub fn filter(
        &self,
        since: &[WatermarkAt],
        clock: &SourceClock,
        elapsed: SignedDuration,
    ) -> Option<RowFilter> {
        let mut bounds = Vec::new();
        for column in &self.columns {
            let from = column.kind.from(&column.mark(since)?.watermark)?;
            bounds.push(WatermarkWindow { column: column.name.clone(), from, below: None });
        }
        if let Some((days, columns)) = &self.lookback {
            bounds.extend(columns.iter().filter_map(|column| column.young(*days, clock, elapsed)));
        }
        Some(RowFilter::Changed { bounds, nulls: self.nulls() })
    }

    /// The columns that are NULL in a row which no watermark finds; none if one of them is never
    /// NULL.
    fn nulls(&self) -> Vec<ColumnName> {
        if self.columns.iter().all(|column| column.nullable) {
            self.columns.iter().map(|column| column.name.clone()).collect()
        } else {
            Vec::new()
        }
    }

    /// Says what a person should know of the columns, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for column in &self.columns {
            let name = &column.name;
            if !column.kind.is_time() {
                notes.push(format!(
                    "`{name}` is a number: new rows are found by it, changed ones are not; name a \
                     time that every change moves, or use extraction = \"full_table\""
                ));
            }
            if !column.indexed {
                notes.push(format!(
                    "no index begins with `{name}`: the source reads the whole table to find the \
                     changed rows"
                ));
            }
        }
        if !self.nulls().is_empty() {
            let names: Vec<String> = self.nulls().iter().map(|name| format!("`{name}`")).collect();
            notes.push(format!(
                "rows in which {} is NULL are moved every time, since it cannot tell whether they \
                 changed",
                names.join(" and ")
            ));
        }
        notes
    }
}

impl WatermarkColumn {
    /// Finds the column's own among several watermarks, if it can be read.
    pub fn mark<'a>(&self, marks: &'a [WatermarkAt]) -> Option<&'a WatermarkAt> {
        let mut own = marks.iter().filter(|mark| mark.column == self.name);
        own.find(|mark| {
            self.kind.fits(&mark.watermark) && self.kind.from(&mark.watermark).is_some()
        })
    }

    /// Bounds the column by an age. A row may have changed until the last good run although it is
    /// too old for this one.
    fn young(
        &self,
        days: u32,
        clock: &SourceClock,
        elapsed: SignedDuration,
    ) -> Option<WatermarkWindow> {
        let now = self.kind.now(clock);
        let last = now.checked_sub(elapsed.max(SignedDuration::ZERO)).ok()?;
        let days = Span::new().try_days(i64::from(days)).ok()?;
        let oldest = last.date().checked_sub(days).ok()?;
        let from = self.kind.at(oldest.to_datetime(Default::default()))?;
        Some(WatermarkWindow { column: self.name.clone(), from, below: None })
    }
}

fn young(
    schema: &TableSchema,
    lookback: &Lookback,
) -> Result<(u32, Vec<WatermarkColumn>), NoWindow> {
    let named = lookback.columns.iter();
    let columns = named.map(|name| column(schema, "lookback", name, WatermarkKind::is_time));
    Ok((lookback.days, columns.collect::<Result<_, _>>()?))
}

/// Returns the columns that tell a time.
fn times(schema: &TableSchema) -> Vec<ColumnName> {
    let columns = schema.columns.iter();
    columns.filter(|column| is_time(column)).map(|column| column.name.clone()).collect()
}

fn is_time(column: &ColumnSchema) -> bool {
    WatermarkKind::of(&column.kind).is_some_and(WatermarkKind::is_time)
}

fn column(
    schema: &TableSchema,
    key: &'static str,
    name: &ColumnName,
    takes: impl Fn(WatermarkKind) -> bool,
) -> Result<WatermarkColumn, NoWindow> {
    let found = schema.column(name.as_str()).ok_or_else(|| NoWindow::Unknown {
        key,
        column: name.clone(),
        near: times(schema),
    })?;
    let Some(kind) = WatermarkKind::of(&found.kind).filter(|kind| takes(*kind)) else {
        let (column, column_type) = (name.clone(), found.column_type.clone());
        return Err(NoWindow::Type { key, column, column_type, near: times(schema) });
    };
    let position = schema.columns.iter().position(|column| column.name == found.name);
    let indexed = schema.indexes.iter().any(|index| {
        index.parts.first().is_some_and(|part| part.column == position && part.prefix.is_none())
    });
    Ok(WatermarkColumn { name: found.name.clone(), kind, nullable: found.nullable, indexed })
}

#[cfg(test)]
mod tests;
