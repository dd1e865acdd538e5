//! Bringing the rows of given keys into line.

use crate::landing::{Kind, Landing};
use crate::merge::{Changes, Gone, Merge};
use crate::publish::{ANALYZE_ABOVE, run};
use crate::strategy::Moved;
use crate::{CopyIn, LoadJob, LoadMode, LoadOutcome, Loader, Result, Streaming};
use handoff_connect::Seal;
use handoff_rows::KeyList;

/// Bytes of keys that are sent at once.
const BUFFER: usize = 256 * 1024;

impl Loader {
    /// Brings exactly the rows of `keys` into line and publishes that, with `seal` as the last
    /// statement of the transaction: rows that are there to be read are merged, the others are
    /// deleted from the target, unless the list keeps them ([`KeyList::keeping_gone`]). The filter and the mode of the job play no part.
    ///
    /// # Errors
    ///
    /// As [`Loader::load`]; the target's table must be there.
    pub fn load_keys(
        &self,
        job: &LoadJob<'_>,
        keys: &KeyList,
        seal: &dyn Seal,
    ) -> Result<LoadOutcome> {
        let job = LoadJob { mode: LoadMode::Incremental, ..*job };
        self.attempt(&job, &Streaming::default(), seal, Some(keys))
    }
}

/// Merges what has landed, and deletes the rows of the keys that have not.
pub(crate) fn publish(
    landing: &mut Landing<'_>,
    moved: &Moved,
    keys: &KeyList,
    other_unique: bool,
) -> Result<Changes> {
    if keys.is_empty() {
        return Ok(Changes::default());
    }
    landing.open()?;
    let (statements, staging) = (landing.statements, landing.table());
    let temporary = landing.kind == Kind::Temporary;
    let table = statements.keys(temporary);
    run(landing, "make a table for the keys of", &statements.create_keys(&table, temporary))?;
    send(landing, keys, &table)?;
    // Two keys may be one to the server that was read, which then gave the row twice.
    run(landing, "sift the rows of", &statements.drop_twice(&staging))?;
    if keys.len() > ANALYZE_ABOVE {
        run(landing, "analyze the staging of", &statements.analyze_keys(&staging))?;
        run(landing, "analyze the keys of", &statements.analyze_keys(&table))?;
    }
    landing.lock()?;
    let gone = if keys.keeps_gone() { Gone::Never } else { Gone::Of(&table) };
    let merge = Merge { statements, staging: &staging, gone, other_unique, staged: moved.rows };
    let changes = merge.run(landing.transaction()?)?;
    if !temporary {
        run(landing, "drop the keys of", &format!("DROP TABLE {table}"))?;
    }
    Ok(changes)
}

fn send(landing: &mut Landing<'_>, keys: &KeyList, into: &str) -> Result<()> {
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
        Ok::<_, crate::Error>(())
    })?;
    copy.put(&bytes)?;
    copy.finish(keys.len())
}
