//! Sums that both MySQL sides compute themselves, so that equal rows need not travel.

use crate::error::Result;
use crate::image::row_hash;
use crate::meter::{ComparisonMeter, MeterPart};
use crate::mysql_side::MySqlSide;
use crate::range_sums::RangeSums;
use handoff_connect::{MyConn, Profile};
use handoff_model::{Cancel, KeyRange, RowFilter, TableSum};
use handoff_rows::{ReadSpec, RowReader, force_key_index, where_clause};
use mysql::prelude::Queryable;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time that a server may sum one range: below the 200 ms for which writers of a table without
/// transactions may be locked out, since the next range may have longer rows.
const TARGET: Duration = Duration::from_millis(100);
/// Rows of the first range.
const FIRST_ROWS: u64 = 5_000;
/// The most rows of a range.
const MOST_ROWS: u64 = 50_000;
/// A range that differs is cut into pieces of so many rows.
const PIECE_ROWS: u64 = 1_000;
/// Ranges that the source may be ahead of the replica.
const AHEAD: usize = 4;

impl MySqlSide<'_> {
    /// Sums a range; [`None`] if a row of it is too long for the server to hash.
    pub(crate) fn sum(
        &self,
        conn: &mut MyConn,
        range: &KeyRange,
        cancel: &Cancel,
    ) -> Result<Option<TableSum>> {
        let filter = RowFilter::Range(range.clone());
        let (clause, params) = where_clause(&filter, self.table)?;
        let half = |from| {
            format!("CAST(SUM(CAST(CONV(SUBSTRING(h, {from}, 16), 16, 10) AS UNSIGNED)) AS CHAR)")
        };
        // The LIMIT keeps the server from merging the inner statement, and so from hashing twice.
        let sql = format!(
            "SELECT COUNT(*), COUNT(h), {}, {} FROM (SELECT {} AS h FROM {}{}{clause} LIMIT {}) AS r",
            half(1),
            half(17),
            row_hash(self.table, self.pool.version().flavor),
            handoff_connect::quote_my(self.table.name.as_str()),
            force_key_index(self.table).unwrap_or_default(),
            u64::MAX,
        );
        let guard = self.pool.cancel_guard(conn, cancel);
        let answer =
            conn.exec_first::<(u64, u64, Option<String>, Option<String>), _, _>(sql, params);
        drop(guard);
        let answer = answer.map_err(|error| self.failed(conn.fault(&error), Some(cancel)))?;
        let (rows, hashed, high, low) = answer.unwrap_or_default();
        if let Some(throttle) = self.throttle {
            throttle.take(rows, cancel)?;
        }
        let number =
            |sum: Option<String>| sum.and_then(|sum| sum.parse::<u128>().ok()).unwrap_or(0);
        // Each half has its own 64 bits, and what a sum of many has beyond them.
        let hash = (number(high) << 64).wrapping_add(number(low));
        Ok((rows == hashed).then_some(TableSum { rows, hash }))
    }

    fn end_of(
        &self,
        conn: &mut MyConn,
        range: &KeyRange,
        rows: u64,
        cancel: &Cancel,
    ) -> Result<Option<KeyRange>> {
        let (select, filter) = (Vec::new(), RowFilter::All);
        let (table, locking) = (self.table, self.locking);
        let spec = ReadSpec { table, select: &select, filter: &filter, locking, cancel };
        let upto = RowReader::new(spec).end_of(conn, range, rows)?;
        Ok(upto.map(|upto| KeyRange { after: range.after.clone(), upto: Some(upto) }))
    }

    /// Returns the first rows of the table as a range, if it has more.
    pub(crate) fn first(&self, rows: u64, cancel: &Cancel) -> Result<Option<KeyRange>> {
        self.end_of(&mut self.connect(Profile::RawRead)?, &KeyRange::ALL, rows, cancel)
    }

    /// Measures the time that the server takes to sum a range.
    pub(crate) fn timed_sum(&self, range: &KeyRange, cancel: &Cancel) -> Result<Duration> {
        let mut conn = self.connect(Profile::RawRead)?;
        let started = Instant::now();
        self.sum(&mut conn, range, cancel)?;
        Ok(started.elapsed())
    }
}

/// Finds the ranges whose rows are not the same on both sides.
pub(crate) fn compare(
    sides: [MySqlSide<'_>; 2],
    cancel: &Cancel,
    meter: &ComparisonMeter<'_>,
) -> Result<RangeSums> {
    let whole = walk(sides, &[KeyRange::ALL], (FIRST_ROWS, MOST_ROWS), cancel, meter)?;
    let cut = walk(sides, &whole.unequal, (PIECE_ROWS, PIECE_ROWS), cancel, meter)?;
    Ok(RangeSums { unequal: joined(cut.unequal), sums: whole.sums })
}

/// A range with the source's sum.
type Said = (KeyRange, Option<TableSum>);

/// Cuts each of `ranges` into pieces of so many rows, and at most so many, and compares these; the
/// source goes ahead.
fn walk(
    sides: [MySqlSide<'_>; 2],
    ranges: &[KeyRange],
    rows: (u64, u64),
    cancel: &Cancel,
    meter: &ComparisonMeter<'_>,
) -> Result<RangeSums> {
    let stop = Cancel::new();
    let stopper = stop.clone();
    let _hook = cancel.on_cancel(move || stopper.cancel());
    let (said, heard) = sync_channel(AHEAD);
    let (ahead, behind) = thread::scope(|scope| {
        let stop = &stop;
        let ahead = scope.spawn(move || {
            let done = cut(sides[0], ranges, rows, (&said, meter.part()), stop);
            done.inspect_err(|_| stop.cancel())
        });
        let behind = check(sides[1], &heard, meter.part(), stop).inspect_err(|_| stop.cancel());
        drop(heard);
        (ahead.join().unwrap_or_else(|panic| resume_unwind(panic)), behind)
    });
    match (ahead, behind) {
        (Ok(first), Ok((unequal, second))) => Ok(RangeSums { unequal, sums: [first, second] }),
        // The one that was stopped is not the cause.
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(one), Err(other)) => Err(if one.is_cancelled() { other } else { one }),
    }
}

/// Cuts ranges in the source and sums the pieces, as fast as the other side follows.
fn cut(
    side: MySqlSide<'_>,
    ranges: &[KeyRange],
    (mut rows, most): (u64, u64),
    (said, mut part): (&SyncSender<Said>, MeterPart<'_>),
    cancel: &Cancel,
) -> Result<TableSum> {
    let mut conn = side.connect(Profile::RawRead)?;
    let mut whole = TableSum::default();
    for range in ranges {
        let mut rest = range.clone();
        loop {
            cancel.check()?;
            let piece = side.end_of(&mut conn, &rest, rows, cancel)?;
            let is_last = piece.is_none();
            let piece = piece.unwrap_or_else(|| rest.clone());
            let started = Instant::now();
            let sum = side.sum(&mut conn, &piece, cancel)?;
            rows = paced(rows, started.elapsed()).min(most);
            if let Some(sum) = sum {
                part.rows(sum.rows);
                whole += sum;
            }
            rest.after.clone_from(&piece.upto);
            if said.send((piece, sum)).is_err() || is_last {
                break;
            }
        }
    }
    Ok(whole)
}

/// Sums the same pieces, and returns those whose sums are others.
fn check(
    side: MySqlSide<'_>,
    heard: &Receiver<Said>,
    mut part: MeterPart<'_>,
    cancel: &Cancel,
) -> Result<(Vec<KeyRange>, TableSum)> {
    let mut conn = side.connect(Profile::RawRead)?;
    let (mut unequal, mut whole) = (Vec::new(), TableSum::default());
    while let Ok((piece, said)) = heard.recv() {
        let sum = side.sum(&mut conn, &piece, cancel)?;
        if let Some(sum) = sum {
            part.rows(sum.rows);
            whole += sum;
        }
        if sum.is_none() || sum != said {
            unequal.push(piece);
        }
    }
    Ok((unequal, whole))
}

fn paced(rows: u64, took: Duration) -> u64 {
    let fits = u128::from(rows) * TARGET.as_micros() / took.as_micros().max(1);
    u64::try_from(fits).unwrap_or(u64::MAX).clamp(1, rows.saturating_mul(4))
}

/// Joins ranges that follow each other.
fn joined(ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    let mut joined: Vec<KeyRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.upto.is_some() && last.upto == range.after => last.upto = range.upto,
            _ => joined.push(range),
        }
    }
    joined
}
