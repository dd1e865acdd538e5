//! Ranges of the key, several at a time.

use super::tuple_sink::{TupleDestination, TupleSink};
use crate::copy_in::CopyIn;
use crate::error::{Error, Result};
use crate::loaded_rows::LoadedRows;
use crate::row_source::RowSource;
use crate::shared_staging::SharedStaging;
use crate::strategy::load_input::{LandingMode, LoadInput};
use crate::strategy::load_strategy::LoadStrategy;
use crate::strategy::streaming::StreamingLoad;
use handoff_model::{KeyRange, KeyValue, ProgressMeter, RowFilter};
use handoff_rows::{Locking, TupleBuffer};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// More workers than this gain nothing: the one server behind them is busy by then.
const MOST_WORKERS: usize = 8;

/// Keys to look at for each range: its share then differs from the others' by a tenth or so (the
/// deviation of a sum of 1,000 draws is about 32).
const SAMPLES: usize = 1000;

/// Below this a sample of the keys, a commit for each range and a count of the whole cost more than
/// the workers save: some 35 ms, of the quarter of a second that so much takes as one stream
/// (`docs/benchmarks.md`).
const LEAST_BYTES: u64 = 24 << 20;

/// Splits a table into ranges of its key and streams each through a COPY BINARY of its own.
///
/// Ranges are balanced whatever the key is, a text, a date, several columns, or bunched in one
/// corner: their bounds are taken from a sample of the keys, not computed from the least and the
/// greatest. All loads that share one value share its workers, so that their number bounds the
/// connections of a run.
///
/// A table that has no key, is small, or of which only a part is read goes as [`StreamingLoad`] has it,
/// and so does one that others write to, which is every one but a replica table of our own
/// ([`Locking::Free`]): every worker reads in a snapshot of its own.
#[derive(Clone)]
pub struct ParallelLoad {
    /// Bytes that each worker gathers before it hands them to the server.
    pub buffer: usize,
    /// Tables of fewer bytes, as the catalogue has them, go as one stream.
    pub least_bytes: u64,
    workers: NonZeroUsize,
    threads: Arc<OnceLock<Option<ThreadPool>>>,
}

impl Default for ParallelLoad {
    /// As many workers as the machine has cores, eight at most.
    fn default() -> ParallelLoad {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        ParallelLoad::new(cores.min(NonZeroUsize::new(MOST_WORKERS).expect("eight is not zero")))
    }
}

impl ParallelLoad {
    /// Takes so many workers.
    pub fn new(workers: NonZeroUsize) -> ParallelLoad {
        let threads = Arc::default();
        ParallelLoad { buffer: 256 * 1024, least_bytes: LEAST_BYTES, workers, threads }
    }

    /// Splits the rows of `source` into balanced ranges, one a worker. Fewer where the sample has
    /// not as many distinct keys.
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails or the table has no key.
    pub fn split(&self, source: &RowSource<'_>) -> Result<Vec<KeyRange>> {
        let wanted = self.workers.get();
        let size = u32::try_from(wanted * SAMPLES).unwrap_or(u32::MAX);
        Ok(ranges(&source.sample_keys(size)?, wanted))
    }

    /// Returns the reason why a table goes as one stream; [`None`] for one that is split.
    fn one_stream(&self, source: &RowSource<'_>) -> Option<&'static str> {
        if source.locking != Locking::Free {
            Some("it is read from a database that others write to")
        } else if source.mapping.key.is_empty() {
            Some("it has no key to split it by")
        } else if *source.filter != RowFilter::All {
            Some("only a part of its rows is read")
        } else if source.table.data_bytes < self.least_bytes {
            Some("it is small")
        } else {
            None
        }
    }

    fn threads(&self) -> Option<&ThreadPool> {
        self.threads.get_or_init(|| self.build_threads()).as_ref()
    }

    fn build_threads(&self) -> Option<ThreadPool> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.workers.get())
            .thread_name(|index| format!("load-{index}"))
            .build()
            .ok()
    }

    /// Moves every range. The caller holds no connection, as a thread that waits for rayon must
    /// not; each worker takes its own and never calls rayon.
    fn load_ranges(&self, ranges: &[KeyRange], work: &RangeWork<'_>) -> Result<LoadedRows> {
        let done: Vec<Result<LoadedRows>> = match self.threads() {
            Some(threads) => threads
                .install(|| ranges.par_iter().map(|range| self.load_range(range, work)).collect()),
            None => ranges.iter().map(|range| self.load_range(range, work)).collect(),
        };
        let mut whole = LoadedRows::default();
        let mut stopped = None;
        for moved in done {
            match moved {
                Ok(moved) => whole += moved,
                // One that only stopped because of another has nothing to tell.
                Err(error @ Error::Cancelled { .. }) => stopped = Some(error),
                Err(error) => return Err(error),
            }
        }
        stopped.map_or(Ok(whole), Err)
    }

    /// Moves one range, and tells the others if that failed.
    fn load_range(&self, range: &KeyRange, work: &RangeWork<'_>) -> Result<LoadedRows> {
        let mut tuples = work.source.tuples();
        let select = tuples.select_list().to_vec();
        let filter = RowFilter::Range(range.clone());
        let done = work.to.in_transaction(|tx| {
            let to = WatchedCopy { copy: work.to.copy_binary(tx)?, work };
            let mut sink = TupleSink {
                source: work.source,
                tuples: &mut tuples,
                meter: work.meter,
                to,
                buffer: self.buffer,
            };
            let rows = work.source.read(&filter, &select, &mut sink)?;
            sink.finish()?.copy.finish(rows)
        });
        if done.is_err() {
            work.failed.store(true, Ordering::Relaxed);
        }
        done.map(|()| LoadedRows::of(&tuples))
    }
}

impl LoadStrategy for ParallelLoad {
    fn name(&self) -> &'static str {
        "parallel"
    }

    fn opening(&self, source: &RowSource<'_>) -> LandingMode {
        match self.one_stream(source) {
            Some(_) => LandingMode::Transaction,
            None => LandingMode::Committed,
        }
    }

    fn connections(&self) -> usize {
        self.workers.get()
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        if let Some(why) = self.one_stream(moving.source) {
            let mut moved = StreamingLoad { buffer: self.buffer }.load(moving)?;
            moved.notes.push(one_stream_note(why));
            return Ok(moved);
        }
        let LoadInput { source, landing, meter } = moving;
        let ranges = self.split(source)?;
        let (to, failed) = (landing.committed()?, AtomicBool::new(false));
        let mut moved = self.load_ranges(&ranges, &RangeWork { source, to, meter, failed })?;
        if ranges.len() == 1 {
            moved.notes.push(one_stream_note("its keys are too few to split it by"));
        }
        Ok(moved)
    }
}

impl std::fmt::Debug for ParallelLoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parallel").field("workers", &self.workers).finish_non_exhaustive()
    }
}

fn one_stream_note(why: &str) -> String {
    format!("loaded as one stream, not in parallel: {why}")
}

/// The work that the workers of one table share.
struct RangeWork<'a> {
    source: &'a RowSource<'a>,
    to: SharedStaging<'a>,
    meter: &'a ProgressMeter<'a>,
    /// True once a worker has failed, so that the others end.
    failed: AtomicBool,
}

/// A COPY that ends when another worker has failed.
struct WatchedCopy<'a, 's> {
    copy: CopyIn<'a>,
    work: &'s RangeWork<'s>,
}

impl TupleDestination for WatchedCopy<'_, '_> {
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        if self.work.failed.load(Ordering::Relaxed) {
            return Err(Error::Cancelled { table: self.work.source.table.name.clone() });
        }
        self.copy.write(tuples, meter)
    }
}

/// Cuts the order of the keys into at most `wanted` ranges that hold as many of the sample each.
fn ranges(sample: &[Vec<KeyValue>], wanted: usize) -> Vec<KeyRange> {
    let mut bounds: Vec<&Vec<KeyValue>> =
        (1..wanted).filter_map(|cut| sample.get(cut * sample.len() / wanted)).collect();
    bounds.dedup();
    let mut after = None;
    let mut ranges = Vec::with_capacity(bounds.len() + 1);
    for bound in bounds {
        let upto = Some(bound.clone());
        ranges.push(KeyRange { after: std::mem::replace(&mut after, upto.clone()), upto });
    }
    ranges.push(KeyRange { after, upto: None });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sample: &[i64], wanted: usize, bounds: &[i64]) {
        let sample: Vec<_> = sample.iter().map(|&key| vec![KeyValue::Int(key)]).collect();
        let ranges = ranges(&sample, wanted);
        let upto: Vec<_> = ranges.iter().filter_map(|range| range.upto.clone()).collect();
        let expected: Vec<_> = bounds.iter().map(|&key| vec![KeyValue::Int(key)]).collect();
        assert_eq!(upto, expected);
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].upto, pair[1].after);
        }
        assert_eq!((&ranges[0].after, &ranges[ranges.len() - 1].upto), (&None, &None));
    }

    #[test]
    fn ranges_have_equal_shares_of_the_sample_and_no_gap() {
        check(&[], 4, &[]);
        check(&[5], 4, &[5]);
        check(&[1, 2, 3, 4], 1, &[]);
        check(&[1, 2, 3, 4, 5, 6, 7, 8], 4, &[3, 5, 7]);
        check(&[1, 2, 3, 900], 2, &[3]);
    }
}
