//! Bringing the rows of given keys into line.

use crate::copy_in::CopyIn;
use crate::error::Result;
use crate::loaded_rows::LoadedRows;
use crate::loader_options::LoaderOptions;
use crate::merge::{ANALYZE_ABOVE, GoneRows, StagingMerge, TargetChanges};
use crate::read_back;
use crate::row_source::RowSource;
use crate::shared_staging::StagingKind;
use crate::staging_table::StagingTable;
use crate::step::step;
use crate::strategy::{LoadInput, LoadStrategy, StreamingLoad};
use handoff_connect::fault_point;
use handoff_model::{ProgressMeter, TablePhase};
use handoff_rows::KeyList;

/// Bytes of keys that are sent at once.
const BUFFER: usize = 256 * 1024;

/// Lands the rows of `keys` beside those of a filter: the ones that it did not select.
pub(crate) fn land(
    landing: &mut StagingTable<'_>,
    moved: &mut LoadedRows,
    keys: &KeyList,
    source: &RowSource<'_>,
    options: &LoaderOptions,
) -> Result<()> {
    let table = stage(landing, keys)?;
    fault_point("loader.keys_staged", &source.table.name);
    let sifted = sift(landing, moved.rows, &table)?;
    let left = sifted.as_ref().unwrap_or(keys);
    if left.is_empty() {
        return Ok(());
    }
    let source = RowSource { keys: Some(left), ..*source };
    let meter = ProgressMeter::new(&*options.observer, TablePhase::Load, &source.table.name);
    let by_keys =
        StreamingLoad::default().load(LoadInput { source: &source, landing, meter: &meter })?;
    *moved += by_keys;
    Ok(())
}

/// Makes the table of the keys and fills it, unless it is there, and returns its name, quoted.
fn stage(landing: &mut StagingTable<'_>, keys: &KeyList) -> Result<String> {
    landing.open()?;
    let temporary = landing.kind == StagingKind::Temporary;
    let table = landing.statements.keys(temporary);
    if !landing.has_keys {
        let sql = landing.statements.create_keys(&table, temporary);
        landing.run("make a table for the keys of", &sql)?;
        send(landing, keys, &table)?;
        landing.has_keys = true;
    }
    Ok(table)
}

/// Returns the keys whose rows have not landed; [`None`] if that is all of them.
fn sift(landing: &mut StagingTable<'_>, landed: u64, table: &str) -> Result<Option<KeyList>> {
    if landed == 0 {
        return Ok(None);
    }
    let (statements, staging) = (landing.statements, landing.table());
    if landing.run("sift the keys of", &statements.drop_landed(table, &staging))? == 0 {
        return Ok(None);
    }
    let Some(mut left) = KeyList::new(landing.mapping) else { return Ok(None) };
    let failed = step(statements, "read back the keys of");
    let sql = statements.copy_out_keys(table);
    read_back::keys(landing.transaction()?, &sql, &mut left).map_err(failed)??;
    Ok(Some(left))
}

/// Merges the rows that have landed, and deletes those of the other keys.
pub(crate) fn publish(
    landing: &mut StagingTable<'_>,
    moved: &LoadedRows,
    keys: &KeyList,
    other_unique: bool,
) -> Result<TargetChanges> {
    if keys.is_empty() {
        return Ok(TargetChanges::default());
    }
    let table = stage(landing, keys)?;
    let (statements, staging) = (landing.statements, landing.table());
    // Two keys may be one to the server that was read, which then gave the row twice.
    landing.run("sift the rows of", &statements.drop_twice(&staging))?;
    if keys.len().max(moved.rows) > ANALYZE_ABOVE {
        landing.run("analyze the staging of", &statements.analyze_keys(&staging))?;
        landing.run("analyze the keys of", &statements.analyze_keys(&table))?;
    }
    landing.lock()?;
    let gone = if keys.keeps_gone() { GoneRows::Never } else { GoneRows::Of(&table) };
    let merge =
        StagingMerge { statements, staging: &staging, gone, other_unique, staged: moved.rows };
    let changes = merge.run(landing.transaction()?)?;
    if landing.kind != StagingKind::Temporary {
        landing.run("drop the keys of", &format!("DROP TABLE {table}"))?;
    }
    Ok(changes)
}

fn send(landing: &mut StagingTable<'_>, keys: &KeyList, into: &str) -> Result<()> {
    let statements = landing.statements;
    let name = statements.table();
    let statement = statements.copy_keys(into);
    let mut copy = CopyIn::begin(landing.transaction()?, &name, &statement)?;
    let mut bytes = Vec::new();
    keys.batches(|batch| {
        batch.write_tuples(&mut bytes);
        if bytes.len() >= BUFFER {
            copy.put(&bytes)?;
            bytes.clear();
        }
        Ok::<_, crate::error::Error>(())
    })?;
    copy.put(&bytes)?;
    copy.finish(keys.len())
}
