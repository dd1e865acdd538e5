//! Comparing one table.

use crate::at_once::at_once;
use crate::compared_table::{ComparedTable, RowSelection};
use crate::differences::{DifferenceKind, PairDifferences, RowDifference, TableComparison};
use crate::element::TupleShape;
use crate::error::{Error, Result};
use crate::key::{RowIdentity, RowKey};
use crate::meter::ComparisonMeter;
use crate::mysql_side::MySqlSide;
use crate::packet_sums::PacketSums;
use crate::range_sums::RangeSums;
use crate::server_sums;
use crate::side_view::{SideView, WantedKeys};
use crate::sketch::{RowSketch, SurplusRow, TooMany};
use crate::spill::{self, KeySum, SpillFiles};
use handoff_connect::Side;
use handoff_model::{CancelToken, ColumnName, KeyRange, Observer, SumBy, TableSum};
use handoff_schema::{PgType, TableMapping};
use handoff_settings::ValuePolicies;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The options of comparing tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyOptions {
    /// The most cells of a sketch, 48 bytes each on every side. About 0.8 times as many missing and
    /// phantom rows, or 0.4 times as many stale ones, can be named without a temporary file. Large
    /// tables are read with a smaller sketch first, and once more where that names too little.
    pub most_cells: usize,
    /// The most rows that are listed a table; of others there is only the count.
    pub most_listed: usize,
    /// The most looks at a row that keeps changing, the one that named it included.
    pub most_looks: u32,
    /// Rows are looked at again by their keys if at most one in so many differs, and by reading all
    /// rows otherwise, or where a key is of a type that cannot be looked for safely.
    pub look_up_one_in: u64,
    /// The way in which the rows of source and replica are summed, if both are MySQL of one kind.
    pub sums: SumBy,
}

impl Default for VerifyOptions {
    fn default() -> VerifyOptions {
        VerifyOptions {
            most_cells: 1 << 16,
            most_listed: 25_000,
            most_looks: 4,
            look_up_one_in: 20,
            sums: SumBy::default(),
        }
    }
}

/// The job of comparing one table.
#[derive(Clone, Copy)]
pub struct VerifyJob<'a> {
    /// The table's form in the target; the canonical form of its rows.
    pub mapping: &'a TableMapping,
    /// The policies for values that PostgreSQL cannot hold.
    pub values: &'a ValuePolicies,
    /// The databases, in the order of the way: each is compared with the next.
    pub tables: &'a [ComparedTable<'a>],
    /// The approximate number of rows of the table.
    pub rows: u64,
}

/// Compares tables.
pub struct Verifier {
    options: VerifyOptions,
    cancel: CancelToken,
    observer: Arc<dyn Observer>,
}

/// The keys that the first look found to differ.
struct DifferingKeys {
    /// The keys that differ somewhere.
    keys: HashSet<u128>,
    /// The rows that the first database had of the keys that differ between it and the second.
    first: HashMap<u128, KeySum>,
}

impl Verifier {
    /// Makes a verifier.
    pub fn new(
        options: VerifyOptions,
        cancel: CancelToken,
        observer: Arc<dyn Observer>,
    ) -> Verifier {
        Verifier { options, cancel, observer }
    }

    /// Compares a table in each database with the next. Takes one connection a database.
    ///
    /// # Errors
    ///
    /// Returns an error if a server fails, a value cannot be encoded, the table is altered meanwhile,
    /// the job has fewer than two tables, or the comparison is cancelled.
    pub fn compare(&self, job: &VerifyJob<'_>) -> Result<TableComparison> {
        if job.tables.len() < 2 {
            return Err(Error::Alone(job.mapping.table.clone()));
        }
        let meter = &ComparisonMeter::new(&*self.observer, &job.mapping.table);
        let exact = job.mapping.exact();
        let target = job.tables.iter().any(|place| place.side() == Side::Target);
        let far = VerifyJob { mapping: &exact, tables: &job.tables[..2], ..*job };
        if !target {
            return match self.range_sums(&far, meter)? {
                Some((found, by)) => self.compare_in(&far, &far, &found, by, meter),
                None => self.work(&far, None, meter).compare(),
            };
        }
        match self.range_sums(job, meter)? {
            Some((found, by)) => self.compare_in(job, &far, &found, by, meter),
            None => self.compare_all(job, &far, meter),
        }
    }

    /// Reads every row in each place, and those of source and replica once more where what they become
    /// in the target does not tell them apart.
    fn compare_all(
        &self,
        job: &VerifyJob<'_>,
        far: &VerifyJob<'_>,
        meter: &ComparisonMeter<'_>,
    ) -> Result<TableComparison> {
        let work = self.work(job, None, meter);
        let all = work.compare()?;
        let documents = job.mapping.columns.iter().any(|column| column.pg == PgType::Jsonb);
        if job.tables.len() < 3 || !(documents || work.changed.load(Ordering::Relaxed)) {
            return Ok(all);
        }
        let far = self.work(far, None, meter).compare()?;
        Ok(all.with_first(far))
    }

    /// Sums source and replica by ranges of the key, where that is less work than a sketch: by their
    /// servers, or by the packets that these send.
    fn range_sums(
        &self,
        job: &VerifyJob<'_>,
        meter: &ComparisonMeter<'_>,
    ) -> Result<Option<(RangeSums, SumBy)>> {
        let Some(sides) = MySqlSide::pair(job.tables) else { return Ok(None) };
        let VerifyJob { mapping, values, .. } = *job;
        let packets = PacketSums { sides, mapping, values, cancel: &self.cancel };
        // A replica that is compared with the target as well is encoded anyway.
        let fit = job.tables.len() == 2 && packets.fit();
        let packets = fit.then_some(packets);
        let by_servers = match self.options.sums {
            SumBy::Read => false,
            SumBy::Sql => true,
            SumBy::Auto => self.is_summed_faster(job, packets, sides[0])?,
        };
        Ok(match packets {
            _ if by_servers => {
                Some((server_sums::compare(sides, &self.cancel, meter)?, SumBy::Sql))
            }
            Some(packets) => Some((packets.compare(meter)?, SumBy::Read)),
            None => None,
        })
    }

    fn work<'a>(
        &'a self,
        job: &'a VerifyJob<'a>,
        scope: Option<&'a [KeyRange]>,
        meter: &'a ComparisonMeter<'a>,
    ) -> ComparisonRun<'a> {
        ComparisonRun {
            job,
            scope,
            shape: TupleShape::of(job.mapping),
            options: self.options,
            cancel: &self.cancel,
            meter,
            changed: AtomicBool::new(false),
        }
    }

    /// Reads the ranges of source and replica that differ by their sums, and replica and target.
    fn compare_in(
        &self,
        job: &VerifyJob<'_>,
        far: &VerifyJob<'_>,
        found: &RangeSums,
        by: SumBy,
        meter: &ComparisonMeter<'_>,
    ) -> Result<TableComparison> {
        let near_job = VerifyJob { tables: &job.tables[1..], ..*job };
        let near = match near_job.tables.len() {
            0 | 1 => None,
            _ => Some(self.work(&near_job, None, meter).compare()?),
        };
        let run = self.work(far, Some(&found.unequal), meter);
        let mut compared = if found.unequal.is_empty() { run.nothing() } else { run.compare()? };
        compared.looks += u32::from(by == SumBy::Read && !found.unequal.is_empty());
        Ok(TableComparison { by, ..compared.beside(near, found.sums) })
    }

    /// Tries both with the first rows of the table. The first trial finds the rows colder, so that in
    /// doubt rows are read.
    fn is_summed_faster(
        &self,
        job: &VerifyJob<'_>,
        packets: Option<PacketSums<'_>>,
        source: MySqlSide<'_>,
    ) -> Result<bool> {
        if source.rows() < TRY_FROM_ROWS {
            return Ok(false);
        }
        let Some(range) = source.first(TRY_ROWS, &self.cancel)? else { return Ok(false) };
        let summing = source.timed_sum(&range, &self.cancel)?;
        let started = Instant::now();
        match packets {
            Some(packets) => packets.read_range(source, &range)?,
            None => {
                let (rows, each) = (RowSelection::In(std::slice::from_ref(&range)), |_: &[u8]| {});
                job.tables[0].read(rows, job.mapping, job.values, &self.cancel, each)?;
            }
        }
        Ok(summing < started.elapsed())
    }
}

/// Cells of the first sketch of a large table: they stay in a core's cache beside everything else, and
/// name far more than differs in almost every comparison.
const FIRST_CELLS: usize = 3 << 11;

/// Tables of fewer rows are read.
const TRY_FROM_ROWS: u64 = 20_000;
/// Rows of a trial.
const TRY_ROWS: u64 = 5_000;

/// The comparison of one table.
struct ComparisonRun<'a> {
    job: &'a VerifyJob<'a>,
    /// The ranges to compare; [`None`] is everything.
    scope: Option<&'a [KeyRange]>,
    shape: TupleShape,
    options: VerifyOptions,
    cancel: &'a CancelToken,
    meter: &'a ComparisonMeter<'a>,
    /// True if a policy changed a value of a row that was read.
    changed: AtomicBool,
}

impl ComparisonRun<'_> {
    /// Returns a comparison that found nothing, of no rows.
    fn nothing(&self) -> TableComparison {
        TableComparison {
            table: self.job.mapping.table.clone(),
            sums: self.job.tables.iter().map(|place| (place.side(), TableSum::default())).collect(),
            pairs: self.pairs(),
            looks: 1,
            by: SumBy::Read,
        }
    }

    /// Returns the rows to read, if all are meant.
    fn all(&self) -> RowSelection<'_> {
        self.scope.map_or(RowSelection::All, RowSelection::In)
    }

    fn compare(&self) -> Result<TableComparison> {
        let mut comparison = self.nothing();
        let (mut cells, most) =
            (first_cells(self.job.rows, self.options.most_cells), self.options.most_cells);
        loop {
            let sketches = self.sketches(cells)?;
            for ((_, sum), sketch) in comparison.sums.iter_mut().zip(&sketches) {
                *sum = sketch.sum();
            }
            if sketches.windows(2).all(|pair| pair[0].sum() == pair[1].sum()) {
                return Ok(comparison);
            }
            let found = difference(&sketches);
            drop(sketches);
            match found {
                Ok(found) => break self.look_again(found, &mut comparison)?,
                Err(TooMany { about }) if cells < most && about <= most as u128 => {
                    cells = most;
                    comparison.looks += 1;
                }
                Err(_) => break self.count_all(&mut comparison)?,
            }
        }
        for pair in &mut comparison.pairs {
            pair.rows.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        }
        Ok(comparison)
    }

    fn pairs(&self) -> Vec<PairDifferences> {
        let tables = self.job.tables.windows(2);
        tables.map(|pair| PairDifferences::none(pair[0].side(), pair[1].side())).collect()
    }

    fn sketches(&self, cells: usize) -> Result<Vec<RowSketch>> {
        self.read(
            self.all(),
            |_| Ok((RowSketch::new(cells), Vec::new())),
            |(sketch, key), tuple| {
                let (element, row) = self.shape.element(tuple, key);
                sketch.add(element, row);
            },
        )
        .map(|all| all.into_iter().map(|(sketch, _)| sketch).collect())
    }

    /// Looks at the rows of `found` until none of them moves, or often enough.
    fn look_again(&self, found: DifferingKeys, comparison: &mut TableComparison) -> Result<()> {
        let DifferingKeys { keys: mut open, first: mut before } = found;
        let alive = self.job.tables[0].is_alive();
        let listed = self.listed(open.iter().copied());
        // However often the table was read until its rows were named.
        let last = comparison.looks.saturating_add(self.options.most_looks.saturating_sub(1));
        loop {
            comparison.looks += 1;
            let sides = self.sides(&WantedKeys { keys: &open, listed: &listed })?;
            let (moving, settled): (HashSet<u128>, HashSet<u128>) = open.iter().partition(|key| {
                let (first, second) = (sides[0].held(**key), sides[1].held(**key));
                alive && is_moving(before.get(*key), first, second)
            });
            for key in settled {
                self.note(key, &sides, comparison);
            }
            if moving.is_empty() {
                return Ok(());
            }
            if comparison.looks >= last {
                note_moving(&moving, &sides, &mut comparison.pairs[0]);
                return Ok(());
            }
            before = moving.iter().map(|&key| (key, sides[0].held(key))).collect();
            open = moving;
        }
    }

    /// Compares all rows by way of a temporary file, and looks again at those that are listed.
    fn count_all(&self, comparison: &mut TableComparison) -> Result<()> {
        let rows = comparison.sums.iter().map(|(_, sum)| sum.rows).max().unwrap_or(0);
        comparison.looks += 1;
        let read = self.read(
            self.all(),
            |_| Ok((SpillFiles::new(rows).map_err(|error| self.spill_failed(error))?, Vec::new())),
            |(spill, key), tuple| spill.add(self.shape.element(tuple, key).0),
        )?;
        let spills = read.into_iter().map(|(spill, _)| spill).collect();
        let mut found = DifferingKeys { keys: HashSet::new(), first: HashMap::new() };
        let compared = spill::compare(spills, |key, held| {
            if found.keys.len() < self.options.most_listed {
                found.keys.insert(key);
                found.first.insert(key, held[0]);
                return;
            }
            for (pair, held) in comparison.pairs.iter_mut().zip(held.windows(2)) {
                if let Some((kind, rows)) = DifferenceKind::of(held[0], held[1]) {
                    pair.count_in(kind, rows);
                }
            }
        });
        compared.map_err(|error| self.spill_failed(error))?;
        self.look_again(found, comparison)
    }

    /// Chooses the rows to be listed.
    fn listed(&self, keys: impl Iterator<Item = u128>) -> HashSet<u128> {
        keys.take(self.options.most_listed).collect()
    }

    fn spill_failed(&self, error: io::Error) -> Error {
        Error::Spill { table: self.job.mapping.table.clone(), error }
    }

    /// Counts and lists the settled differences of a key.
    fn note(&self, key: u128, sides: &[SideView], comparison: &mut TableComparison) {
        for (pair, both) in comparison.pairs.iter_mut().zip(sides.windows(2)) {
            let judged = DifferenceKind::of(both[0].held(key), both[1].held(key));
            let Some((kind, rows)) = judged else { continue };
            pair.count_in(kind, rows);
            let (one, other) = (both[0].details.get(&key), both[1].details.get(&key));
            let Some(detail) = one.or(other) else { continue };
            let columns = match (kind, one, other) {
                (DifferenceKind::Stale, Some(one), Some(other)) => {
                    one.differing(other).map(|index| self.column_name(index)).collect()
                }
                _ => Vec::new(),
            };
            pair.rows.push(RowDifference { kind, key: detail.key.clone(), columns, rows });
        }
    }

    fn column_name(&self, index: usize) -> ColumnName {
        self.job.mapping.columns[index].source.name.clone()
    }

    fn sides(&self, wanted: &WantedKeys<'_>) -> Result<Vec<SideView>> {
        let keys = self.keys(wanted.keys);
        self.read(
            keys.as_deref().map_or(self.all(), RowSelection::Of),
            |place| {
                let repeats = keys.is_some() && place.side() != Side::Target;
                Ok(if repeats { SideView::repeating() } else { SideView::default() })
            },
            |side, tuple| side.observe(&self.shape, wanted, tuple),
        )
    }

    /// Returns the keys themselves, if all of them can be looked up and that is worth it.
    fn keys(&self, packed: &HashSet<u128>) -> Option<Vec<RowKey>> {
        if (packed.len() as u64).saturating_mul(self.options.look_up_one_in) > self.job.rows {
            return None;
        }
        packed.iter().map(|&packed| self.key(packed)).collect()
    }

    /// Returns a key by its packed form; [`None`] if it cannot be looked up.
    fn key(&self, packed: u128) -> Option<RowKey> {
        let key = RowKey(RowIdentity::Fields(self.shape.unpack(packed)?.into()));
        key.key_values(self.job.mapping).map(|_| key)
    }

    /// Reads in all databases at the same time, on a thread each.
    fn read<T: Send>(
        &self,
        rows: RowSelection<'_>,
        make: impl Fn(&ComparedTable<'_>) -> Result<T>,
        each: impl Fn(&mut T, &[u8]) + Sync,
    ) -> Result<Vec<T>> {
        let VerifyJob { mapping, values, tables, .. } = *self.job;
        let states = tables.iter().map(make).collect::<Result<Vec<T>>>()?;
        at_once(self.cancel, tables.iter().zip(states), |(place, mut state), stop| {
            let mut part = self.meter.part();
            let changed = place.read(rows, mapping, values, stop, |tuple| {
                part.row();
                each(&mut state, tuple);
            })?;
            self.changed.fetch_or(changed, Ordering::Relaxed);
            Ok(state)
        })
    }
}

/// Reads the keys that differ from the sketches.
fn difference(sketches: &[RowSketch]) -> std::result::Result<DifferingKeys, TooMany> {
    let mut found = DifferingKeys { keys: HashSet::new(), first: HashMap::new() };
    for (index, pair) in sketches.windows(2).enumerate() {
        for SurplusRow { element, count } in pair[0].difference(&pair[1])? {
            found.keys.insert(element.key);
            if index > 0 {
                continue;
            }
            let first = found.first.entry(element.key).or_default();
            for _ in 0..count {
                first.add(element.row);
            }
        }
    }
    Ok(found)
}

/// Returns the number of cells of the first sketch: for a small table enough to name every row.
fn first_cells(rows: u64, most: usize) -> usize {
    let by_rows = usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(4);
    let all = by_rows.max(1 << 10);
    if all <= most { all } else { FIRST_CELLS.min(most) }
}

/// Returns true if a row that differs has changed in the first database since the look before, so that
/// nothing can be said of it yet.
fn is_moving(earlier: Option<&KeySum>, first: KeySum, second: KeySum) -> bool {
    earlier.is_some_and(|earlier| *earlier != first) && DifferenceKind::of(first, second).is_some()
}

/// Counts and lists the rows that changed until the last look.
fn note_moving(moving: &HashSet<u128>, sides: &[SideView], pair: &mut PairDifferences) {
    pair.moving += moving.len() as u64;
    for key in moving {
        if let Some(detail) = sides.iter().find_map(|side| side.details.get(key)) {
            pair.moving_rows.push(detail.key.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_small_table_gets_cells_for_every_row_and_a_large_one_a_small_sketch() {
        let most = VerifyOptions::default().most_cells;
        assert_eq!(first_cells(0, most), 1 << 10);
        assert_eq!(first_cells(10_000, most), 40_000);
        assert_eq!(first_cells(u64::MAX, most), FIRST_CELLS);
        assert_eq!(first_cells(1_000, 512), 512);
    }

    #[test]
    fn a_row_moves_only_if_it_differs_and_has_changed_in_the_first_database() {
        let (old, new) = (KeySum { rows: 1, sum: 1 }, KeySum { rows: 1, sum: 2 });
        assert!(is_moving(Some(&old), new, old));
        assert!(!is_moving(Some(&old), new, new), "it has arrived");
        assert!(!is_moving(Some(&old), old, new), "it stands still");
        assert!(!is_moving(None, new, old), "it was not looked at before");
    }

    #[test]
    fn moving_rows_are_counted_even_where_no_side_lists_them() {
        let mut pair = PairDifferences::none(Side::Source, Side::Replica);
        note_moving(&HashSet::from([1, 2]), &[SideView::default()], &mut pair);
        assert_eq!((pair.moving, pair.moving_rows.len()), (2, 0));
    }
}
