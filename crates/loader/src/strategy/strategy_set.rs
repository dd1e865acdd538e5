//! The strategies of a run.

use crate::spool::SpoolSettings;
use crate::strategy::chunked::ChunkedLoad;
use crate::strategy::copy_csv::CopyCsv;
use crate::strategy::discard::DiscardLoad;
use crate::strategy::load_strategy::LoadStrategy;
use crate::strategy::parallel::ParallelLoad;
use crate::strategy::standard::StandardLoad;
use crate::strategy::streaming::StreamingLoad;
use handoff_model::Strategy;

/// Memory that a load gathers rows in, unless there is less to be had.
const BUFFER: usize = 256 * 1024;

/// The strategies of this crate, set up once for all loads of a run.
#[derive(Debug, Clone, Default)]
pub struct StrategySet {
    chunked: ChunkedLoad,
    parallel: ParallelLoad,
    copy_csv: CopyCsv,
    standard: StandardLoad,
    streaming: StreamingLoad,
}

impl StrategySet {
    /// Sets them up for loads that may use `memory` bytes each, and chunks of `chunk_rows`.
    pub fn new(memory: usize, chunk_rows: u64, spool: SpoolSettings) -> StrategySet {
        // What is gathered goes through a buffer of the driver and one of the kernel as well.
        let buffer = BUFFER.min(memory / 8);
        let mut parallel = ParallelLoad::default();
        parallel.buffer = buffer.min(memory / 8 / parallel.connections());
        StrategySet {
            chunked: ChunkedLoad { rows: chunk_rows, buffer },
            parallel,
            copy_csv: CopyCsv { spool, buffer },
            standard: StandardLoad { buffer, ..StandardLoad::default() },
            streaming: StreamingLoad { buffer },
        }
    }

    /// Returns the strategy of that name. `keep_spool` says whether a spool file stays, where
    /// there is one.
    pub fn get(&self, which: Strategy, keep_spool: bool) -> Box<dyn LoadStrategy> {
        match which {
            Strategy::Standard => Box::new(self.standard.clone()),
            Strategy::Streaming => Box::new(self.streaming.clone()),
            Strategy::Chunked => Box::new(self.chunked.clone()),
            Strategy::Parallel => Box::new(self.parallel.clone()),
            Strategy::CopyCsv => {
                let mut copy_csv = self.copy_csv.clone();
                copy_csv.spool.keep |= keep_spool;
                Box::new(copy_csv)
            }
            Strategy::Discard => Box::new(DiscardLoad),
        }
    }

    /// Returns the most connections to a server that all loads which are under way at once use,
    /// where `loads` are.
    pub fn connections(&self, loads: usize) -> usize {
        // The workers are shared; a load that waits for them holds no connection.
        loads + self.parallel.connections()
    }
}

/// Returns the strategy of that name with its defaults.
pub fn strategy(which: Strategy) -> Box<dyn LoadStrategy> {
    StrategySet::default().get(which, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn every_strategy_goes_by_its_name() {
        for which in [
            Strategy::Standard,
            Strategy::Streaming,
            Strategy::Chunked,
            Strategy::Parallel,
            Strategy::CopyCsv,
            Strategy::Discard,
        ] {
            assert_eq!(strategy(which).name(), which.name());
        }
    }

    #[test]
    fn buffers_shrink_with_the_memory() {
        let set = StrategySet::new(1 << 20, 7, SpoolSettings::default());
        assert_eq!((set.streaming.buffer, set.chunked.rows), (128 << 10, 7));
        assert!(set.parallel.buffer <= set.streaming.buffer);
        let roomy = StrategySet::new(1 << 30, 7, SpoolSettings::default());
        assert_eq!((roomy.streaming.buffer, roomy.copy_csv.buffer), (BUFFER, BUFFER));
        assert_eq!(roomy.connections(3), 3 + roomy.parallel.connections());
    }
}
