//! The strategies of a run.

use super::{Chunked, CopyCsv, Discard, LoadStrategy, Parallel, Standard, Streaming};
use crate::SpoolSettings;
use handoff_model::Strategy;

/// Memory that a load gathers rows in, unless there is less to be had.
const BUFFER: usize = 256 * 1024;

/// The strategies of this crate, set up once for all loads of a run.
#[derive(Debug, Clone, Default)]
pub struct Strategies {
    chunked: Chunked,
    parallel: Parallel,
    copy_csv: CopyCsv,
    standard: Standard,
    streaming: Streaming,
}

impl Strategies {
    /// Sets them up for loads that may use `memory` bytes each, and chunks of `chunk_rows`.
    pub fn new(memory: usize, chunk_rows: u64, spool: SpoolSettings) -> Strategies {
        // What is gathered goes through a buffer of the driver and one of the kernel as well.
        let buffer = BUFFER.min(memory / 8);
        let mut parallel = Parallel::default();
        parallel.buffer = buffer.min(memory / 8 / parallel.connections());
        Strategies {
            chunked: Chunked { rows: chunk_rows, buffer },
            parallel,
            copy_csv: CopyCsv { spool, buffer },
            standard: Standard { buffer, ..Standard::default() },
            streaming: Streaming { buffer },
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
            Strategy::Discard => Box::new(Discard),
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
    Strategies::default().get(which, false)
}
