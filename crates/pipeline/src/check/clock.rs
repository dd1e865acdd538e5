//! The servers' clocks beside ours.

use super::findings::Findings;
use super::report::CheckSubject as S;
use handoff_connect::Result;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How far a clock may be off before it is worth a warning, in seconds.
const TOLERATED: f64 = 2.0;
/// The first answer over a new connection is often the slowest.
const ATTEMPTS: u32 = 3;

/// A server's clock, compared with this machine's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    /// Seconds that the server is ahead of us.
    ahead: f64,
    /// By how much that may be wrong: the answer was on its way.
    doubt: f64,
}

impl Clock {
    /// Compares clocks; `ask` returns the server's, in seconds since 1970.
    pub(super) fn measure(mut ask: impl FnMut() -> Result<f64>) -> Result<Clock> {
        let mut best: Option<Clock> = None;
        for _ in 0..ATTEMPTS {
            let (ours, begun) = (SystemTime::now(), Instant::now());
            let theirs = ask()?;
            let doubt = begun.elapsed().as_secs_f64() / 2.0;
            let ours = ours.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            let clock = Clock { ahead: theirs - ours - doubt, doubt };
            if best.is_none_or(|best| clock.doubt < best.doubt) {
                best = Some(clock);
            }
        }
        Ok(best.expect("at least one attempt is made"))
    }

    fn is_off(&self) -> bool {
        self.ahead.abs() - self.doubt > TOLERATED
    }
}

/// Says how far the clock is off.
pub(super) fn finding(clock: &Clock, findings: &mut Findings) {
    let by = clock.ahead.abs();
    if !clock.is_off() {
        findings.ok(S::Clock, "goes with this machine's, within two seconds");
        return;
    }
    let way = if clock.ahead > 0.0 { "ahead of" } else { "behind" };
    let what = format!(
        "is {by:.0} s {way} this machine's: the times of runs and of rows do not go together; set \
         whichever is wrong, on a machine with systemd so"
    );
    findings.warning(S::Clock, what).command("timedatectl set-ntp true");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        assert!(Clock { ahead: -2.5, doubt: 0.1 }.is_off());
        assert!(!Clock { ahead: -2.5, doubt: 0.6 }.is_off());
        assert!(!Clock { ahead: 1.9, doubt: 0.0 }.is_off());
    }

    #[test]
    fn our_own_clock_is_right() {
        let now = || Ok(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64());
        let clock = Clock::measure(now).unwrap();
        assert!(clock.ahead.abs() < 1.0 && !clock.is_off());
    }
}
