//! The watermarks of a table that is moved without them.

use crate::work::Work;
use handoff_model::Phase;
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
