//! Sums that both MySQL sides compute themselves, so that equal rows need not travel.

use crate::error::Result;
use crate::image::row_hash;
use crate::meter::{ComparisonMeter, MeterPart};
use crate::mysql_side::MySqlSide;
use crate::range_sums::RangeSums;
use handoff_connect::{MyConn, SessionProfile, quote_my};
use handoff_model::{CancelToken, KeyRange, RowFilter, TableSum};
use handoff_rows::{ReadSpec, RowReader, force_key_index, where_clause};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time that a server may sum one range: below the 200 ms for which writers of a table without
/// transactions may be locked out, since the next range may have longer rows.
const TARGET: Duration = Duration::from_millis(100);
/// The pieces of a whole table.
const FIRST_PIECES: PieceSizes = PieceSizes { first: 5_000, most: 50_000 };
/// The pieces of a range that differs.
const SMALL_PIECES: PieceSizes = PieceSizes { first: 1_000, most: 1_000 };
/// Ranges that the source may be ahead of the replica.
const AHEAD: usize = 4;

impl MySqlSide<'_> {
    /// Sums a range; [`None`] if a row of it is too long for the server to hash.
    pub(crate) fn sum(
        &self,
        conn: &mut MyConn,
        range: &KeyRange,
        cancel: &CancelToken,
    ) -> Result<Option<TableSum>> {
        let filter = RowFilter::Range(range.clone());
        let (clause, params) = where_clause(&filter, self.table)?;
        // The LIMIT keeps the server from merging the inner statement, and so from hashing twice.
        let sql = format!(
            "SELECT COUNT(*), COUNT(h), {}, {} FROM (SELECT {} AS h FROM {}{}{clause} LIMIT {}) AS r",
            half_sum(1),
            half_sum(17),
            row_hash(self.table, self.pool.version().flavor),
            quote_my(self.table.name.as_str()),
            force_key_index(self.table).unwrap_or_default(),
            u64::MAX,
        );
        let guard = self.pool.cancel_guard(conn, cancel);
        let answer =
            conn.exec_first::<(u64, u64, Option<String>, Option<String>), _, _>(sql, params);
        drop(guard);
        let (rows, hashed, high, low) = answer
            .map_err(|error| self.failed(conn.fault(&error), Some(cancel)))?
            .unwrap_or_default();
        if let Some(throttle) = self.throttle {
            throttle.take(rows, cancel)?;
        }
        // Each half has its own 64 bits, and a sum of many has more beyond them.
        let hash = (number(high.as_deref()) << 64).wrapping_add(number(low.as_deref()));
        Ok((rows == hashed).then_some(TableSum { rows, hash }))
    }

    fn end_of(
        &self,
        conn: &mut MyConn,
        range: &KeyRange,
        rows: u64,
        cancel: &CancelToken,
    ) -> Result<Option<KeyRange>> {
        let (table, locking) = (self.table, self.locking);
        let spec = ReadSpec { table, select: &[], filter: &RowFilter::All, locking, cancel };
        let upto = RowReader::new(spec).end_of(conn, range, rows)?;
        Ok(upto.map(|upto| KeyRange { after: range.after.clone(), upto: Some(upto) }))
    }

    /// Returns the first rows of the table as a range, if it has more.
    pub(crate) fn first(&self, rows: u64, cancel: &CancelToken) -> Result<Option<KeyRange>> {
        self.end_of(&mut self.connect(SessionProfile::RawRead)?, &KeyRange::ALL, rows, cancel)
    }

    /// Measures the time that the server takes to sum a range.
    pub(crate) fn timed_sum(&self, range: &KeyRange, cancel: &CancelToken) -> Result<Duration> {
        let mut conn = self.connect(SessionProfile::RawRead)?;
        let started = Instant::now();
        self.sum(&mut conn, range, cancel)?;
        Ok(started.elapsed())
    }
}

/// Renders the sum of one half of the hashes `h`, sixteen hex digits of each.
fn half_sum(from: u8) -> String {
    format!("CAST(SUM(CAST(CONV(SUBSTRING(h, {from}, 16), 16, 10) AS UNSIGNED)) AS CHAR)")
}

fn number(digits: Option<&str>) -> u128 {
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Finds the ranges whose rows are not the same on both sides.
pub(crate) fn compare(
    sides: [MySqlSide<'_>; 2],
    cancel: &CancelToken,
    meter: &ComparisonMeter<'_>,
) -> Result<RangeSums> {
    let whole = walk(sides, &[KeyRange::ALL], FIRST_PIECES, cancel, meter)?;
    let fine = walk(sides, &whole.unequal, SMALL_PIECES, cancel, meter)?;
    Ok(RangeSums { unequal: joined(fine.unequal), sums: whole.sums })
}

/// The sizes of the pieces into which ranges are cut.
#[derive(Clone, Copy)]
struct PieceSizes {
    first: u64,
    most: u64,
}

/// A piece of a range with the source's sum; [`None`] if a row is too long to be hashed.
struct SourcePiece {
    range: KeyRange,
    sum: Option<TableSum>,
}

/// Cuts each of `ranges` into pieces and compares these; the source goes ahead.
fn walk(
    sides: [MySqlSide<'_>; 2],
    ranges: &[KeyRange],
    sizes: PieceSizes,
    cancel: &CancelToken,
    meter: &ComparisonMeter<'_>,
) -> Result<RangeSums> {
    let stop = &CancelToken::new();
    let stopper = stop.clone();
    let _hook = cancel.on_cancel(move || stopper.cancel());
    let (pieces, coming) = sync_channel(AHEAD);
    let (ahead, behind) = thread::scope(|scope| {
        let ahead = scope.spawn(move || {
            let done = cut(sides[0], ranges, sizes, &pieces, meter.part(), stop);
            done.inspect_err(|_| stop.cancel())
        });
        let behind = check(sides[1], &coming, meter.part(), stop).inspect_err(|_| stop.cancel());
        drop(coming);
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
    sizes: PieceSizes,
    pieces: &SyncSender<SourcePiece>,
    mut part: MeterPart<'_>,
    cancel: &CancelToken,
) -> Result<TableSum> {
    let mut conn = side.connect(SessionProfile::RawRead)?;
    let (mut whole, mut rows) = (TableSum::default(), sizes.first);
    for range in ranges {
        let mut rest = range.clone();
        loop {
            cancel.check()?;
            let end = side.end_of(&mut conn, &rest, rows, cancel)?;
            let is_last = end.is_none();
            let piece = end.unwrap_or_else(|| rest.clone());
            let started = Instant::now();
            let sum = side.sum(&mut conn, &piece, cancel)?;
            rows = paced(rows, started.elapsed()).min(sizes.most);
            if let Some(sum) = sum {
                part.rows(sum.rows);
                whole += sum;
            }
            rest.after.clone_from(&piece.upto);
            if pieces.send(SourcePiece { range: piece, sum }).is_err() || is_last {
                break;
            }
        }
    }
    Ok(whole)
}

/// Sums the same pieces, and returns those whose sums differ, with the sum of all.
fn check(
    side: MySqlSide<'_>,
    pieces: &Receiver<SourcePiece>,
    mut part: MeterPart<'_>,
    cancel: &CancelToken,
) -> Result<(Vec<KeyRange>, TableSum)> {
    let mut conn = side.connect(SessionProfile::RawRead)?;
    let (mut unequal, mut whole) = (Vec::new(), TableSum::default());
    while let Ok(piece) = pieces.recv() {
        let sum = side.sum(&mut conn, &piece.range, cancel)?;
        if let Some(sum) = sum {
            part.rows(sum.rows);
            whole += sum;
        }
        if sum.is_none() || sum != piece.sum {
            unequal.push(piece.range);
        }
    }
    Ok((unequal, whole))
}

/// Returns the rows of the next range: as many as take [`TARGET`], four times as many at most.
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

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::KeyValue;

    fn range(after: Option<i64>, upto: Option<i64>) -> KeyRange {
        let bound = |key: Option<i64>| key.map(|key| vec![KeyValue::Int(key)]);
        KeyRange { after: bound(after), upto: bound(upto) }
    }

    #[test]
    fn ranges_are_joined_with_their_neighbours_alone() {
        let pieces = vec![
            range(None, Some(1)),
            range(Some(1), Some(2)),
            range(Some(5), Some(6)),
            range(Some(6), None),
        ];
        assert_eq!(joined(pieces), [range(None, Some(2)), range(Some(5), None)]);
        assert_eq!(joined(Vec::new()), []);
    }

    #[test]
    fn the_next_piece_takes_its_time_and_grows_four_times_at_most() {
        assert_eq!(paced(1_000, TARGET), 1_000);
        assert_eq!(paced(1_000, TARGET * 2), 500);
        assert_eq!(paced(1_000, Duration::ZERO), 4_000);
        assert_eq!(paced(1, TARGET * 100), 1);
    }

    #[test]
    fn the_sum_of_no_row_is_zero() {
        assert_eq!(number(None), 0);
        assert_eq!(number(Some("36893488147419103230")), 2 * u128::from(u64::MAX));
        assert!(half_sum(17).contains("SUBSTRING(h, 17, 16)"));
    }
}
