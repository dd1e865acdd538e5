//! Making the changes: those before the rows in a transaction of their own, the others with the rows.

use crate::change::StructureChange;
use crate::error::StructureError;
use crate::foresee::{ColumnFate, demand, read_dependents};
use crate::plan::StructurePlan;
use crate::server::{ServerAnswer, execute};
use crate::views::{DependentViews, comment};
use handoff_connect::{Fault, PgConn, fault_point};
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

    /// Spells the statement that bounds the wait for a lock.
    fn wait(self) -> String {
        format!("SET LOCAL lock_timeout = '{}ms'", self.timeout.as_millis())
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
    let done = patiently(conn, &plan.target(), patience, cancel, |conn| {
        attempt(conn, plan, patience, hook)
    });
    fault_point("structure.committed", &plan.table);
    done
}

/// Drops a table of the target on which nothing depends, in a transaction with `record`, which is handed the statement.
///
/// # Errors
///
/// As [`apply`].
pub fn drop_table(
    conn: &mut PgConn,
    target: &str,
    patience: AlterPatience,
    cancel: &CancelToken,
    record: &dyn Fn(&mut Transaction<'_>, &str) -> Result<(), Fault>,
) -> Result<(), StructureError> {
    patiently(conn, target, patience, cancel, |conn| {
        let mut tx = conn.transaction().of(target)?;
        tx.batch_execute(&patience.wait()).of(target)?;
        let statement = format!("DROP TABLE {target}");
        execute(&mut tx, target, &statement)?;
        let recorded = record(&mut tx, &statement);
        recorded.map_err(|fault| StructureError::Server { target: target.to_owned(), fault })?;
        tx.commit().of(target)
    })
}

/// Makes attempts until one has its lock, with pauses in between.
fn patiently<T>(
    conn: &mut PgConn,
    target: &str,
    patience: AlterPatience,
    cancel: &CancelToken,
    mut attempt: impl FnMut(&mut PgConn) -> Result<T, StructureError>,
) -> Result<T, StructureError> {
    let mut tries = 1;
    loop {
        let guard = conn.pool().cancel_guard(conn, cancel);
        let done = attempt(conn);
        drop(guard);
        // A cancel request may still be under way: it must not meet the next statement.
        if cancel.is_cancelled() {
            conn.mark_broken();
        }
        match done {
            Err(error) if is_locked(&error) => {
                if tries == patience.tries || cancel.sleep(patience.pause * tries).is_err() {
                    return Err(patience.locked(target.to_owned()));
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
    let mut tx = conn.transaction().of(&target)?;
    // What keeps a column from taking its new name is told before every row is loaded for it.
    demand(&mut tx, plan)?;
    let columns = plan.widened();
    let views = keep_out(&mut tx, plan, patience, &columns, ColumnFate::Retyped)?;
    if !plan.is_of(&read(&mut tx, plan)?) {
        return Err(StructureError::ChangedMeanwhile { target });
    }
    for statement in plan.changes.iter().filter_map(|change| change.before.as_ref()) {
        execute(&mut tx, &target, statement)?;
    }
    views.put_up(&mut tx, &columns)?;
    let now = plan.changes.iter().filter(|change| change.with_rows.is_empty());
    record(&mut tx, plan, hook, &applied(now, &views.names()))?;
    fault_point("structure.changed", &plan.table);
    // The changes that come with the rows need them as well.
    let there = read(&mut tx, plan)?;
    tx.commit().of(&target)?;
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
    if !plan.ends_with_rows() {
        return Ok(());
    }
    let (columns, target) = (plan.built_anew(), plan.target());
    // What takes its time comes first, while others read.
    for statement in plan.changes.iter().flat_map(|change| &change.building) {
        execute(tx, &target, statement)?;
    }
    let views = keep_out_patiently(tx, plan, patience, cancel)?;
    let comments = comments(tx, &target, &columns)?;
    for statement in plan.closing().chain(&comments) {
        execute(tx, &target, statement)?;
    }
    views.put_up(tx, &columns)?;
    let now = plan.changes.iter().filter(|change| !change.with_rows.is_empty());
    record(tx, plan, hook, &applied(now, &views.names()))?;
    fault_point("structure.finished", &plan.table);
    Ok(())
}

/// Takes down the views over `columns`, and keeps everybody out of the table: the views first, as a reader comes to
/// them first, so that neither of us waits for the other.
fn keep_out(
    tx: &mut Transaction<'_>,
    plan: &StructurePlan,
    patience: AlterPatience,
    columns: &[&str],
    fate: ColumnFate,
) -> Result<DependentViews, StructureError> {
    let target = plan.target();
    let views = read_dependents(tx, &target, columns, fate)?;
    tx.batch_execute(&patience.wait()).of(&target)?;
    views.take_down(tx)?;
    let table = ddl::only(&plan.schema, &plan.name);
    tx.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).of(&target)?;
    Ok(views)
}

/// Does the same within a transaction that goes on, asking again where somebody reads the table.
fn keep_out_patiently(
    tx: &mut Transaction<'_>,
    plan: &StructurePlan,
    patience: AlterPatience,
    cancel: &CancelToken,
) -> Result<DependentViews, StructureError> {
    let target = plan.target();
    let columns = plan.built_anew();
    for number in 1..=patience.tries {
        let mut attempt = tx.transaction().of(&target)?;
        match keep_out(&mut attempt, plan, patience, &columns, ColumnFate::Replaced) {
            Ok(views) => return attempt.commit().map(|()| views).of(&target),
            Err(error) if !is_locked(&error) => return Err(error),
            Err(_) => attempt.rollback().of(&target)?,
        }
        if number < patience.tries && cancel.sleep(patience.pause * number).is_err() {
            break;
        }
    }
    Err(patience.locked(target))
}

fn applied<'p>(
    changes: impl Iterator<Item = &'p StructureChange>,
    views: &[String],
) -> Vec<Applied<'p>> {
    changes
        .map(|change| {
            let views = if change.takes_views_down() { views.to_vec() } else { Vec::new() };
            Applied { change, views }
        })
        .collect()
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
    let there = there.of(&target)?;
    there.ok_or(StructureError::ChangedMeanwhile { target })
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
    let params = crate::views::params(&target, &names);
    let rows = tx.query_typed(query, &params).of(target)?;
    let spelled = rows.iter().map(|row| {
        let (column, text): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(comment(target, &column, &text))
    });
    spelled.collect::<Result<_, _>>().of(target)
}
