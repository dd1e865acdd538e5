//! The bounds on waiting for servers.

use handoff_model::CancelToken;
use std::time::Duration;

/// The longest that a server may take to sign us in, DNS, TLS and all.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// The longest that a server is waited for before it is asked what it speaks.
const STRANGER: Duration = Duration::from_secs(4);
/// The longest silence of a server once the run was asked to stop.
const SILENCE_WHEN_STOPPED: Duration = Duration::from_secs(4);
/// The time after a request to stop in which connections may still be used, such as to record it.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Says how long a server is waited for: a while, and less once the run was asked to stop.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    silence: Duration,
    cancel: CancelToken,
}

impl Patience {
    pub(crate) fn new(silence: Duration, cancel: CancelToken) -> Patience {
        Patience { silence, cancel }
    }

    /// Returns the longest silence of a server whose answer is waited for, whatever anybody asks.
    pub(crate) fn usual_silence(&self) -> Duration {
        self.silence
    }

    /// Returns the longest silence of a server whose answer is waited for now.
    pub(crate) fn silence(&self) -> Duration {
        match self.cancel.since() {
            Some(_) => self.silence.min(SILENCE_WHEN_STOPPED),
            None => self.silence,
        }
    }

    /// Returns the longest that connecting may take, if it began now.
    pub(crate) fn handshake(&self) -> Duration {
        let usual = self.silence.min(HANDSHAKE);
        match self.cancel.since() {
            Some(since) => usual.min(LAST_WORDS.saturating_sub(since)).min(SILENCE_WHEN_STOPPED),
            None => usual,
        }
    }

    /// Returns this patience, but for a server that is not known yet: one that speaks another protocol
    /// says nothing for ever.
    pub(crate) fn with_a_stranger(&self) -> Patience {
        Patience { silence: self.silence.min(STRANGER), cancel: self.cancel.clone() }
    }

    /// Returns true if the run was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Returns true if the run was asked to stop so long ago that nothing is waited for any more.
    pub(crate) fn is_over(&self) -> bool {
        self.cancel.since().is_some_and(|since| since >= LAST_WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_to_stop_waits_less() {
        let cancel = CancelToken::new();
        let patience = Patience::new(Duration::from_secs(300), cancel.clone());
        assert_eq!(patience.silence(), Duration::from_secs(300));
        assert_eq!(patience.handshake(), HANDSHAKE);
        cancel.cancel();
        assert_eq!(patience.silence(), SILENCE_WHEN_STOPPED);
        assert_eq!(patience.handshake(), SILENCE_WHEN_STOPPED);
        assert!(!patience.is_over());
    }

    #[test]
    fn a_short_bound_is_one_of_the_handshake_too() {
        let patience = Patience::new(Duration::from_secs(3), CancelToken::new());
        assert_eq!(patience.handshake(), Duration::from_secs(3));
    }
}
