//! Tables on their way, several at a time.

use crate::gate::Gate;
use crate::{Error, Result, TableContext, TableError, TableReport};
use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Gives `contexts` to `jobs` threads, in order, and gathers the reports.
///
/// Each thread takes the next table when it is done with its last, so the longest tables, which
/// come first, overlap with all the others. A panic is that table's alone. Once `gate` is closed, no
/// further table is started.
pub(crate) fn fly(
    contexts: &[TableContext],
    jobs: NonZeroUsize,
    gate: &Gate,
    run_table: impl Fn(&TableContext) -> TableReport + Sync,
    on_panic: impl Fn(&TableContext, &TableError) -> TableReport + Sync,
) -> Result<Vec<TableReport>> {
    let jobs = jobs.get().min(contexts.len().max(1));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .thread_name(|index| format!("table-{index}"))
        .build()
        .map_err(Error::Threads)?;
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::with_capacity(contexts.len()));
    pool.broadcast(|_| {
        while let Some(context) = contexts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = if let Some(reason) = gate.refusal() {
                let report = TableReport::begun(context.name.clone(), Some(context.report()));
                report.not_started(reason)
            } else {
                match catch_unwind(AssertUnwindSafe(|| run_table(context))) {
                    Ok(report) => report,
                    Err(panic) => on_panic(context, &TableError::Panic(message(&*panic))),
                }
            };
            reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        }
    });
    Ok(reports.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A panic of ours says what we wrote; one that formats a value (an index, a conversion) may hold
/// a row's, so only texts without formatting are passed on.
fn message(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<&str>().map_or_else(|| "a panic".to_owned(), |text| (*text).to_owned())
}
