//! What of a table to move, and why: one pure decision for both hops.

use handoff_model::{Extraction, Reason};

/// What is known of a table when the decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What the settings ask for.
    pub configured: Extraction,
    /// Whether `--full` was given.
    pub asked_full: bool,
    /// Whether an earlier run moved it.
    pub moved_before: bool,
    /// Whether the last attempt ended before it was done.
    pub interrupted: bool,
    /// Whether its structure is another than that of the last run.
    pub structure_changed: bool,
}

/// What of a table to move, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What to move.
    pub extraction: Extraction,
    /// Why.
    pub reason: Reason,
    /// Whether a table that is configured otherwise is moved in full.
    pub force_full_applied: bool,
}

/// Decides. The same answer serves both hops.
pub fn decide(known: Known) -> Decision {
    let reason = if !known.moved_before {
        Reason::FirstRun
    } else if known.asked_full {
        Reason::Asked
    } else if known.interrupted {
        Reason::Interrupted
    } else if known.structure_changed {
        Reason::SchemaChanged
    } else {
        Reason::Configured
    };
    Decision {
        extraction: Extraction::FullTable,
        reason,
        force_full_applied: known.configured != Extraction::FullTable || known.asked_full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Known), expected: Reason) {
        let mut known = Known {
            configured: Extraction::FullTable,
            asked_full: false,
            moved_before: true,
            interrupted: false,
            structure_changed: false,
        };
        change(&mut known);
        assert_eq!(decide(known).reason, expected);
    }

    #[test]
    fn the_first_reason_that_holds_is_given() {
        check(|_| {}, Reason::Configured);
        check(|known| known.asked_full = true, Reason::Asked);
        check(|known| known.interrupted = true, Reason::Interrupted);
        check(|known| known.structure_changed = true, Reason::SchemaChanged);
        check(
            |known| {
                known.moved_before = false;
                known.asked_full = true;
            },
            Reason::FirstRun,
        );
    }
}
