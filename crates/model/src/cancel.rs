//! Cooperative cancellation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

type Hook = Box<dyn FnMut() + Send>;

/// A request to stop, shared by everything that works on one run. Cheap to clone.
///
/// Work asks [`Cancel::check`] between batches. A statement that may run long registers a hook
/// with [`Cancel::on_cancel`] that ends it from a second connection.
///
/// # Example
///
/// ```
/// use handoff_model::Cancel;
///
/// let cancel = Cancel::new();
/// assert!(cancel.check().is_ok());
/// cancel.cancel();
/// assert!(cancel.check().is_err());
/// ```
#[derive(Clone, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Default)]
struct Shared {
    requested: AtomicBool,
    next: AtomicU64,
    hooks: Mutex<BTreeMap<u64, Hook>>,
}

/// The run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl Cancel {
    /// Makes a request that nobody has made yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks everything to stop and runs the registered hooks, on the calling thread.
    pub fn cancel(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        let mut hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        for hook in hooks.values_mut() {
            hook();
        }
    }

    /// Returns true once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Returns an error once [`Cancel::cancel`] was called.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] if the run was asked to stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Waits for `time`, or until [`Cancel::cancel`] is called.
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

    /// Registers `hook` to be run by [`Cancel::cancel`] until the guard is dropped.
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

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}

/// Keeps a hook registered; dropping it takes the hook away.
#[must_use = "the hook is taken away when this is dropped"]
pub struct OnCancel {
    shared: Arc<Shared>,
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
        let cancel = Cancel::new();
        drop(cancel.on_cancel(hook()));
        let _kept = cancel.on_cancel(hook());
        cancel.cancel();
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let _late = cancel.on_cancel(hook());
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}
