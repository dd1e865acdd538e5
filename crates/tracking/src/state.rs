//! The recorded state of each table.

use crate::error::Result;
use crate::finding::CopyRecovery;
use crate::origin::DataOrigin;
use crate::status::AttemptStatus;
use crate::text_fields::TextFields;
use crate::watermark::WatermarkAt;
use crate::{moment, watermark};
use handoff_connect::Side;
use handoff_model::{CopyId, ProofBy, RunId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// The recorded state of one table. The default is a table that was never met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackedTable {
    /// Hop 1; `None` if it was never tried.
    pub copy: Option<CopyState>,
    /// Hop 2; `None` if it was never tried.
    pub load: Option<LoadState>,
}

/// A row of `etl_copy_status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyState {
    /// The side that holds the record: the replica, or the target where there is no replica.
    pub place: Side,
    /// The outcome of the last attempt.
    pub status: AttemptStatus,
    /// The last good copy.
    pub copy_id: Option<CopyId>,
    /// The copy that was begun and is not known to have arrived.
    pub pending: Option<CopyId>,
    /// True if the replica table holds one whole copy: not while rows are merged into the table,
    /// nor after a merge that did not end well.
    pub intact: bool,
    /// The watermarks that the last good copy reached.
    pub watermark: Option<Vec<WatermarkAt>>,
    /// The watermarks that the pending copy is to reach.
    pub proposed: Option<Vec<WatermarkAt>>,
    /// The structure of the last good copy.
    pub fingerprint: Option<String>,
    /// The structure of the copy that was begun.
    pub pending_fingerprint: Option<String>,
    /// The state of the source before the last good copy was read. A copy of changed rows may have
    /// missed some changes, unless the rows were counted afterwards.
    pub source_mark: Option<String>,
    /// The databases that the copy came through.
    pub origin: DataOrigin,
    /// Rows that the last good copy moved; unknown after a recovery.
    pub rows: Option<u64>,
    /// Bytes that it moved.
    pub bytes: Option<u64>,
    /// The strategy.
    pub strategy: Option<String>,
    /// The duration in milliseconds.
    pub duration_ms: Option<u64>,
    /// The start of the last attempt.
    pub started_at: Option<Timestamp>,
    /// The end of the last attempt.
    pub finished_at: Option<Timestamp>,
    /// The arrival of the last good copy.
    pub last_success_at: Option<Timestamp>,
    /// The time at which the table was adopted.
    pub adopted_at: Option<Timestamp>,
    /// The run of the last attempt.
    pub run: RunId,
    /// The error of the last attempt, if it failed.
    pub error: Option<String>,
}

/// A row of `etl_load_status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadState {
    /// The outcome of the last attempt.
    pub status: AttemptStatus,
    /// The copy that the target table was loaded from.
    pub loaded_copy_id: Option<CopyId>,
    /// The watermarks that the last good load reached.
    pub watermark: Option<Vec<WatermarkAt>>,
    /// The structure of the last good load.
    pub fingerprint: Option<String>,
    /// The columns that it wrote, by their names in the target.
    pub columns: Option<BTreeSet<String>>,
    /// The time at which a run first found that the table is gone from the source.
    pub gone_at: Option<Timestamp>,
    /// Rows that the last good load moved.
    pub rows: Option<u64>,
    /// Rows that were not there before it.
    pub rows_inserted: Option<u64>,
    /// Rows that it changed.
    pub rows_updated: Option<u64>,
    /// Rows that it deleted.
    pub rows_deleted: Option<u64>,
    /// Bytes that it moved.
    pub bytes: Option<u64>,
    /// The strategy that moved them.
    pub strategy: Option<String>,
    /// The duration in milliseconds.
    pub duration_ms: Option<u64>,
    /// The sum of its canonical rows.
    pub checksum: Option<String>,
    /// Rows in the source when it was proved.
    pub source_rows: Option<u64>,
    /// Rows in the replica when it was proved.
    pub replica_rows: Option<u64>,
    /// Rows in the target when it was proved.
    pub target_rows: Option<u64>,
    /// The outcome of the proof, as [`ProofOutcome`](crate::ProofOutcome) names it.
    pub proof: Option<String>,
    /// By what it was proved.
    pub proof_by: Option<ProofBy>,
    /// All that is known of the proof, as the JSON of a report.
    pub proof_detail: Option<String>,
    /// The time of the proof.
    pub proved_at: Option<Timestamp>,
    /// The time at which reading the source began for the target's data: no younger change is in
    /// the target.
    pub data_as_of: Option<Timestamp>,
    /// The databases that the last good load came through.
    pub origin: DataOrigin,
    /// The start of the last attempt.
    pub started_at: Option<Timestamp>,
    /// The end of the last attempt.
    pub finished_at: Option<Timestamp>,
    /// The arrival of the last good load.
    pub last_success_at: Option<Timestamp>,
    /// The time at which the table was adopted.
    pub adopted_at: Option<Timestamp>,
    /// The run of the last attempt.
    pub run: RunId,
    /// The error of the last attempt, if it failed.
    pub error: Option<String>,
}

impl TrackedTable {
    /// Returns the copy in the replica that hop 2 may read, if it may.
    pub fn loadable_copy(&self) -> Option<CopyId> {
        self.copy.as_ref().filter(|copy| copy.loadable())?.copy_id
    }

    /// Returns true if the table ever arrived in the target.
    pub fn was_loaded(&self) -> bool {
        self.load.as_ref().is_some_and(|load| load.last_success_at.is_some())
    }

    /// Returns when reading the source began for what the target holds: no younger change is in it.
    /// [`None`] if nothing ever arrived, or if all that is known of it was recorded by a version
    /// that did not keep it and the replica holds another copy by now.
    pub fn data_as_of(&self) -> Option<Timestamp> {
        let load = self.load.as_ref().filter(|load| load.last_success_at.is_some())?;
        load.data_as_of.or_else(|| {
            let copy = self.copy.as_ref()?;
            let is_loaded = copy.copy_id.is_some() && copy.copy_id == load.loaded_copy_id;
            if is_loaded { copy.data_as_of() } else { None }
        })
    }

    /// Returns true if the last attempt at either hop began and never ended.
    pub fn was_interrupted(&self) -> bool {
        let copy = self.copy.as_ref().map(|copy| copy.status);
        let load = self.load.as_ref().map(|load| load.status);
        let unfinished = [AttemptStatus::Running, AttemptStatus::Interrupted];
        copy.into_iter().chain(load).any(|status| unfinished.contains(&status))
    }

    /// Returns true if the last attempt at either hop, or the proof, did not end well: what
    /// `--only-failed` is about.
    pub fn last_attempt_failed(&self) -> bool {
        let copy = self.copy.as_ref().map(|copy| copy.status);
        let load = self.load.as_ref().map(|load| load.status);
        copy.into_iter().chain(load).any(|status| status != AttemptStatus::Success)
    }

    /// Returns what will be known once a recovery has dealt with an interrupted copy.
    #[must_use]
    pub fn settled(mut self, remedy: CopyRecovery) -> TrackedTable {
        if let Some(copy) = &mut self.copy {
            copy.settle(remedy);
        }
        self
    }

    /// Returns the structure that was last moved, as a hash: the copy's, else the load's.
    pub fn fingerprint(&self) -> Option<&str> {
        let copied = self.copy.as_ref().and_then(|copy| copy.fingerprint.as_deref());
        let loaded = self.load.as_ref().and_then(|load| load.fingerprint.as_deref());
        copied.or(loaded)
    }
}

impl CopyState {
    /// The same that [`Tracker::settle`](crate::Tracker::settle) writes down.
    fn settle(&mut self, remedy: CopyRecovery) {
        let proposed = (self.pending.take(), self.proposed.take(), self.pending_fingerprint.take());
        let source = self.origin.pending_source.take();
        if remedy == CopyRecovery::Finish {
            self.origin = DataOrigin { source, ..DataOrigin::default() };
            (self.copy_id, self.watermark, self.fingerprint) = proposed;
            (self.status, self.intact, self.source_mark) = (AttemptStatus::Success, true, None);
            self.error = None;
        } else {
            self.status = AttemptStatus::Interrupted;
        }
    }

    /// Returns when reading the source began for the last good copy; if a later run had to finish
    /// it, when it was found to have arrived.
    pub fn data_as_of(&self) -> Option<Timestamp> {
        let arrived = self.last_success_at?;
        let took = i64::try_from(self.duration_ms.unwrap_or(0)).unwrap_or(0);
        arrived.checked_sub(SignedDuration::from_millis(took)).ok()
    }

    /// Returns true if hop 2 may read the replica table: it holds one whole copy, and no attempt
    /// at another is under way. A later attempt that failed beside the table leaves it so.
    pub fn loadable(&self) -> bool {
        self.place == Side::Replica
            && self.copy_id.is_some()
            && self.intact
            && self.status != AttemptStatus::Running
    }

    /// Returns true if a table of this name in the replica is our work, or was adopted.
    ///
    /// A row alone does not say so: a table that isn't ours gets one when it fails.
    pub fn is_ours(&self) -> bool {
        self.copy_id.is_some() || self.pending.is_some() || self.adopted_at.is_some()
    }
}

impl LoadState {
    /// Returns the number of retained rows at the last count of both sides, if there were any.
    pub fn kept_rows(&self) -> Option<u64> {
        self.target_rows?.checked_sub(self.source_rows?).filter(|&kept| kept > 0)
    }

    /// Returns true if a table of this name in the target is our work, or was adopted.
    pub fn is_ours(&self) -> bool {
        self.last_success_at.is_some() || self.adopted_at.is_some()
    }
}

impl TextFields {
    pub(crate) fn copy(&self, place: Side) -> Result<CopyState> {
        Ok(CopyState {
            place,
            status: self.required("status", AttemptStatus::by_name)?,
            copy_id: self.read("copy_id", CopyId::parse)?,
            pending: self.read("pending_copy_id", CopyId::parse)?,
            intact: self.required("intact", |text| Some(text != "0"))?,
            watermark: self.read("watermark", watermark::from_json)?,
            proposed: self.read("proposed_watermark", watermark::from_json)?,
            fingerprint: self.text("fingerprint"),
            pending_fingerprint: self.text("pending_fingerprint"),
            source_mark: self.text("source_mark"),
            origin: self.copy_origin()?,
            rows: self.count("rows_copied")?,
            bytes: self.count("bytes")?,
            strategy: self.text("strategy"),
            duration_ms: self.count("duration_ms")?,
            started_at: self.read("started_at", moment::parse)?,
            finished_at: self.read("finished_at", moment::parse)?,
            last_success_at: self.read("last_success_at", moment::parse)?,
            adopted_at: self.read("adopted_at", moment::parse)?,
            run: self.required("run_id", RunId::parse)?,
            error: self.text("error"),
        })
    }

    pub(crate) fn load(&self) -> Result<LoadState> {
        Ok(LoadState {
            status: self.required("status", AttemptStatus::by_name)?,
            loaded_copy_id: self.read("loaded_copy_id", CopyId::parse)?,
            watermark: self.read("watermark", watermark::from_json)?,
            fingerprint: self.text("fingerprint"),
            columns: self.read("columns", |text| serde_json::from_str(text).ok())?,
            gone_at: self.read("gone_at", moment::parse)?,
            rows: self.count("rows_loaded")?,
            rows_inserted: self.count("rows_inserted")?,
            rows_updated: self.count("rows_updated")?,
            rows_deleted: self.count("rows_deleted")?,
            bytes: self.count("bytes")?,
            strategy: self.text("strategy"),
            duration_ms: self.count("duration_ms")?,
            checksum: self.text("checksum"),
            source_rows: self.count("source_rows")?,
            replica_rows: self.count("replica_rows")?,
            target_rows: self.count("target_rows")?,
            proof: self.text("proof"),
            // A later version may prove by more.
            proof_by: self.get("proof_by").and_then(ProofBy::by_name),
            proof_detail: self.text("proof_detail"),
            proved_at: self.read("proved_at", moment::parse)?,
            data_as_of: self.read("data_as_of", moment::parse)?,
            origin: self.load_origin()?,
            started_at: self.read("started_at", moment::parse)?,
            finished_at: self.read("finished_at", moment::parse)?,
            last_success_at: self.read("last_success_at", moment::parse)?,
            adopted_at: self.read("adopted_at", moment::parse)?,
            run: self.required("run_id", RunId::parse)?,
            error: self.text("error"),
        })
    }
}
