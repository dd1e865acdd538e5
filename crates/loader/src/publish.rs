//! Making the landed rows visible.

use crate::error::{Error, Result};
use crate::job::{LoadMode, LoadScope};
use crate::keyed;
use crate::loaded_rows::LoadedRows;
use crate::loader_options::LoaderOptions;
use crate::merge::{ANALYZE_ABOVE, GoneRows, StagingMerge, TargetChanges};
use crate::row_source::RowSource;
use crate::shared_staging::StagingKind;
use crate::staging_table::StagingTable;
use crate::step::{NAME, step};

/// Bytes from which on the server's own memory settings and statistics of staging pay off.
const LARGE: u64 = 8 << 20;

/// The `default_statistics_target` for the first load of a large table. At the usual 100 the
/// statistics of a wide table take as long as the copy of 100,000 rows; these take a fortieth, and
/// tell the planner the rows and the share of NULLs until better ones are there: the server sees
/// every row of the commit as changed since, so its autovacuum gathers the full statistics within a
/// minute or so.
const FIRST_STATISTICS: u32 = 3;

/// Statistics are gathered if at least one row in so many changed. It is PostgreSQL's own measure
/// (`autovacuum_analyze_scale_factor`), and its autovacuum adds up the changes of several loads.
const WORTH_STATISTICS: u64 = 10;

/// Publishes within the landing's transaction.
pub(crate) struct TargetPublisher<'a> {
    pub(crate) options: &'a LoaderOptions,
    pub(crate) other_unique: bool,
    /// The approximate number of rows of the table.
    pub(crate) rows: u64,
    /// The rows that the load is about.
    pub(crate) scope: LoadScope<'a>,
    /// The source of the rows that are looked up by their keys.
    pub(crate) source: &'a RowSource<'a>,
}

impl TargetPublisher<'_> {
    /// Publishes the landed rows. Rows that are looked up by their keys are added to `moved`.
    pub(crate) fn run(
        &self,
        landing: &mut StagingTable<'_>,
        moved: &mut LoadedRows,
    ) -> Result<TargetChanges> {
        if moved.bytes >= LARGE {
            self.give_memory(landing)?;
        }
        let (changes, known) = match landing.kind {
            StagingKind::Target | StagingKind::Build => (self.first(landing, moved)?, 0),
            StagingKind::Temporary | StagingKind::Unlogged => {
                (self.refresh(landing, moved)?, self.rows)
            }
        };
        let rows = changes.rows();
        if rows > 0 && rows.saturating_mul(WORTH_STATISTICS) >= known {
            landing.run("analyze", &landing.statements.analyze_target())?;
        }
        Ok(changes)
    }

    /// Completes a table that is not in use yet. The index is built after the data.
    fn first(&self, landing: &mut StagingTable<'_>, moved: &LoadedRows) -> Result<TargetChanges> {
        landing.open()?;
        let statements = landing.statements;
        if landing.kind == StagingKind::Build {
            landing.run(NAME, &statements.rename_build(landing.mapping))?;
        }
        let key = statements.add_key(landing.mapping);
        if let Some(sql) = &key {
            landing.run("build the key of", sql)?;
        }
        // An event trigger may have made something else of it.
        landing.check_target()?;
        // Several connections wrote it, and a server that does not wait for its disk may have lost
        // what it confirmed.
        if landing.kind == StagingKind::Build
            && (key.is_none() || !was_indexed(landing, moved.rows)?)
        {
            count(landing, statements.rows(), moved.rows)?;
        }
        if let Some(sql) = statements.grant(&self.options.grant_select_to) {
            landing.run("grant access to", &sql)?;
        }
        if moved.bytes >= LARGE {
            let sql = format!("SET LOCAL default_statistics_target = {FIRST_STATISTICS}");
            landing.run("set the statistics of", &sql)?;
        }
        Ok(TargetChanges { inserted: moved.rows, ..TargetChanges::default() })
    }

    fn refresh(
        &self,
        landing: &mut StagingTable<'_>,
        moved: &mut LoadedRows,
    ) -> Result<TargetChanges> {
        if landing.unchanged {
            return Ok(TargetChanges::default());
        }
        let changes = match self.scope {
            LoadScope::Keys(keys) => keyed::publish(landing, moved, keys, self.other_unique)?,
            LoadScope::FilterAndKeys(keys) => {
                if landing.opened && landing.kind == StagingKind::Unlogged {
                    let staging = landing.table();
                    count(landing, &staging, moved.rows)?;
                }
                keyed::land(landing, moved, keys, self.source, self.options)?;
                keyed::publish(landing, moved, keys, self.other_unique)?
            }
            LoadScope::Filter if moved.rows == 0 => self.empty(landing)?,
            LoadScope::Filter => self.replace(landing, moved)?,
        };
        if landing.opened && landing.kind == StagingKind::Unlogged {
            landing.run("drop the staging of", &landing.statements.drop_own())?;
        }
        Ok(changes)
    }

    /// There was no row to read.
    fn empty(&self, landing: &mut StagingTable<'_>) -> Result<TargetChanges> {
        if landing.mode == LoadMode::Incremental {
            return Ok(TargetChanges::default());
        }
        landing.lock()?;
        let deleted = landing.run("empty", &landing.statements.delete_all())?;
        Ok(TargetChanges { deleted, before: Some(deleted), ..TargetChanges::default() })
    }

    fn replace(&self, landing: &mut StagingTable<'_>, moved: &LoadedRows) -> Result<TargetChanges> {
        let (statements, staging) = (landing.statements, landing.table());
        let keyless = landing.mapping.key.is_empty();
        if landing.kind == StagingKind::Unlogged {
            count(landing, &staging, moved.rows)?;
        }
        if !keyless && moved.rows > ANALYZE_ABOVE {
            landing.run("analyze the staging of", &statements.analyze_keys(&staging))?;
        }
        landing.lock()?;
        if keyless {
            let deleted = landing.run("empty", &statements.delete_all())?;
            let inserted = landing.run("fill", &statements.insert_all(&staging))?;
            expect(landing, moved.rows, inserted, "after the INSERT")?;
            return Ok(TargetChanges { inserted, deleted, before: Some(deleted), updated: 0 });
        }
        let merge = StagingMerge {
            statements,
            staging: &staging,
            gone: match landing.mode {
                LoadMode::Full => GoneRows::Any,
                LoadMode::Incremental => GoneRows::Never,
            },
            other_unique: self.other_unique,
            staged: moved.rows,
        };
        merge.run(landing.transaction()?)
    }

    /// Lets this transaction's joins and index builds use memory of the server, up to a share of
    /// what the run itself may use.
    fn give_memory(&self, landing: &mut StagingTable<'_>) -> Result<()> {
        landing.run("set the memory for", &memory_sql(self.options.memory_bytes)).map(drop)
    }
}

/// Renders the settings of the server's memory for a run that may use `bytes` for one table: an eighth
/// for joins, from 4 to 64 MiB, and half for index builds, from 64 to 256 MiB.
fn memory_sql(bytes: usize) -> String {
    let kib = bytes / 1024;
    let (work, maintenance) =
        ((kib / 8).clamp(4 << 10, 64 << 10), (kib / 2).clamp(64 << 10, 256 << 10));
    format!("SET LOCAL work_mem = '{work}kB'; SET LOCAL maintenance_work_mem = '{maintenance}kB'")
}

/// The most rows of which `reltuples` tells one from the next.
const MOST_INDEXED: u64 = 1 << f32::MANTISSA_DIGITS;

/// Returns true if the server counted so many rows as it built the key of the target: it keeps that
/// count as an estimate for its planner ("pg_class", `reltuples`), with 24 bits of it. What is not
/// equal, or more than that, has to be counted.
fn was_indexed(landing: &mut StagingTable<'_>, rows: u64) -> Result<bool> {
    if rows >= MOST_INDEXED {
        return Ok(false);
    }
    let failed = step(landing.statements, "count the rows of");
    let sql = landing.statements.indexed();
    let indexed: f32 = landing
        .transaction()?
        .query_one(&sql, &[])
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    #[expect(clippy::cast_precision_loss, reason = "so few are exact")]
    let sent = rows as f32;
    Ok(indexed.to_bits() == sent.to_bits())
}

/// Counts a table that several connections have written.
fn count(landing: &mut StagingTable<'_>, table: &str, rows: u64) -> Result<()> {
    let failed = step(landing.statements, "count the rows of");
    let sql = landing.statements.count(table);
    let landed: i64 = landing
        .transaction()?
        .query_one(&sql, &[])
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    expect(landing, rows, landed.unsigned_abs(), "in staging")
}

fn expect(landing: &StagingTable<'_>, sent: u64, landed: u64, place: &'static str) -> Result<()> {
    if sent == landed {
        return Ok(());
    }
    Err(Error::Miscount { table: landing.statements.table(), sent, landed, place })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_server_gets_a_share_of_the_memory_within_bounds() {
        for (mib, work, maintenance) in [(1, 4, 64), (256, 32, 128), (4096, 64, 256)] {
            let expected = format!(
                "SET LOCAL work_mem = '{}kB'; SET LOCAL maintenance_work_mem = '{}kB'",
                work << 10,
                maintenance << 10
            );
            assert_eq!(memory_sql(mib << 20), expected, "{mib}");
        }
    }
}
