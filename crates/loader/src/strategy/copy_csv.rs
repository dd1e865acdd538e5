//! A CSV file, then COPY CSV.

use super::tuple_sink::{TupleDestination, TupleSink};
use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::spool::{SpoolFile, SpoolSettings};
use crate::strategy::load_input::LoadInput;
use crate::strategy::load_strategy::LoadStrategy;
use handoff_model::ProgressMeter;
use handoff_rows::TupleBuffer;

/// Writes all rows into a CSV file, then sends that through one `COPY … FROM STDIN (FORMAT csv)`.
///
/// The source is read to its end before anything is written to the target, and the file may be kept
/// and loaded again ([`SpoolReplay`](super::SpoolReplay)). The rows land to the byte as by the other ways.
#[derive(Debug, Clone)]
pub struct CopyCsv {
    /// The folder of the file, and its fate.
    pub spool: SpoolSettings,
    /// Bytes to gather before they go into the file.
    pub buffer: usize,
}

impl Default for CopyCsv {
    fn default() -> CopyCsv {
        CopyCsv { spool: SpoolSettings::default(), buffer: 256 * 1024 }
    }
}

impl LoadStrategy for CopyCsv {
    fn name(&self) -> &'static str {
        "copy_csv"
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, landing, meter } = moving;
        let folder = self.spool.folder.clone().unwrap_or_else(std::env::temp_dir);
        let spool = SpoolFile::create(&folder, self.spool.keep, source.mapping)?;
        let mut tuples = source.tuples();
        let select = tuples.select_list().to_vec();
        let mut sink =
            TupleSink { source, tuples: &mut tuples, meter, to: spool, buffer: self.buffer };
        source.read(source.filter, &select, &mut sink)?;
        let mut spool = sink.finish()?;
        let mut moved = LoadedRows::of(&tuples);
        if let Some(path) = spool.keep(moved.sum)? {
            moved.notes.push(format!("its rows are kept in {}", path.display()));
        }
        // Reading back a large table takes as long as loading it.
        let small = moved.bytes <= self.buffer as u64;
        if moved.rows == 0 || (small && landing.holds(moved.sum)?) {
            return Ok(moved);
        }
        let mut copy = landing.copy_csv()?;
        spool.send(source.mapping, &mut copy, source.cancel)?;
        copy.finish(moved.rows)?;
        Ok(moved)
    }
}

impl TupleDestination for SpoolFile<'_> {
    fn write(&mut self, tuples: &TupleBuffer, meter: &ProgressMeter<'_>) -> Result<()> {
        self.append(tuples)?;
        meter.add(tuples.pending(), tuples.bytes().len() as u64);
        Ok(())
    }
}
