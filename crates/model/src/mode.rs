//! The ways to move a table, and the reasons for them.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Returns the name used in settings, reports and tracking tables.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// Finds a value by its [`name`](Self::name).
            pub fn by_name(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// The part of a table that a run moves.
    Extraction {
        /// Every row, or those that differ, whichever is cheaper; each run decides by its records.
        Auto => "auto",
        /// Every row.
        FullTable => "full_table",
        /// The rows whose watermark column moved since the last run.
        Incremental => "incremental",
        /// The same in batches, each with a watermark of its own.
        IncrementalChunked => "incremental_chunked",
        /// The rows that differ, found by comparing all of them; needs no watermark.
        Diff => "diff",
    }
}

impl Extraction {
    /// Returns true for those that move the rows behind a watermark.
    pub fn is_by_watermark(self) -> bool {
        matches!(self, Extraction::Incremental | Extraction::IncrementalChunked)
    }
}

/// The fate of target rows that are absent from a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// All rows are read: the target's other rows are deleted.
    Full,
    /// Some rows are read: the others stay.
    Incremental,
}

named! {
    /// A way to load rows from MySQL into PostgreSQL.
    Strategy {
        /// Parameterised multi-row INSERT.
        Standard => "standard",
        /// One COPY BINARY stream.
        Streaming => "streaming",
        /// Keyset chunks with checkpoints; resumes in the middle of a table.
        Chunked => "chunked",
        /// Key ranges, one COPY BINARY worker each.
        Parallel => "parallel",
        /// A CSV spool file, then COPY CSV.
        CopyCsv => "copy_csv",
        /// Reads and encodes, writes nothing; for benches.
        Discard => "discard",
    }
}

named! {
    /// By what a proof tells that a table is the same in two databases.
    #[derive(Default)]
    ProofBy {
        /// The number of rows.
        Counts => "counts",
        /// The sums of the rows that were moved, taken while they went by.
        #[default]
        Sums => "sums",
        /// Every row of every database, read for the proof.
        Rows => "rows",
    }
}

named! {
    /// The side that sums the rows of source and replica when they are compared.
    #[derive(Default)]
    SumBy {
        /// The rows are read and summed here.
        Read => "read",
        /// Both servers sum them, by the same statement.
        Sql => "sql",
        /// Whichever a trial of each table finds faster.
        #[default]
        Auto => "auto",
    }
}

named! {
    /// The treatment of rows that are gone from the source, in a table of which the changed rows
    /// are moved.
    #[derive(Default)]
    Deletes {
        /// The rows are counted, and all of them moved where the numbers differ.
        #[default]
        Count => "count",
        /// The keys are compared, and what is gone is deleted.
        Sweep => "sweep",
        /// They stay.
        Ignore => "ignore",
    }
}

named! {
    /// Whose turn comes first. Within one priority the largest table is first.
    #[derive(Default)]
    Priority {
        /// Before all others.
        High => "high",
        /// Unless something else is said.
        #[default]
        Medium => "medium",
        /// After all others were started.
        Low => "low",
    }
}

named! {
    /// The reason that a table is moved in full, or is not.
    Reason {
        /// `--full` was given.
        Asked => "asked",
        /// The rows of another source take the place of those that are there.
        NewSource => "new_source",
        /// The settings say `full_table`.
        Configured => "configured",
        /// The table was never moved before.
        FirstRun => "first_run",
        /// The table is incremental, but no usable watermark is known.
        NoWatermark => "no_usable_watermark",
        /// The structure of the table changed since the last run.
        SchemaChanged => "schema_changed",
        /// The settings changed their policy for values that PostgreSQL cannot hold.
        PoliciesChanged => "policies_changed",
        /// The server of the replica found its table damaged.
        ReplicaDamaged => "replica_damaged",
        /// The row counts differed after an incremental move.
        RowsDeleted => "rows_were_deleted",
        /// The rows differed when they were compared after an incremental move.
        RowsDiffer => "rows_differed",
        /// The changed rows collided with rows that were not read.
        Collided => "rows_collided",
        /// The last run is too long ago for the overlap to be trusted.
        GapTooLong => "gap_too_long",
        /// The table is compared row by row, but MySQL cannot look its rows up by their key.
        NoKey => "no_usable_key",
        /// The rows are to be compared, and there is nothing to compare them with.
        NotCompared => "nothing_to_compare_with",
        /// So many rows differ, or did in the last run, that moving everything takes less.
        ManyDiffer => "many_rows_differ",
        /// The rows that differ were found by comparing.
        Compared => "compared",
        /// The same, and all of the target was compared as well, as it is once in a while.
        Recheck => "recheck",
        /// `etl repair` mends the table.
        Repair => "repair",
        /// The last attempt did not finish.
        Interrupted => "interrupted",
        /// Only rows since the watermark are moved.
        Watermark => "watermark",
        /// The replica holds what the source does, and the target does not yet.
        CopiedNotLoaded => "copied_not_loaded",
        /// The table did not change since it was last moved.
        Unchanged => "unchanged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_value() {
        for &strategy in Strategy::ALL {
            assert_eq!(Strategy::by_name(strategy.name()), Some(strategy));
        }
        assert_eq!(Extraction::by_name("hybrid"), None);
    }

    #[test]
    fn no_two_values_share_a_name() {
        let reasons: std::collections::BTreeSet<&str> =
            Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(reasons.len(), Reason::ALL.len());
        for &reason in Reason::ALL {
            assert_eq!(Reason::by_name(reason.name()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        assert_eq!(ProofBy::default().name(), "sums");
        assert_eq!(SumBy::default().name(), "auto");
        assert_eq!(Deletes::default().name(), "count");
        assert_eq!(Priority::default().name(), "medium");
    }

    #[test]
    fn priorities_are_in_the_order_of_their_turns() {
        assert!(Priority::High < Priority::Medium && Priority::Medium < Priority::Low);
    }
}
