//! The progress of a load, kept beside the rows that it has brought.

use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::shared_staging::{SharedStaging, StagingKind};
use crate::step::{MAKE, step};
use crate::{key_position, read_back};
use handoff_model::{ColumnName, KeyValue, LossAudit, LossPolicy, TableSum, chain};
use postgres::{Row, Transaction};

const FIND: &str = "look for the rows that an earlier attempt loaded of";

/// The progress of a load.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checkpoint {
    /// Chunks committed.
    pub(crate) chunks: u64,
    /// The key that the last of them ends at; [`None`] before the first and after the last.
    pub(crate) end: Option<Vec<KeyValue>>,
    /// The rows that those chunks brought.
    pub(crate) moved: LoadedRows,
}

impl Checkpoint {
    /// Returns true if there is nothing left to read.
    pub(crate) fn is_done(&self) -> bool {
        self.chunks > 0 && self.end.is_none()
    }
}

/// A landing table and the checkpoint that belongs to it, both named after the copy that the rows
/// are read from: the same copy finds them again, another does not.
///
/// Both are of one persistence, so that a crash of the server empties both or neither: unlogged
/// beside staging, logged beside the build table of a first load. The checkpoint's one row changes
/// in the transaction that brings a chunk.
pub(crate) struct ResumableStaging<'c> {
    pub(crate) to: SharedStaging<'c>,
    pub(crate) kind: StagingKind,
    /// The statement that makes the landing table.
    pub(crate) create: String,
    /// A hash of everything that determines the rows; a checkpoint of something else is of no use.
    pub(crate) of: String,
}

impl ResumableStaging<'_> {
    /// Returns the place to go on from: behind the rows of an earlier attempt, if they are whole, or the
    /// beginning of tables made afresh.
    pub(crate) fn begin(&self) -> Result<Checkpoint> {
        let table = self.to.statements.table();
        match self.to.in_transaction(|tx| self.find(tx)) {
            Ok(CheckpointLookup::Nothing) => {}
            Ok(CheckpointLookup::Whole(mut found)) => {
                let rows = found.moved.rows;
                log::info!("`{table}`: an earlier attempt is taken up after {rows} rows");
                found.moved.notes = vec![format!(
                    "an earlier attempt was taken up after {rows} rows that it had loaded"
                )];
                return Ok(found);
            }
            Ok(CheckpointLookup::Useless(why)) => {
                log::info!("`{table}` is loaded from the start: {why}");
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => log::info!("`{table}` is loaded from the start: {}", chain(&error)),
        }
        self.to.in_transaction(|tx| {
            tx.batch_execute(&self.make()).map_err(step(self.to.statements, MAKE))
        })?;
        Ok(Checkpoint::default())
    }

    /// Notes in the transaction that brings a chunk that it has come.
    pub(crate) fn record(
        &self,
        tx: &mut Transaction<'_>,
        before: &Checkpoint,
        now: &Checkpoint,
    ) -> Result<()> {
        let failed = step(self.to.statements, "note how far the load has come of");
        let changed = self.write(tx, before.chunks, now).map_err(failed)?;
        if changed == 1 {
            return Ok(());
        }
        // Somebody else has written to it since: perhaps the last session of an earlier attempt.
        Err(crate::error::Error::Miscount {
            table: self.to.statements.table(),
            sent: before.moved.rows,
            landed: 0,
            place: "by the checkpoint of this load",
        })
    }

    fn make(&self) -> String {
        let statements = self.to.statements;
        let is_logged = self.kind == StagingKind::Build;
        let unlogged = if is_logged { "" } else { "UNLOGGED " };
        let (own, at) = (statements.own(), statements.checkpoint());
        let of = &self.of;
        // A publication of all tables takes a logged one, and refuses its changes unless it can tell the old row.
        let identity = if is_logged {
            format!("; ALTER TABLE {at} REPLICA IDENTITY FULL")
        } else {
            String::new()
        };
        let none = "decode(repeat('00', 16), 'hex')";
        format!(
            "DROP TABLE IF EXISTS {own}, {at}; {}; CREATE {unlogged}TABLE {at} (\
             made_for text NOT NULL, chunks bigint NOT NULL, place bytea, rows bigint NOT NULL, \
             hash bytea NOT NULL, bytes bigint NOT NULL, audit text[] NOT NULL); \
             INSERT INTO {at} VALUES ('{of}', 0, NULL, 0, {none}, 0, '{{}}'){identity}",
            self.create
        )
    }

    fn find(&self, tx: &mut Transaction<'_>) -> Result<CheckpointLookup> {
        let statements = self.to.statements;
        let there =
            "SELECT to_regclass($1::text) IS NOT NULL AND to_regclass($2::text) IS NOT NULL";
        let there: bool = tx
            .query_one(there, &[&statements.own(), &statements.checkpoint()])
            .and_then(|row| row.try_get(0))
            .map_err(step(statements, FIND))?;
        if !there {
            return Ok(CheckpointLookup::Nothing);
        }
        let sql = format!(
            "SELECT made_for, chunks, place, rows, hash, bytes, audit FROM {}",
            statements.checkpoint()
        );
        let rows = tx.query(&sql, &[]).map_err(step(statements, FIND))?;
        let [row] = &rows[..] else {
            return Ok(CheckpointLookup::Useless("the server has crashed since"));
        };
        if row.try_get::<_, &str>(0).map_err(step(statements, FIND))? != self.of {
            return Ok(CheckpointLookup::Useless("something else was loaded before"));
        }
        let Some(found) = read(row).map_err(step(statements, FIND))? else {
            return Ok(CheckpointLookup::Useless("the checkpoint cannot be read"));
        };
        let rows = found.moved.rows.saturating_add(1);
        let sql = statements.copy_out(&statements.own(), rows);
        if read_back::sum(tx, &sql).map_err(step(statements, FIND))? != found.moved.sum {
            return Ok(CheckpointLookup::Useless("its staging does not agree with the checkpoint"));
        }
        Ok(CheckpointLookup::Whole(found))
    }

    /// Changes the one row, if it stands at the chunk `before`, and returns how many it changed.
    fn write(
        &self,
        tx: &mut Transaction<'_>,
        before: u64,
        at: &Checkpoint,
    ) -> std::result::Result<u64, postgres::Error> {
        let sql = format!(
            "UPDATE {} SET made_for = $1, chunks = $2, place = $3, rows = $4, hash = $5, \
             bytes = $6, audit = $7 WHERE chunks = $8",
            self.to.statements.checkpoint()
        );
        let LoadedRows { rows, bytes, sum, audit, .. } = &at.moved;
        let end = at.end.as_deref().map(key_position::to_bytes);
        let (hash, audit) = (&sum.hash.to_be_bytes()[..], audit_texts(audit));
        let [chunks, rows, bytes, before] =
            [at.chunks, *rows, *bytes, before].map(u64::cast_signed);
        tx.execute(&sql, &[&self.of, &chunks, &end, &rows, &hash, &bytes, &audit, &before])
    }
}

enum CheckpointLookup {
    Nothing,
    Useless(&'static str),
    Whole(Checkpoint),
}

/// Reads the row of a checkpoint; [`None`] if it is not one that we wrote.
fn read(row: &Row) -> std::result::Result<Option<Checkpoint>, postgres::Error> {
    let (chunks, rows, bytes) = (number(row, 1)?, number(row, 3)?, number(row, 5)?);
    let end: Option<&[u8]> = row.try_get(2)?;
    let hash: &[u8] = row.try_get(4)?;
    let audit: Vec<String> = row.try_get(6)?;
    let end = match end.map(key_position::from_bytes) {
        Some(None) => return Ok(None),
        end => end.flatten(),
    };
    let Ok(hash) = hash.try_into().map(u128::from_be_bytes) else { return Ok(None) };
    let Some(audit) = audit_of(&audit) else { return Ok(None) };
    let sum = TableSum { rows, hash };
    let moved = LoadedRows { rows, bytes, sum, audit, notes: Vec::new() };
    Ok(Some(Checkpoint { chunks, end, moved }))
}

fn number(row: &Row, index: usize) -> std::result::Result<u64, postgres::Error> {
    row.try_get::<_, i64>(index).map(i64::cast_unsigned)
}

/// Renders an audit: column, policy and count, one after the other.
fn audit_texts(audit: &LossAudit) -> Vec<String> {
    let entries = audit.entries().iter();
    entries
        .flat_map(|lossy| {
            [
                lossy.column.as_str().to_owned(),
                lossy.policy.name().to_owned(),
                lossy.count.to_string(),
            ]
        })
        .collect()
}

fn audit_of(texts: &[String]) -> Option<LossAudit> {
    let mut audit = LossAudit::default();
    for entry in texts.chunks(3) {
        let [column, policy, count] = entry else { return None };
        let all =
            [LossPolicy::ZeroDates, LossPolicy::NulBytes, LossPolicy::BadText, LossPolicy::BadJson];
        let policy = all.into_iter().find(|known| known.name() == policy)?;
        audit.add(&ColumnName::new(column).ok()?, policy, count.parse().ok()?);
    }
    Some(audit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_read_as_it_was_spelled() {
        let mut audit = LossAudit::default();
        audit.add(&ColumnName::new("note").unwrap(), LossPolicy::NulBytes, 7);
        audit.add(&ColumnName::new("seen").unwrap(), LossPolicy::ZeroDates, 1);
        assert_eq!(audit_of(&audit_texts(&audit)), Some(audit));
        assert_eq!(audit_of(&["note".to_owned()]), None);
    }

    #[test]
    fn a_load_is_done_behind_its_last_chunk_alone() {
        let at = |chunks, end: Option<i64>| {
            let end = end.map(|key| vec![KeyValue::Int(key)]);
            Checkpoint { chunks, end, ..Checkpoint::default() }
        };
        assert!(!at(0, None).is_done() && !at(2, Some(5)).is_done());
        assert!(at(2, None).is_done());
    }
}
