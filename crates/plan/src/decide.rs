//! The rows of a table to move, and the reason: one pure decision for both hops.

use crate::auto::AutoFacts;
use crate::hops::Hops;
use crate::window::WatermarkColumn;
use handoff_connect::Side;
use handoff_model::{CopyId, Extraction, Reason, TableName};
use handoff_schema::{MySqlType, StableHash, TableMapping};
use handoff_settings::ValuePolicies;
use handoff_tracking::{AttemptStatus, CopyState, LoadState, TrackedTable, WatermarkAt};
use jiff::{SignedDuration, Timestamp};

/// After this long without a good run an incremental table is moved in full once: what moves no
/// watermark, such as a backup played in, adds up.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Goes up when the text of the policies that is hashed changes its meaning.
const POLICIES_VERSION: u8 = 1;

/// The facts about a table that its decision rests on: settings, schema, the last tracked state and
/// what the caller asks.
#[derive(Debug, Clone, Copy)]
pub struct DecisionInputs<'a> {
    /// The extraction that the settings ask for.
    pub configured: Extraction,
    /// The watermark columns, for an incremental table.
    pub columns: &'a [WatermarkColumn],
    /// True if `--full` was given.
    pub asked_full: bool,
    /// True if rows of another source take the place of those that are there.
    pub is_replaced: bool,
    /// The hops to make.
    pub hops: Hops,
    /// Its recorded state.
    pub tracked: &'a TrackedTable,
    /// The structure that it has now and the policies that concern it (`fingerprint_of`).
    pub fingerprint: &'a str,
    /// True if the target's table is about to get columns that only a load of every row fills.
    pub lacks_rows: bool,
    /// True if the replica has the table, or need not have it.
    pub replica_is_there: bool,
    /// True if the replica's table, if there is one, holds the rows as a copy made now would.
    pub replica_fits: bool,
    /// True if the target has the table, or need not have it.
    pub target_is_there: bool,
    /// True if its rows can be looked up by their key.
    pub has_usable_key: bool,
    /// True if the server tells for sure that nothing was written since the last good copy was made.
    pub unchanged: bool,
    /// The table.
    pub table: &'a TableName,
    /// Its rows by the catalogue.
    pub rows: u64,
    /// The records by which `extraction = "auto"` is decided.
    pub auto: AutoFacts<'a>,
    /// The time.
    pub now: Timestamp,
}

/// The rows of a table to move, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The extraction.
    pub extraction: Extraction,
    /// The reason.
    pub reason: Reason,
    /// True if a table that is configured otherwise is moved in full.
    pub force_full_applied: bool,
    /// The watermarks behind which both hops look for changed rows.
    /// Empty for a table that is moved in full.
    pub since: Vec<WatermarkAt>,
    /// True if the target lacks a full copy that the replica has: hop 2 then loads everything,
    /// while hop 1 copies the changed rows.
    pub loads_all: bool,
}

/// Decides. The same answer serves both hops.
pub fn decide(known: &DecisionInputs<'_>) -> Decision {
    if known.configured == Extraction::Auto { decide_auto(known) } else { decide_known(known) }
}

/// Decides for a table whose extraction each run chooses.
fn decide_auto(known: &DecisionInputs<'_>) -> Decision {
    let compares = known.can_compare();
    let changes_much = compares && known.auto.changes_much(known.load(), known.rows);
    let configured =
        if compares && !changes_much { Extraction::Diff } else { Extraction::FullTable };
    let is_due = compares && known.auto.is_recheck_due(known.table, known.now);
    let unchanged = known.unchanged && !is_due;
    let decision = decide_known(&DecisionInputs { configured, unchanged, ..*known });
    match decision.reason {
        Reason::Configured if changes_much => Decision { reason: Reason::ManyDiffer, ..decision },
        // The target is not read where the rows of the source are compared with the replica's.
        Reason::Compared if is_due => {
            let in_replica = known.copy().is_some_and(|copy| copy.place == Side::Replica);
            let loads_all = decision.loads_all || (in_replica && known.hops == Hops::Both);
            Decision { reason: Reason::Recheck, loads_all, ..decision }
        }
        _ => decision,
    }
}

fn decide_known(known: &DecisionInputs<'_>) -> Decision {
    match full(known) {
        Some(reason) => known.in_full(reason),
        None if known.configured == Extraction::Diff => known.compared(),
        None => known.incremental(),
    }
}

/// Returns why the table is moved in full, if it is.
fn full(known: &DecisionInputs<'_>) -> Option<Reason> {
    let incremental = known.configured != Extraction::FullTable;
    let compared = known.configured == Extraction::Diff;
    if known.is_replaced && known.moved_before() {
        // Nothing that is recorded of it says anything of this source.
        Some(Reason::NewSource)
    } else if known.is_only_to_be_loaded() {
        Some(Reason::CopiedNotLoaded)
    } else if !known.moved_before() {
        Some(Reason::FirstRun)
    } else if known.asked_full {
        Some(Reason::Asked)
    } else if known.tracked.was_interrupted() && !incremental {
        Some(Reason::Interrupted)
    } else if known.structure_changed() {
        Some(Reason::SchemaChanged)
    } else if known.policies_changed() {
        Some(Reason::PoliciesChanged)
    } else if known.is_as_it_was() {
        Some(Reason::Unchanged)
    } else if compared {
        known.not_compared()
    } else if !incremental {
        Some(Reason::Configured)
    } else if !(known.replica_is_there && known.target_is_there) || known.since().is_none() {
        Some(Reason::NoWatermark)
    } else if known.is_long_ago() {
        Some(Reason::GapTooLong)
    } else {
        None
    }
}

/// Spells the fingerprint that is recorded of a table: that of its structure, and behind a `+` that of the
/// policies of `[values]` that concern its columns and are no default.
pub fn fingerprint_of(schema: u64, mapping: &TableMapping, values: &ValuePolicies) -> String {
    let mut own = ValuePolicies::default();
    // The settings may make a text a document, and the other way round.
    if mapping.columns.iter().any(|column| is_text(&column.source.kind)) {
        own = ValuePolicies { zero_dates: own.zero_dates, ..*values };
    }
    if mapping.columns.iter().any(|column| has_days(&column.source.kind)) {
        own.zero_dates = values.zero_dates;
    }
    if own == ValuePolicies::default() {
        return format!("{schema:016x}");
    }
    let mut policies = StableHash::new(POLICIES_VERSION);
    policies.text(&own.canonical());
    format!("{schema:016x}+{:016x}", policies.digest())
}

fn is_text(kind: &MySqlType) -> bool {
    use MySqlType as M;
    matches!(kind, M::Char | M::VarChar | M::Text | M::Json | M::Enum(_) | M::Set(_))
}

fn has_days(kind: &MySqlType) -> bool {
    matches!(kind, MySqlType::Date | MySqlType::DateTime(_) | MySqlType::Timestamp(_))
}

fn structure(fingerprint: &str) -> &str {
    fingerprint.split_once('+').map_or(fingerprint, |(structure, _)| structure)
}

fn policies(fingerprint: &str) -> Option<&str> {
    fingerprint.split_once('+').map(|(_, policies)| policies)
}

impl<'a> DecisionInputs<'a> {
    fn in_full(&self, reason: Reason) -> Decision {
        Decision {
            extraction: if reason == Reason::Unchanged {
                self.configured
            } else {
                Extraction::FullTable
            },
            reason,
            force_full_applied: reason != Reason::Unchanged
                && (self.asked_full || self.configured != Extraction::FullTable),
            since: Vec::new(),
            loads_all: false,
        }
    }

    /// Returns true if the rows of the table can be compared, and there may be some.
    fn can_compare(&self) -> bool {
        let was_empty = self.rows == 0
            && self.copy().is_some_and(|copy| copy.rows == Some(0))
            && self.load().is_some_and(|load| load.rows == Some(0));
        !was_empty && self.not_compared().is_none()
    }

    /// Returns why a table whose rows are to be compared is moved in full, if it is.
    fn not_compared(&self) -> Option<Reason> {
        if !self.has_usable_key {
            Some(Reason::NoKey)
        } else if !(self.replica_is_there && self.target_is_there) || self.hops == Hops::Load {
            // What hop 1 found to differ is not kept for a hop 2 of another run.
            Some(Reason::NotCompared)
        } else {
            None
        }
    }

    fn compared(&self) -> Decision {
        Decision {
            extraction: Extraction::Diff,
            reason: Reason::Compared,
            force_full_applied: false,
            since: Vec::new(),
            loads_all: self.hops == Hops::Both && !self.loaded_is_copied(),
        }
    }

    /// Returns true if the target is known to hold what the replica holds.
    fn loaded_is_copied(&self) -> bool {
        // A merge that broke off has moved rows of which hop 2 was not told.
        let whole = self.copy().filter(|copy| copy.intact && !self.tracked.was_interrupted());
        let copied = whole.and_then(|copy| copy.copy_id);
        let load = self.load().filter(|load| load.proof.as_deref() != Some("differs"));
        copied.is_some() && copied == load.and_then(|load| load.loaded_copy_id)
    }

    fn incremental(&self) -> Decision {
        // A merge that was interrupted is repeated by the same window.
        let interrupted = self.tracked.was_interrupted();
        Decision {
            extraction: self.configured,
            reason: if interrupted { Reason::Interrupted } else { Reason::Watermark },
            force_full_applied: false,
            since: self.since().map(<[WatermarkAt]>::to_vec).unwrap_or_default(),
            loads_all: self.loads_all(),
        }
    }

    fn copy(&self) -> Option<&'a CopyState> {
        self.tracked.copy.as_ref().filter(|copy| copy.copy_id.is_some())
    }

    fn load(&self) -> Option<&'a LoadState> {
        self.tracked.load.as_ref().filter(|load| load.last_success_at.is_some())
    }

    fn moved_before(&self) -> bool {
        match self.hops {
            Hops::Copy => self.copy().is_some(),
            Hops::Both | Hops::Load => self.load().is_some(),
        }
    }

    /// Returns true if the last good copy is what a new one would be.
    fn copy_is_current(&self) -> bool {
        let good = self.copy().filter(|copy| copy.status == AttemptStatus::Success && copy.intact);
        let same = good.filter(|copy| copy.fingerprint.as_deref() == Some(self.fingerprint));
        self.unchanged
            && self.replica_is_there
            && self.replica_fits
            && same.is_some_and(|copy| is_whole(copy) || self.is_counted(copy))
    }

    /// Returns true if the rows were counted everywhere once the copy was loaded, and are as many.
    fn is_counted(&self, copy: &CopyState) -> bool {
        self.load().is_some_and(|load| {
            load.loaded_copy_id == copy.copy_id
                && load.source_rows.is_some()
                && load.source_rows == load.target_rows
        })
    }

    /// Returns true if the target holds the last good copy, and that was not found to differ.
    fn is_loaded(&self) -> bool {
        let copied = self.copy().and_then(|copy| copy.copy_id);
        let good = self.load().filter(|load| load.status == AttemptStatus::Success);
        self.target_is_there && good.is_some_and(|load| load.loaded_copy_id == copied)
    }

    fn is_as_it_was(&self) -> bool {
        match self.hops {
            Hops::Both => self.copy_is_current() && self.is_loaded(),
            Hops::Copy => self.copy_is_current(),
            Hops::Load => false,
        }
    }

    /// Returns true if a load of the last good copy is all that is left to do. One that was loaded and
    /// found to differ is no such copy.
    fn is_only_to_be_loaded(&self) -> bool {
        let loadable = self.copy().filter(|copy| copy.loadable());
        let loaded = self.load().and_then(|load| load.loaded_copy_id);
        self.hops == Hops::Both
            && !self.asked_full
            && self.copy_is_current()
            && loadable.is_some_and(|copy| loaded != copy.copy_id || !self.target_is_there)
    }

    /// A hop compares with what it moved last itself.
    fn structure_changed(&self) -> bool {
        let copied = self.copy().and_then(|copy| copy.fingerprint.as_deref());
        let loaded = self.load().and_then(|load| load.fingerprint.as_deref());
        let moved = match self.hops {
            Hops::Copy => [copied, None],
            Hops::Load => [loaded, None],
            Hops::Both => [copied, loaded],
        };
        let own = structure(self.fingerprint);
        !self.replica_fits
            || self.lacks_rows
            || moved.into_iter().flatten().any(|moved| structure(moved) != own)
    }

    /// Returns true if rows that were loaded before would become others now.
    fn policies_changed(&self) -> bool {
        let loads = self.hops != Hops::Copy;
        let loaded = self.load().and_then(|load| load.fingerprint.as_deref());
        loaded.is_some_and(|loaded| loads && policies(loaded) != policies(self.fingerprint))
    }

    /// The last good watermarks, if each column has one. Those of the load are the older ones where
    /// it lags behind the copy; where it lacks a full copy, its own say nothing.
    fn since(&self) -> Option<&'a [WatermarkAt]> {
        let copied = self.copy().and_then(|copy| copy.watermark.as_deref());
        let loaded = self.load().and_then(|load| load.watermark.as_deref());
        let since = match self.hops {
            Hops::Copy => copied?,
            Hops::Load => loaded.filter(|_| self.load_builds_on_copy())?,
            Hops::Both if self.load_builds_on_copy() => copied.and(loaded)?,
            Hops::Both => copied?,
        };
        self.columns.iter().all(|column| column.mark(since).is_some()).then_some(since)
    }

    /// Returns true if the replica got nothing but changed rows since the copy that was loaded.
    fn load_builds_on_copy(&self) -> bool {
        let copied = self.copy().and_then(|copy| base(copy.watermark.as_deref()));
        copied.is_some() && copied == self.load().and_then(|load| base(load.watermark.as_deref()))
    }

    fn loads_all(&self) -> bool {
        // A merge that broke off may have been a repair, of rows that no window finds.
        let broken_off = self.copy().is_some_and(|copy| !copy.intact);
        self.hops == Hops::Both && (broken_off || !self.load_builds_on_copy())
    }

    fn is_long_ago(&self) -> bool {
        let merged = if self.loads_all() { Hops::Copy } else { self.hops };
        last_good(self.tracked, merged)
            .is_none_or(|last| self.now.duration_since(last) > LONGEST_GAP)
    }
}

/// Returns true if every row was copied, and not the changed ones alone.
fn is_whole(copy: &CopyState) -> bool {
    let base = base(copy.watermark.as_deref());
    base.is_none() || base == copy.copy_id
}

/// Returns the full copy that watermarks build on.
fn base(watermarks: Option<&[WatermarkAt]>) -> Option<CopyId> {
    Some(watermarks?.first()?.base)
}

/// Returns since when changes of the source are known to be missing, as far as the hops go that
/// bring changed rows.
pub fn last_good(tracked: &TrackedTable, hops: Hops) -> Option<Timestamp> {
    match hops {
        Hops::Copy => tracked.copy.as_ref()?.data_as_of(),
        Hops::Both | Hops::Load => tracked.data_as_of(),
    }
}

#[cfg(test)]
mod tests;
