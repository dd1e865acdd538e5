//! Connecting within a bound of time.
//!
//! Names are looked up, sockets opened and accounts signed in by calls that know no bound for all of it
//! together. So they run on a thread of their own, which is left behind when the time is up: its
//! socket has bounds of its own.

use crate::patience::Patience;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The pause between two looks for a request to stop.
const TICK: Duration = Duration::from_millis(100);

/// The reason for which a thread that connects came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialFailure {
    /// The server did not answer in this time.
    Unanswered(Duration),
    /// The driver panicked, so the server's answer made no sense.
    Panic,
    /// The system has no thread for it.
    NoThread,
}

/// Runs `dial` on a thread of its own for as long as `patience` has it.
pub(crate) fn dial_within<T: Send + 'static>(
    patience: &Patience,
    dial: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DialFailure> {
    let begun = Instant::now();
    let (done, waiting) = mpsc::channel::<Result<T, Box<dyn Any + Send>>>();
    thread::Builder::new()
        .name("connect".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more.
            let _ = done.send(catch_unwind(AssertUnwindSafe(dial)));
        })
        .map_err(|_| DialFailure::NoThread)?;
    let usual = patience.handshake();
    // What is left after a request to stop is counted from that request.
    let mut end = begun + usual;
    let mut stopping = patience.is_stopping();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match waiting.recv_timeout(left.min(TICK)) {
            Ok(made) => return made.map_err(|_| DialFailure::Panic),
            Err(RecvTimeoutError::Disconnected) => return Err(DialFailure::Panic),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                return Err(DialFailure::Unanswered(begun.elapsed()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if patience.is_stopping() && !stopping {
            stopping = true;
            end = end.min(Instant::now() + patience.handshake());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::CancelToken;

    fn patience(seconds: u64, cancel: &CancelToken) -> Patience {
        Patience::new(Duration::from_secs(seconds), cancel.clone())
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up() {
        let slow = || thread::sleep(Duration::from_secs(60));
        let given_up = dial_within(&patience(1, &CancelToken::new()), slow);
        assert!(matches!(given_up, Err(DialFailure::Unanswered(_))), "{given_up:?}");
    }

    #[test]
    fn a_panic_of_the_driver_is_told_and_its_words_are_not() {
        let panics = || -> () { std::panic::resume_unwind(Box::new("Smith")) };
        let told = dial_within(&patience(5, &CancelToken::new()), panics);
        assert_eq!(told, Err(DialFailure::Panic));
    }

    #[test]
    fn a_request_to_stop_shortens_the_wait() {
        let cancel = CancelToken::new();
        let other = cancel.clone();
        let begun = Instant::now();
        thread::spawn(move || other.cancel());
        let given_up =
            dial_within(&patience(60, &cancel), || thread::sleep(Duration::from_secs(60)));
        assert!(given_up.is_err());
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    }
}
