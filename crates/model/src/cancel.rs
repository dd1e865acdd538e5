//! Cooperative cancellation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

type Hook = Box<dyn FnMut() + Send>;

/// A request to stop, shared by everything that works on one run. Cheap to clone.
///
/// Work asks [`CancelToken::check`] between batches. A statement that may run long registers a hook
/// with [`CancelToken::on_cancel`] that ends it from a second connection.
///
/// # Example
///
/// ```
/// use handoff_model::CancelToken;
///
/// let cancel = CancelToken::new();
/// assert!(cancel.check().is_ok());
/// cancel.cancel();
/// assert!(cancel.check().is_err());
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    request: OnceLock<Request>,
    next: AtomicU64,
    hooks: Mutex<BTreeMap<u64, Hook>>,
}

struct Request {
    at: Instant,
    /// Set if the run ends itself, such as after its longest duration.
    reason: Option<String>,
}

/// The run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl CancelToken {
    /// Makes a request that nobody has made yet.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks everything to stop, and returns once every registered hook has run.
    ///
    /// The hooks run beside each other: each may talk to a server that does not answer.
    pub fn cancel(&self) {
        self.request(None);
    }

    /// Asks everything to stop as [`CancelToken::cancel`] does, for a reason of the run's own.
    pub fn cancel_because(&self, reason: impl Into<String>) {
        self.request(Some(reason.into()));
    }

    fn request(&self, reason: Option<String>) {
        // A second request changes nothing but to run the hooks again.
        let _ = self.0.request.set(Request { at: Instant::now(), reason });
        let mut hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        thread::scope(|scope| {
            for hook in hooks.values_mut() {
                scope.spawn(hook);
            }
        });
    }

    /// Returns true once [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.request.get().is_some()
    }

    /// Returns how long ago the request was made, if it was.
    pub fn since(&self) -> Option<Duration> {
        self.0.request.get().map(|request| request.at.elapsed())
    }

    /// Returns the run's own reason to stop; [`None`] if nobody asked, or somebody outside did.
    pub fn reason(&self) -> Option<&str> {
        self.0.request.get()?.reason.as_deref()
    }

    /// Returns an error once [`CancelToken::cancel`] was called.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] if the run was asked to stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Waits for `time`, or until [`CancelToken::cancel`] is called.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] as soon as the run was asked to stop.
    pub fn sleep(&self, time: Duration) -> Result<(), Cancelled> {
        let (wake, woken) = mpsc::channel();
        let _hook = self.on_cancel(move || {
            // The sleeper may have woken by itself.
            let _ = wake.send(());
        });
        match woken.recv_timeout(time) {
            Ok(()) => Err(Cancelled),
            Err(_) => Ok(()),
        }
    }

    /// Registers `hook` to be run by [`CancelToken::cancel`] until the guard is dropped.
    ///
    /// If the request was made already, the hook runs at once. Once the guard's drop has
    /// returned the hook is not running and never runs again, so it may be tied to one
    /// statement without the danger of ending the next.
    pub fn on_cancel(&self, hook: impl FnMut() + Send + 'static) -> OnCancel {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = hooks.entry(id).or_insert(Box::new(hook));
        if self.is_cancelled() {
            hook();
        }
        OnCancel { shared: Arc::clone(&self.0), id }
    }
}

impl std::fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}

/// Keeps a hook registered; dropping it takes the hook away.
#[must_use = "the hook is taken away when this is dropped"]
pub struct OnCancel {
    shared: Arc<CancelState>,
    id: u64,
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        let mut hooks = self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_runs_once_asked_and_never_after_its_guard_is_gone() {
        let count = Arc::new(AtomicU64::new(0));
        let hook = || {
            let count = Arc::clone(&count);
            move || {
                count.fetch_add(1, Ordering::SeqCst);
            }
        };
        let cancel = CancelToken::new();
        drop(cancel.on_cancel(hook()));
        let _kept = cancel.on_cancel(hook());
        cancel.cancel();
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let _late = cancel.on_cancel(hook());
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn hooks_do_not_wait_for_each_other() {
        let cancel = CancelToken::new();
        let both = Arc::new(std::sync::Barrier::new(2));
        let meet = || {
            let both = Arc::clone(&both);
            move || {
                both.wait();
            }
        };
        let _hooks = [cancel.on_cancel(meet()), cancel.on_cancel(meet())];
        cancel.cancel();
    }

    #[test]
    fn the_first_request_says_when_and_why() {
        let cancel = CancelToken::new();
        assert!(cancel.since().is_none() && cancel.reason().is_none());
        cancel.cancel_because("its time is over");
        cancel.cancel();
        assert!(cancel.since().is_some());
        assert_eq!(cancel.reason(), Some("its time is over"));
    }
}
