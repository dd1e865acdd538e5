//! Rows that are gone from the source, found by comparing keys.

use super::difference::TableDifference;
use super::steps::Between;
use crate::error::TableError;
use handoff_connect::Side;
use handoff_model::human::counted;
use handoff_plan::TablePlan;
use handoff_rows::KeyList;

/// The note on a key by which no row can be looked up.
pub(crate) const BLIND: &str = "rows that are gone are found by counting: its key is of a type that cannot be \
                                swept";

/// The keys that only one of two databases has.
pub(crate) struct KeySweep {
    /// Those to bring into line.
    pub(crate) keys: KeyList,
    /// The database in which that is done.
    side: Side,
    /// Rows of it that the other one has not.
    gone: u64,
}

impl KeySweep {
    /// Takes the keys that differ, if there are any. The window brings `window` rows, as far as that is known,
    /// and its new ones are among them.
    ///
    /// # Errors
    ///
    /// Returns [`TableError::TooMuchDiffers`] if moving everything takes less.
    pub(crate) fn of(
        found: &TableDifference,
        plan: &TablePlan,
        between: Between,
        window: Option<u64>,
    ) -> Result<Option<KeySweep>, TableError> {
        let side = between.last;
        if found.is_too_much_beside(side, window) {
            return Err(TableError::TooMuchDiffers(plan.name.clone()));
        }
        let keys = found.keys(&plan.mapping.of_key(), side)?;
        Ok((!keys.is_empty()).then(|| KeySweep { keys, side, gone: found.gone() }))
    }

    /// Returns a remark with the number of deleted rows, if there are any.
    pub(crate) fn note(&self) -> Option<String> {
        let rows = counted(self.gone, "row");
        (self.gone > 0)
            .then(|| format!("{rows} gone from the source: deleted from the {}", self.side))
    }
}
