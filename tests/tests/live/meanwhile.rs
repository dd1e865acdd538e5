//! What goes on beside a test in a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};

/// Tells such a thread to end, in a test that fails as well: it would be waited for without end.
pub struct SetOnDrop<'a>(pub &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
