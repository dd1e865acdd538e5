//! The facts of a move that are recorded with its data.

use crate::watermark::WatermarkAt;
use handoff_connect::DatabaseIdentity;
use handoff_model::{CopyId, Extraction, Reason, TableName};
use jiff::Timestamp;

/// The facts of a move that a hook records beside the mover's own figures.
#[derive(Debug, Clone, Copy)]
pub struct PublishedMove<'a> {
    /// The table.
    pub table: &'a TableName,
    /// Hop 1: the copy that is made. Hop 2: the copy that is loaded; `None` when the source is
    /// read directly, and a fresh id is recorded.
    pub copy_id: Option<CopyId>,
    /// Hop 2: when reading the source began for that copy, unless this run has made it.
    pub copied_at: Option<Timestamp>,
    /// Hop 2: the source of that copy, where this run does not read one.
    pub copied_from: Option<&'a DatabaseIdentity>,
    /// The watermarks reached once this move has arrived. They replace the recorded ones, so an
    /// incremental move that found nothing passes the old ones on.
    pub watermark: Option<&'a [WatermarkAt]>,
    /// The structure of the table, as a hash.
    pub fingerprint: &'a str,
    /// The columns that a load writes, as a JSON array of their names in the target.
    pub columns: &'a str,
    /// The state of the source before the read, if the source told one.
    pub source_mark: Option<&'a str>,
    /// The reason for the way of moving.
    pub reason: Reason,
    /// The part of the table that is moved.
    pub extraction: Extraction,
    /// Hop 1: whether nothing of what the copy is to bring is left to be merged. Until it is, hop 2
    /// may not read the replica's table.
    pub is_whole: bool,
}
