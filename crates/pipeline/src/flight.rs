//! Tables on their way, several at a time.

use crate::error::{Error, Result, TableError};
use crate::gate::Gate;
use crate::report::TableReport;
use handoff_plan::TablePlan;
use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Moves the tables of `contexts`, and gathers the reports. A panic is that table's alone. Once `gate` is
/// closed, no further table is started.
pub(crate) fn fly(
    contexts: &[TablePlan],
    jobs: NonZeroUsize,
    gate: &Gate,
    run_table: impl Fn(&TablePlan) -> TableReport + Sync,
    on_panic: impl Fn(&TablePlan, &TableError) -> TableReport + Sync,
) -> Result<Vec<TableReport>> {
    each("table", contexts, jobs, |context| {
        if let Some(reason) = gate.refusal() {
            let report = TableReport::begun(context.name.clone(), Some(context.report()));
            return report.not_started(reason);
        }
        catch_unwind(AssertUnwindSafe(|| run_table(context)))
            .unwrap_or_else(|panic| on_panic(context, &TableError::Panic(message(&*panic))))
    })
}

/// Gives `items` to `jobs` threads, in order, and returns the results.
///
/// Each thread takes the next one when it is done with its last, so the longest, which come first,
/// overlap with all the others.
pub(crate) fn each<I: Sync, R: Send>(
    threads: &'static str,
    items: &[I],
    jobs: NonZeroUsize,
    run: impl Fn(&I) -> R + Sync,
) -> Result<Vec<R>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.get().min(items.len().max(1)))
        .thread_name(move |index| format!("{threads}-{index}"))
        .build()
        .map_err(Error::Threads)?;
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    pool.broadcast(|_| {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let one = run(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
    });
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Returns the text of a panic. One that formats a value (an index, a conversion) may hold a row's, so only
/// texts without formatting are passed on.
fn message(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<&str>().map_or_else(|| "a panic".to_owned(), |text| (*text).to_owned())
}
