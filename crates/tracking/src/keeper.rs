//! Keeping the locks of a run for as long as it lives.
//!
//! A server ends the session that holds a lock of ours once that has said nothing for the bound of the run, and
//! the lock with it. So a thread for each lock says something at a quarter of the bound, whatever the run is busy
//! with. A lock that was lost with its session is taken again, unless another run was there in between.

use handoff_connect::{Fault, HeldLock, Side};
use handoff_model::RunId;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// The number of signs of life that a session with a lock gives within the bound.
const BEATS: u32 = 4;

/// The servers that give the locks.
pub(crate) trait LockGivers: Send + Sync {
    /// Takes the lock of one side; [`None`] if another session has it.
    fn take_lock(&self, side: Side, silence: Duration) -> Result<Option<HeldLock>, Fault>;

    /// Returns true if no other run wrote anything on a side since it knew `others`.
    fn is_alone_since(&self, side: Side, others: &BTreeSet<RunId>) -> Result<bool, Fault>;
}

/// The locks of a run, and what their servers heard of it.
pub(crate) struct LockKeeper {
    givers: Box<dyn LockGivers>,
    silence: Duration,
    began: Instant,
    /// In the order in which they were taken.
    locks: Vec<KeptLock>,
    /// Set once another run was there: nothing is written any more.
    lost: AtomicBool,
}

/// The lock of one side.
pub(crate) struct KeptLock {
    side: Side,
    held: Mutex<Option<HeldLock>>,
    /// The time at which its server last heard of the run, in milliseconds since the keeper began;
    /// 0 if in doubt.
    heard: AtomicU64,
    /// The other runs that the side knew when the lock was taken.
    others: BTreeSet<RunId>,
}

impl KeptLock {
    pub(crate) fn new(side: Side, held: HeldLock, others: BTreeSet<RunId>) -> KeptLock {
        KeptLock { side, held: Mutex::new(Some(held)), heard: AtomicU64::new(1), others }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HeldLock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The threads that keep the locks; they end when this is dropped.
pub(crate) struct KeeperThreads {
    _stop: Vec<mpsc::Sender<()>>,
}

impl LockKeeper {
    pub(crate) fn new(
        givers: impl LockGivers + 'static,
        silence: Duration,
        locks: Vec<KeptLock>,
    ) -> LockKeeper {
        let (givers, lost) = (Box::new(givers), AtomicBool::new(false));
        LockKeeper { givers, silence, began: Instant::now(), locks, lost }
    }

    /// Starts a thread for each lock: a server that does not answer does not cost the lock of another.
    pub(crate) fn start(self: &Arc<LockKeeper>) -> io::Result<KeeperThreads> {
        let threads = (0..self.locks.len()).map(|index| {
            let (stop, stopped) = mpsc::channel::<()>();
            let keeper = Arc::clone(self);
            let named = thread::Builder::new().name("handoff-lock".to_owned());
            named.spawn(move || keeper.beat(index, &stopped)).map(|_| stop)
        });
        Ok(KeeperThreads { _stop: threads.collect::<io::Result<_>>()? })
    }

    fn beat(&self, index: usize, stopped: &mpsc::Receiver<()>) {
        let pause = self.silence / BEATS;
        while stopped.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
            if let Err(fault) = self.keep(&self.locks[index]) {
                log::debug!("the lock of the run on the {}: {fault}", self.locks[index].side);
                if self.is_lost() {
                    return;
                }
            }
        }
    }

    /// Asks every server whether the lock is still ours, and takes it again if it was lost and nobody else was
    /// there.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`], transient if the server may be asked again, lasting if the lock is lost for good.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.locks.iter().try_for_each(|kept| self.keep(kept))
    }

    /// Does what [`LockKeeper::check`] does, for one side.
    pub(crate) fn check_side(&self, side: Side) -> Result<(), Fault> {
        self.locks.iter().filter(|kept| kept.side == side).try_for_each(|kept| self.keep(kept))
    }

    /// Does what [`LockKeeper::check`] does for servers that were not heard of for so long that the lock may be
    /// lost, such as after this process was stopped.
    pub(crate) fn demand(&self) -> Result<(), Fault> {
        self.locks.iter().try_for_each(|kept| match self.is_fresh(kept) {
            _ if self.is_lost() => Err(lost(kept.side)),
            true => Ok(()),
            false => self.keep(kept),
        })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Notes that another run has taken over.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    /// Gives the locks back. The first is the one that tells others who holds it, so it goes last.
    pub(crate) fn give_back(&self) {
        self.locks.iter().rev().for_each(|kept| drop(kept.lock().take()));
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn is_fresh(&self, kept: &KeptLock) -> bool {
        let heard = kept.heard.load(Ordering::SeqCst);
        let silent = Duration::from_millis(self.now().saturating_sub(heard));
        heard != 0 && silent <= self.silence / 2
    }

    fn keep(&self, kept: &KeptLock) -> Result<(), Fault> {
        let mut held = kept.lock();
        if self.is_lost() {
            return Err(lost(kept.side));
        }
        // What is heard is no older than the question.
        let asked = self.now();
        let answer = held.as_mut().map(HeldLock::check);
        if !matches!(answer, Some(Ok(()))) {
            kept.heard.store(0, Ordering::SeqCst);
            *held = None;
            *held = Some(self.take_again(kept)?);
        }
        kept.heard.store(asked, Ordering::SeqCst);
        Ok(())
    }

    fn take_again(&self, kept: &KeptLock) -> Result<HeldLock, Fault> {
        let taken = self.givers.take_lock(kept.side, self.silence)?;
        let alone = match &taken {
            Some(_) => self.givers.is_alone_since(kept.side, &kept.others)?,
            None => false,
        };
        let Some(taken) = taken.filter(|_| alone) else {
            self.lose();
            return Err(lost(kept.side));
        };
        log::warn!(
            "the lock of the run on the {} was lost with its session, and taken again",
            kept.side
        );
        Ok(taken)
    }
}

fn lost(side: Side) -> Fault {
    Fault::new(side, "the lock of the run was lost, and another run may have begun: run again")
}
