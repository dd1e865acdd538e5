//! Rows that are gone from the source, found by comparing keys.

use crate::TableError;
use crate::diff::Between;
use crate::publish::Progress;
use crate::table_run::TableRunner;
use crate::wording::counted;
use crate::work::Work;
use handoff_connect::Side;
use handoff_model::SumBy;
use handoff_rows::{KeyList, has_key_values};

/// What is said of a key by which no row can be looked up.
const BLIND: &str = "rows that are gone are found by counting: its key is of a type that cannot be \
                     swept";

/// The keys that only one of two databases has.
pub(crate) struct Sweep {
    /// Those to bring into line.
    pub(crate) keys: KeyList,
    /// The database in which that is done.
    side: Side,
    /// Rows of it that the other one has not.
    gone: u64,
}

impl Sweep {
    /// Says how many rows were deleted.
    pub(crate) fn note(&self) -> Option<String> {
        let rows = counted(self.gone, "row");
        (self.gone > 0)
            .then(|| format!("{rows} gone from the source: deleted from the {}", self.side))
    }
}

impl TableRunner {
    /// Compares the keys of two databases before the window of a work is moved from one to the other,
    /// and returns those that differ, if there are any. The window brings `window` rows, as far as
    /// that is known, and its new ones are among them.
    ///
    /// Nothing is written anywhere yet, so that a refusal leaves everything as it is.
    pub(crate) fn sweep(
        &self,
        work: &Work<'_>,
        between: Between,
        window: Option<u64>,
        progress: &mut Progress,
    ) -> Result<Option<Sweep>, TableError> {
        let context = work.context;
        if !has_key_values(&context.mapping) {
            progress.note(&[BLIND.to_owned()]);
            return Ok(None);
        }
        let mapping = context.mapping.of_key();
        let found = self.found_in(&mapping, SumBy::Read, context, between)?;
        self.guard_of(context).check(&found, &context.mapping)?;
        let side = between.last;
        if found.is_too_much_beside(side, window) {
            return Err(TableError::TooMuchDiffers(context.name.clone()));
        }
        let keys = found.keys(&mapping, side)?;
        let gone = found.pairs().map(|(pair, _)| pair.phantom).sum();
        Ok((!keys.is_empty()).then_some(Sweep { keys, side, gone }))
    }
}
