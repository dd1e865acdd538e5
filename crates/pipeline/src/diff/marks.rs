//! The watermarks of a table that is moved without them.

use crate::work::Work;
use handoff_model::{CopyId, Phase};
use handoff_tracking::WatermarkAt;

impl Work<'_> {
    /// Returns how far a hop is recorded to have come. Rows that a comparison found move no watermark,
    /// and lose none: those since are still to be found by it.
    pub(crate) fn old_marks(&self, phase: Phase) -> Option<Vec<WatermarkAt>> {
        let tracked = &self.context.tracked;
        match phase {
            Phase::Copy => tracked.copy.as_ref()?.watermark.clone(),
            _ => tracked.load.as_ref()?.watermark.clone(),
        }
    }
}

/// Returns the marks of a copy in which rows were brought into line that no window finds: like a full copy
/// it is one that a load has to build upon, and one that was loaded before does not.
pub(super) fn based(marks: Option<&[WatermarkAt]>, base: CopyId) -> Option<Vec<WatermarkAt>> {
    let based = |mark: &WatermarkAt| WatermarkAt { base, ..mark.clone() };
    Some(marks?.iter().map(based).collect())
}
