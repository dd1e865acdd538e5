//! The options of a pool.

use crate::patience::Patience;
use handoff_model::{CancelToken, RunId};
use std::time::Duration;

/// The options of a pool.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The most connections at once; a MySQL pool has as many again for writing.
    pub size: u32,
    /// The run that the sessions belong to; goes into `program_name` and `application_name`.
    pub run: RunId,
    /// The longest that the server may be silent while its answer is waited for. A statement that the
    /// server says it works on may take longer.
    pub silence: Duration,
    /// The most memory, in bytes, that an answer may take before it is refused.
    pub largest_answer: usize,
    /// The request to stop, after which the server is waited for a few seconds only.
    pub cancel: CancelToken,
}

impl Default for PoolOptions {
    /// Four connections of a run of their own, with the bounds of the default settings.
    fn default() -> PoolOptions {
        PoolOptions {
            size: 4,
            run: RunId::new(),
            silence: Duration::from_secs(300),
            largest_answer: 256 * 1024 * 1024,
            cancel: CancelToken::new(),
        }
    }
}

impl PoolOptions {
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.silence, self.cancel.clone())
    }
}
