//! The front door: a pipeline and all that it is told before it does anything.

use crate::gate::Clock;
use handoff_model::{CancelToken, NopObserver, Observer};
use handoff_settings::Settings;
use jiff::Zoned;
use std::sync::Arc;

/// The whole way of the data, from the settings to the report.
pub struct Pipeline {
    pub(crate) settings: Settings,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) cancel: CancelToken,
    pub(crate) clock: Clock,
}

impl Pipeline {
    /// Makes a pipeline that nobody watches.
    pub fn new(settings: Settings) -> Pipeline {
        let (observer, cancel) = (Arc::new(NopObserver), CancelToken::new());
        Pipeline { settings, observer, cancel, clock: Arc::new(Zoned::now) }
    }

    /// Reports every event to `observer`.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Pipeline {
        self.observer = observer;
        self
    }

    /// Lets the owner of `cancel` stop the run. Tables that are on their way are rolled back and
    /// reported as cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: CancelToken) -> Pipeline {
        self.cancel = cancel;
        self
    }

    /// Asks `clock` for the time, which is compared with `until`; without it the system is asked.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Zoned + Send + Sync + 'static) -> Pipeline {
        self.clock = Arc::new(clock);
        self
    }

    /// The share of `memory_limit_mb` that one table in flight may use.
    pub(crate) fn memory_of_a_table(&self) -> usize {
        let mib = self.settings.run.memory_limit_mb as usize;
        mib * 1024 * 1024 / self.settings.run.jobs.get()
    }
}
