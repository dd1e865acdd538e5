//! Sums of the packets in which two servers of one kind send their rows.
//!
//! Both sides are read at once, in the order of the key, and a row costs no more than the hash of its
//! packet. The rows whose hash ends in so many zeros end a range: where both sides have such a row,
//! both have that end, whatever lies between. So ranges need not be agreed upon, and those that
//! differ are read once more to tell which rows do ("content-defined chunking").

use crate::at_once::at_once;
use crate::error::{Error, Result};
use crate::key::{RowIdentity, RowKey};
use crate::meter::ComparisonMeter;
use crate::mysql_side::MySqlSide;
use crate::range_sums::RangeSums;
use handoff_connect::SessionProfile;
use handoff_model::{CancelToken, KeyRange, KeyValue, RowFilter, TableSum};
use handoff_rows::{Encoder, Locking, ReadSpec, RowReader, has_key_values, hash_row};
use handoff_schema::{TableMapping, TableSchema};
use handoff_settings::ValuePolicies;
use std::collections::HashSet;

/// The approximate number of ranges of a table at most, some hundred bytes each. If the catalogue has far too
/// few rows, twice as many.
const MOST_RANGES: u64 = 1 << 15;

/// The most bytes that the keys at their ends may have together.
const MOST_BYTES: usize = 4 << 20;

/// The approximate number of rows of a range at least.
const LEAST_ROWS: u64 = 64;

/// If more than one range in so many differs, reading everything takes less.
const ONE_IN: usize = 4;

/// The rows behind the range before, up to one whose hash ends in zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PacketRange {
    /// The key of the last row; [`None`] at the end of the table.
    end: Option<Box<[u8]>>,
    /// The number of zeros in which the hash of the last row ends.
    zeros: u32,
    sum: TableSum,
}

/// The sums of both sides' packets, to be taken.
#[derive(Clone, Copy)]
pub(crate) struct PacketSums<'a> {
    pub(crate) sides: [MySqlSide<'a>; 2],
    pub(crate) mapping: &'a TableMapping,
    pub(crate) values: &'a ValuePolicies,
    pub(crate) cancel: &'a CancelToken,
}

impl PacketSums<'_> {
    /// Returns true if equal rows come in equal packets, and in the order of the key at no cost.
    pub(crate) fn fit(&self) -> bool {
        let [one, other] = self.sides;
        // Keys alone may be had from a smaller index, in whatever order.
        let alike = have_same_columns(one.table, other.table)
            && has_key_values(self.mapping)
            && self.mapping.columns.iter().any(|column| !column.key);
        alike && comes_in_order(one) && comes_in_order(other)
    }

    /// Finds the ranges whose rows are not the same on both sides.
    pub(crate) fn compare(&self, meter: &ComparisonMeter<'_>) -> Result<RangeSums> {
        let rows = self.sides[0].rows().max(self.sides[1].rows());
        let zeros = (rows / MOST_RANGES).max(LEAST_ROWS).next_power_of_two().ilog2();
        let ranges = at_once(self.cancel, self.sides, |side, stop| {
            let mut part = meter.part();
            let sums = PacketSums { cancel: stop, ..*self };
            sums.read(side, &RowFilter::All, zeros, || part.row())
        })?;
        let sums = [&ranges[0], &ranges[1]].map(|ranges| whole(ranges));
        let unequal = if sums[0] == sums[1] {
            Vec::new()
        } else {
            self.unequal(&ranges[0], &ranges[1]).unwrap_or_else(|| vec![KeyRange::ALL])
        };
        Ok(RangeSums { unequal, sums })
    }

    /// Sums the rows of one side in a range, for the time that it takes.
    pub(crate) fn read_range(&self, side: MySqlSide<'_>, range: &KeyRange) -> Result<()> {
        self.read(side, &RowFilter::Range(range.clone()), LEAST_ROWS.ilog2(), || {}).map(drop)
    }

    fn read(
        &self,
        side: MySqlSide<'_>,
        filter: &RowFilter,
        mut zeros: u32,
        mut seen: impl FnMut(),
    ) -> Result<Vec<PacketRange>> {
        let MySqlSide { table, locking, throttle, .. } = side;
        let mut encoder = Encoder::new(self.mapping, self.values);
        let select = &encoder.select_list().to_vec();
        let mut conn = side.connect(SessionProfile::Read)?;
        let (mut ranges, mut sum, mut key) = (Vec::new(), TableSum::default(), Vec::new());
        let mut bytes = 0;
        let spec = ReadSpec { table, select, filter, locking, cancel: self.cancel };
        RowReader::new(spec).throttle(throttle).read_packets(&mut conn, |packet| {
            seen();
            let hash = hash_row(packet.bytes());
            sum.add_row(hash);
            if hash.trailing_zeros() >= zeros {
                key.clear();
                // A key that can't be carried is no end, on either side.
                let values = packet.values().unwrap_or_default();
                if !values.is_empty() && encoder.encode_key(&values, &mut key).is_ok() {
                    let (end, last) = (Some(key[2..].into()), hash.trailing_zeros());
                    ranges.push(PacketRange { end, zeros: last, sum: std::mem::take(&mut sum) });
                    bytes += key.len();
                }
                while ranges.len() as u64 >= 2 * MOST_RANGES || bytes > MOST_BYTES {
                    zeros += 1;
                    sum += thin_out(&mut ranges, zeros);
                    bytes = ranges
                        .iter()
                        .filter_map(|range| range.end.as_ref())
                        .map(|end| end.len())
                        .sum();
                }
            }
            Ok(())
        })?;
        ranges.push(PacketRange { end: None, zeros: u32::MAX, sum });
        if locking != Locking::Free
            && !table
                .is_unchanged(&mut conn)
                .map_err(|fault| side.failed(fault, Some(self.cancel)))?
        {
            return Err(Error::Altered(self.mapping.table.clone()));
        }
        Ok(ranges)
    }

    /// Returns the ranges between common ends that differ; [`None`] if everything is to be read.
    fn unequal(&self, one: &[PacketRange], other: &[PacketRange]) -> Option<Vec<KeyRange>> {
        let unequal = differing(one, other)?;
        if unequal.len().saturating_mul(ONE_IN) > one.len().max(other.len()) {
            return None;
        }
        unequal.into_iter().map(|bounds| self.key_range(bounds)).collect()
    }

    fn key_range(&self, bounds: RangeBounds<'_>) -> Option<KeyRange> {
        Some(KeyRange { after: self.bound(bounds.after)?, upto: self.bound(bounds.upto)? })
    }

    /// Returns the bound of a range; [`None`] for a key that MySQL cannot compare.
    fn bound(&self, key: Option<&[u8]>) -> Option<Option<Vec<KeyValue>>> {
        match key {
            None => Some(None),
            Some(key) => RowKey(RowIdentity::Fields(key.into())).key_values(self.mapping).map(Some),
        }
    }
}

/// Returns true if the columns of both tables are the same, so that equal rows come in equal packets.
fn have_same_columns(one: &TableSchema, other: &TableSchema) -> bool {
    one.columns.len() == other.columns.len()
        && one.columns.iter().zip(&other.columns).all(|(one, other)| {
            (&one.name, &one.kind, &one.charset) == (&other.name, &other.kind, &other.charset)
        })
}

/// Returns true if a side's rows come in the order of the key at no cost.
fn comes_in_order(side: MySqlSide<'_>) -> bool {
    side.locking != Locking::Ranges && side.table.is_clustered_by_key()
}

/// Joins ranges with those behind them, where they end in fewer than so many zeros; returns the sum of
/// the rows behind the last end that is left. The other side need not do the same: its ends are more
/// then, and the common ones are these.
fn thin_out(ranges: &mut Vec<PacketRange>, zeros: u32) -> TableSum {
    let mut rest = TableSum::default();
    ranges.retain_mut(|range| {
        rest += range.sum;
        let stays = range.zeros >= zeros;
        if stays {
            range.sum = std::mem::take(&mut rest);
        }
        stays
    });
    rest
}

fn whole(ranges: &[PacketRange]) -> TableSum {
    let mut whole = TableSum::default();
    ranges.iter().for_each(|range| whole += range.sum);
    whole
}

/// The keys between which a range lies; [`None`] for an end of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RangeBounds<'a> {
    after: Option<&'a [u8]>,
    upto: Option<&'a [u8]>,
}

/// Returns the ranges that differ, neighbours joined; [`None`] if common ends come in another order.
fn differing<'a>(one: &'a [PacketRange], other: &'a [PacketRange]) -> Option<Vec<RangeBounds<'a>>> {
    let ends: HashSet<&Option<Box<[u8]>>> = other.iter().map(|range| &range.end).collect();
    let mut others = other.iter();
    let mut differing: Vec<RangeBounds<'a>> = Vec::new();
    let (mut after, mut sum) = (None, TableSum::default());
    for PacketRange { end, sum: more, .. } in one {
        sum += *more;
        if !ends.contains(end) {
            continue;
        }
        let mut its = TableSum::default();
        loop {
            let range = others.next()?;
            its += range.sum;
            if range.end == *end {
                break;
            }
        }
        let upto = end.as_deref();
        match differing.last_mut() {
            _ if its == sum => {}
            Some(last) if last.upto.is_some() && last.upto == after => last.upto = upto,
            _ => differing.push(RangeBounds { after, upto }),
        }
        (after, sum) = (upto, TableSum::default());
    }
    Some(differing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::ColumnSchema;

    /// Makes ranges of the rows' hashes, each ended by a row whose hash ends in a zero.
    fn ranges(rows: &[u8]) -> Vec<PacketRange> {
        let (mut ranges, mut sum) = (Vec::new(), TableSum::default());
        for &row in rows {
            sum.add_row(row.into());
            if row % 10 == 0 {
                let (end, zeros) = (Some([row].into()), u32::from(row / 10));
                ranges.push(PacketRange { end, zeros, sum: std::mem::take(&mut sum) });
            }
        }
        ranges.push(PacketRange { end: None, zeros: u32::MAX, sum });
        ranges
    }

    #[test]
    fn ranges_that_are_too_many_are_joined() {
        let rows = [1, 10, 11, 30, 20, 21, 40, 50, 5];
        let all = ranges(&rows);
        for zeros in 0..=6 {
            let mut some = ranges(&rows[..8]);
            some.pop();
            let mut rest = thin_out(&mut some, zeros);
            rest.add_row(5);
            some.push(PacketRange { end: None, zeros: u32::MAX, sum: rest });
            let ends = [1, 3, 2, 4, 5].into_iter().filter(|&end| end >= zeros).count();
            assert_eq!(some.len(), 1 + ends, "{zeros}");
            assert_eq!(whole(&some), whole(&all), "{zeros}");
            assert_eq!(differing(&some, &all), Some(Vec::new()), "{zeros}");
        }
    }

    #[track_caller]
    fn check(one: &[u8], other: &[u8], expected: Option<&[(u8, u8)]>) {
        let (one, other) = (ranges(one), ranges(other));
        for (one, other) in [(&one, &other), (&other, &one)] {
            let found = differing(one, other);
            let number = |end: Option<&[u8]>| end.map_or(0, |end| end[0]);
            let found = found
                .map(|all| all.into_iter().map(|b| (number(b.after), number(b.upto))).collect());
            assert_eq!(found, expected.map(<[_]>::to_vec));
        }
    }

    #[test]
    fn what_differs_lies_between_common_ends() {
        check(&[], &[], Some(&[]));
        check(&[1, 2, 10, 11, 20, 21], &[1, 2, 10, 11, 20, 21], Some(&[]));
        check(&[1, 10, 11, 20, 21], &[1, 2, 10, 11, 20, 21], Some(&[(0, 10)]));
        check(&[1, 10, 11, 20, 21], &[1, 10, 11, 12, 20, 21], Some(&[(10, 20)]));
        check(&[1, 10, 11, 20, 21], &[1, 10, 11, 20, 22], Some(&[(20, 0)]));
        check(&[1, 10, 11, 20, 21], &[1, 11, 20, 21], Some(&[(0, 20)]));
        check(&[1, 10, 11, 20, 21, 30], &[2, 10, 12, 20, 21, 30], Some(&[(0, 20)]));
        check(&[1, 10, 11, 20], &[], Some(&[(0, 0)]));
        check(&[1, 10, 11, 20, 31, 40], &[2, 10, 11, 20, 41], Some(&[(0, 10), (20, 0)]));
        check(&[20, 1, 10], &[1, 10, 20], None);
    }

    #[test]
    fn packets_are_compared_only_of_the_same_columns() {
        let table = |columns: &[(&str, &str)]| TableSchema {
            columns: columns
                .iter()
                .map(|(name, kind)| ColumnSchema::of_type(name, kind).unwrap())
                .collect(),
            ..TableSchema::empty("t")
        };
        let one = table(&[("a", "int"), ("b", "text")]);
        assert!(have_same_columns(&one, &one));
        for other in
            [&[("a", "int")][..], &[("a", "bigint"), ("b", "text")], &[("a", "int"), ("c", "text")]]
        {
            assert!(!have_same_columns(&one, &table(other)), "{other:?}");
        }
        let mut latin = one.clone();
        latin.columns[1].charset = Some("latin1".to_owned());
        assert!(!have_same_columns(&one, &latin));
    }
}
