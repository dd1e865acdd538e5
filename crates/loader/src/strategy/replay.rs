//! Loading a kept file again.

use super::{LoadStrategy, Move, Moved};
use crate::spool::Kept;
use crate::{Error, Result};
use std::path::PathBuf;

/// Loads the file that [`CopyCsv`](super::CopyCsv) kept, in the place of the source's rows: for a
/// load in full.
///
/// The name of the file says how many rows it holds and what their sum is; what has landed is read
/// back and must have that sum, whatever became of the file meanwhile. The source is not read, so
/// nothing is known of values that were changed on the way into the file, and the bytes told are
/// the file's.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The file, under the name that it was kept under.
    pub file: PathBuf,
}

impl LoadStrategy for Replay {
    fn name(&self) -> &'static str {
        "copy_csv"
    }

    fn load(&self, moving: Move<'_, '_>) -> Result<Moved> {
        let Move { source, landing, meter } = moving;
        let mut kept = Kept::open(&self.file, source.mapping)?;
        let mut copy = landing.copy_csv()?;
        let bytes = kept.send(&mut copy, source.cancel)?;
        copy.finish(kept.sum.rows)?;
        meter.add(kept.sum.rows, bytes);
        if landing.sum()? != kept.sum {
            return Err(Error::NotThisSpool {
                table: source.mapping.table.clone(),
                path: self.file.clone(),
                problem: "its rows do not have the sum in its name, so it was changed since",
            });
        }
        let notes = vec![format!("loaded from the file {}", self.file.display())];
        Ok(Moved { rows: kept.sum.rows, bytes, sum: kept.sum, notes, ..Moved::default() })
    }
}
