//! The manager of r2d2's pools: a pool holds slots, which the borrower fills.
//!
//! r2d2 connects on threads of its own and, when that fails, tries again until the borrower's
//! time is up, whatever the cause. Here it only counts: a slot is handed out empty, and the
//! borrower connects on its own thread, so that a wrong password is told at once, as a `Fault`
//! and not as text, and several borrowers connect side by side.

use std::convert::Infallible;
use std::time::Duration;

/// The longest that a borrower waits for a slot. The pipeline sizes its pools so that nobody waits;
/// this bound turns a mistake there into an error instead of a stand-still.
pub(crate) const SLOT_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest that a connection may lie unused before it is closed.
const IDLE: Duration = Duration::from_secs(600);

/// One of a pool's places; empty until its first borrower has connected.
pub(crate) struct PoolSlot<L> {
    pub(crate) link: Option<L>,
}

/// Makes empty slots.
pub(crate) struct LazyManager<L>(std::marker::PhantomData<fn() -> L>);

pub(crate) type SlotPool<L> = r2d2::Pool<LazyManager<L>>;

/// Makes a pool of `size` empty slots.
pub(crate) fn slots<L: Send + 'static>(size: u32) -> SlotPool<L> {
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(0))
        .test_on_check_out(false)
        .max_lifetime(None)
        .idle_timeout(Some(IDLE))
        .connection_timeout(SLOT_TIMEOUT)
        .build_unchecked(LazyManager(std::marker::PhantomData))
}

impl<L: Send + 'static> r2d2::ManageConnection for LazyManager<L> {
    type Connection = PoolSlot<L>;
    type Error = Infallible;

    fn connect(&self) -> Result<PoolSlot<L>, Infallible> {
        Ok(PoolSlot { link: None })
    }

    fn is_valid(&self, _: &mut PoolSlot<L>) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, slot: &mut PoolSlot<L>) -> bool {
        // A panic may have come in the middle of anything.
        slot.link.is_none() || std::thread::panicking()
    }
}
