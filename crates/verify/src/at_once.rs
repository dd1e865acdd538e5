//! Several databases at the same time.

use crate::error::{Error, Result};
use handoff_model::CancelToken;
use std::panic::resume_unwind;
use std::thread;

/// Does `work` with all of `items` at the same time, on a thread each. One that fails ends the
/// others.
pub(crate) fn at_once<I: Send, T: Send>(
    cancel: &CancelToken,
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I, &CancelToken) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let stop = CancelToken::new();
    let stopper = stop.clone();
    let _hook = cancel.on_cancel(move || stopper.cancel());
    let (work, stop) = (&work, &stop);
    let done: Vec<Result<T>> = thread::scope(|scope| {
        let threads: Vec<_> = items
            .into_iter()
            .map(|item| scope.spawn(move || work(item, stop).inspect_err(|_| stop.cancel())))
            .collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|done| done.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    first_cause(done)
}

/// Returns the error that ended the others, if there was one.
fn first_cause<T>(done: Vec<Result<T>>) -> Result<Vec<T>> {
    let mut good = Vec::with_capacity(done.len());
    let mut cause: Option<Error> = None;
    for one in done {
        match one {
            Ok(one) => good.push(one),
            Err(error) if cause.as_ref().is_none_or(Error::is_cancelled) => cause = Some(error),
            Err(_) => {}
        }
    }
    cause.map_or(Ok(good), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{Cancelled, TableName};

    #[test]
    fn the_error_that_ended_the_others_is_told() {
        let stopped = || Err(Error::Cancelled(Cancelled));
        let alone = || Err(Error::Alone(TableName::new("t").unwrap()));
        for done in [vec![stopped(), alone(), Ok(1)], vec![alone(), stopped()]] {
            assert!(matches!(first_cause(done), Err(Error::Alone(_))));
        }
        assert!(matches!(first_cause(vec![Ok(1), stopped()]), Err(Error::Cancelled(_))));
        assert_eq!(first_cause(vec![Ok(1), Ok(2)]).unwrap(), [1, 2]);
    }
}
