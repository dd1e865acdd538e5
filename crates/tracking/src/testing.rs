//! Made-up states, for tests: behind the feature `testing`.

use crate::state::{CopyState, LoadState};
use crate::status::AttemptStatus;
use handoff_connect::Side;
use handoff_model::{CopyId, RunId};

/// The state of a table whose copy of this identity is intact in the replica. Nothing else is recorded of it.
pub fn copied(copy_id: Option<CopyId>) -> CopyState {
    CopyState {
        place: Side::Replica,
        status: AttemptStatus::Success,
        copy_id,
        pending: None,
        intact: true,
        watermark: None,
        proposed: None,
        fingerprint: None,
        pending_fingerprint: None,
        source_mark: None,
        rows: None,
        bytes: None,
        strategy: None,
        duration_ms: None,
        started_at: None,
        finished_at: None,
        last_success_at: None,
        origin: Default::default(),
        adopted_at: None,
        run: RunId::new(),
        error: None,
    }
}

/// The state of a table that was loaded from the copy of this identity. Nothing else is recorded of it.
pub fn loaded(copy_id: Option<CopyId>) -> LoadState {
    LoadState {
        status: AttemptStatus::Success,
        loaded_copy_id: copy_id,
        watermark: None,
        fingerprint: None,
        columns: None,
        gone_at: None,
        rows: None,
        rows_inserted: None,
        rows_updated: None,
        rows_deleted: None,
        bytes: None,
        strategy: None,
        duration_ms: None,
        checksum: None,
        source_rows: None,
        replica_rows: None,
        target_rows: None,
        proof: None,
        proof_by: None,
        proof_detail: None,
        proved_at: None,
        data_as_of: None,
        started_at: None,
        finished_at: None,
        last_success_at: None,
        origin: Default::default(),
        adopted_at: None,
        run: RunId::new(),
        error: None,
    }
}
