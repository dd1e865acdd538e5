//! Making the changes: those before the rows in a transaction of their own, the others with the rows.

use crate::plan::StructurePlan;
use crate::views::{DependentViews, comment, other_dependents, refused, server};
use crate::{StructureChange, StructureError};
use handoff_connect::{Fault, PgConn};
use handoff_model::CancelToken;
use handoff_schema::{TargetTable, ddl};
use postgres::Transaction;
use std::time::Duration;

/// The patience with which a lock is asked for.
#[derive(Debug, Clone, Copy)]
pub struct AlterPatience {
    /// The wait for one attempt at the lock: no reader waits longer behind it.
    pub timeout: Duration,
    /// The number of attempts.
    pub tries: u32,
    /// The first of the pauses in between; each is as long again as the one before.
    pub pause: Duration,
}

impl AlterPatience {
    /// Asks five times, with pauses of half a second to two seconds.
    pub fn new(timeout: Duration) -> AlterPatience {
        AlterPatience { timeout, tries: 5, pause: Duration::from_millis(500) }
    }

    fn statement(self, target: &str) -> String {
        let millis = self.timeout.as_millis();
        format!(
            "SET LOCAL lock_timeout = '{millis}ms'; LOCK TABLE {target} IN ACCESS EXCLUSIVE MODE"
        )
    }

    fn locked(self, target: String) -> StructureError {
        StructureError::Locked { target, tries: self.tries, waited: self.timeout }
    }
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied<'p> {
    /// The change.
    pub change: &'p StructureChange,
    /// The views that were taken down for it and put up again, quoted.
    pub views: Vec<String>,
}

/// Records changes in the transaction that makes them.
pub trait StructureHook: Sync {
    /// Records them, and that rows are to be loaded again where a change asks for it.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if they may not be made after all, or the server refuses.
    fn record(&self, tx: &mut Transaction<'_>, applied: &[Applied<'_>]) -> Result<(), Fault>;
}

/// Makes the changes that come before the rows, in one transaction, and returns the table as it is then.
///
/// # Errors
///
/// Returns an error if a lock is not to be had in time, something depends on a column, or the server refuses. The table
/// is as it was then.
pub fn apply(
    conn: &mut PgConn,
    plan: &StructurePlan,
    patience: AlterPatience,
    cancel: &CancelToken,
    hook: &dyn StructureHook,
) -> Result<TargetTable, StructureError> {
    let mut tries = 1;
    loop {
        let guard = conn.pool().cancel_guard(conn, cancel);
        let done = attempt(conn, plan, patience, hook);
        drop(guard);
        // A cancel request may still be under way: it must not meet the next statement.
        if cancel.is_cancelled() {
            conn.mark_broken();
        }
        match done {
            Err(error) if is_locked(&error) => {
                if tries == patience.tries || cancel.sleep(patience.pause * tries).is_err() {
                    return Err(patience.locked(plan.target()));
                }
                tries += 1;
            }
            done => return done,
        }
    }
}

fn is_locked(error: &StructureError) -> bool {
    error.fault().is_some_and(|fault| fault.code() == Some(LOCK_NOT_AVAILABLE))
}

const LOCK_NOT_AVAILABLE: &str = "55P03";

fn attempt(
    conn: &mut PgConn,
    plan: &StructurePlan,
    patience: AlterPatience,
    hook: &dyn StructureHook,
) -> Result<TargetTable, StructureError> {
    let target = plan.target();
    let failed = |error: postgres::Error| server(&target, &error);
    let mut tx = conn.transaction().map_err(failed)?;
    let lock = patience.statement(&ddl::only(&plan.schema, &plan.name));
    tx.batch_execute(&lock).map_err(failed)?;
    if read(&mut tx, plan)?.columns != plan.columns {
        return Err(StructureError::ChangedMeanwhile { target });
    }
    let viewed = plan.widened();
    let views = under(&mut tx, &target, &viewed, false, |tx| {
        let statements = plan.changes.iter().map(|change| &change.before);
        statements.cloned().try_for_each(|statement| execute(tx, &target, statement))
    })?;
    let now = plan.changes.iter().filter(|change| change.with_rows.is_empty());
    record(&mut tx, plan, hook, &applied(now, &views))?;
    // The changes that come with the rows need them as well.
    let there = read(&mut tx, plan)?;
    tx.commit().map_err(failed)?;
    Ok(there)
}

/// Makes the changes that come with the rows, in the transaction that publishes these.
///
/// # Errors
///
/// As [`apply`]; the transaction is then to be rolled back.
pub fn finish(
    tx: &mut Transaction<'_>,
    plan: &StructurePlan,
    patience: AlterPatience,
    cancel: &CancelToken,
    hook: &dyn StructureHook,
) -> Result<(), StructureError> {
    let columns = plan.built_anew();
    if columns.is_empty() {
        return Ok(());
    }
    let target = plan.target();
    lock(tx, plan, patience, cancel)?;
    let comments = comments(tx, &target, &columns)?;
    let views = under(tx, &target, &columns, true, |tx| {
        let statements = plan.changes.iter().flat_map(|change| &change.with_rows);
        statements
            .chain(&comments)
            .cloned()
            .try_for_each(|statement| execute(tx, &target, statement))
    })?;
    let now = plan.changes.iter().filter(|change| !change.with_rows.is_empty());
    record(tx, plan, hook, &applied(now, &views))?;
    Ok(())
}

/// Keeps everybody out of the table, asking again where somebody reads it.
fn lock(
    tx: &mut Transaction<'_>,
    plan: &StructurePlan,
    patience: AlterPatience,
    cancel: &CancelToken,
) -> Result<(), StructureError> {
    let target = plan.target();
    let failed = |error: postgres::Error| server(&target, &error);
    let statement = patience.statement(&ddl::only(&plan.schema, &plan.name));
    for number in 1..=patience.tries {
        let mut attempt = tx.transaction().map_err(failed)?;
        match attempt.batch_execute(&statement).map_err(failed) {
            Ok(()) => return attempt.commit().map_err(failed),
            Err(error) if !is_locked(&error) => return Err(error),
            Err(_) => attempt.rollback().map_err(failed)?,
        }
        if number < patience.tries && cancel.sleep(patience.pause * number).is_err() {
            break;
        }
    }
    Err(patience.locked(target))
}

/// Runs `work` while the views over `columns` are down, and returns the names of these.
fn under(
    tx: &mut Transaction<'_>,
    target: &str,
    columns: &[&str],
    is_dropped: bool,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<(), StructureError>,
) -> Result<Vec<String>, StructureError> {
    if columns.is_empty() {
        return work(tx).map(|()| Vec::new());
    }
    let objects = other_dependents(tx, target, columns, is_dropped)?;
    if !objects.is_empty() {
        return Err(StructureError::Depended { target: target.to_owned(), objects });
    }
    let views = DependentViews::read(tx, target, columns)?;
    views.take_down(tx)?;
    work(tx)?;
    views.put_up(tx, columns)?;
    Ok(views.names())
}

fn applied<'p>(
    changes: impl Iterator<Item = &'p StructureChange>,
    views: &[String],
) -> Vec<Applied<'p>> {
    let one = |change: &'p StructureChange| {
        let needs_views = change.is_viewed || !change.with_rows.is_empty();
        Applied { change, views: if needs_views { views.to_vec() } else { Vec::new() } }
    };
    changes.map(one).collect()
}

fn record(
    tx: &mut Transaction<'_>,
    plan: &StructurePlan,
    hook: &dyn StructureHook,
    applied: &[Applied<'_>],
) -> Result<(), StructureError> {
    let recorded = hook.record(tx, applied);
    recorded.map_err(|fault| StructureError::Server { target: plan.target(), fault })
}

fn read(tx: &mut Transaction<'_>, plan: &StructurePlan) -> Result<TargetTable, StructureError> {
    let target = plan.target();
    let there = TargetTable::read(tx, &plan.schema, &plan.name);
    let there = there.map_err(|error| server(&target, &error))?;
    there.ok_or(StructureError::ChangedMeanwhile { target })
}

fn execute(
    tx: &mut Transaction<'_>,
    target: &str,
    statement: String,
) -> Result<(), StructureError> {
    let done = tx.batch_execute(&statement);
    done.map_err(|error| refused(target, statement, &error))
}

/// Spells the statements that give the columns their comments.
fn comments(
    tx: &mut Transaction<'_>,
    target: &str,
    columns: &[&str],
) -> Result<Vec<String>, StructureError> {
    let names: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let query = "SELECT a.attname::text, col_description(a.attrelid, a.attnum) FROM pg_attribute a \
                 WHERE a.attrelid = ($1::text)::regclass AND a.attname = ANY ($2::text[]) \
                     AND col_description(a.attrelid, a.attnum) IS NOT NULL";
    let failed = |error: postgres::Error| server(target, &error);
    let params = crate::views::params(&target, &names);
    let rows = tx.query_typed(query, &params).map_err(failed)?;
    let spelled = rows.iter().map(|row| {
        let (column, text): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(comment(target, &column, &text))
    });
    spelled.collect::<Result<_, _>>().map_err(failed)
}
