//! The servers' clocks beside ours.

use crate::findings::Findings;
use crate::report::CheckSubject as S;
use handoff_connect::Result;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The seconds that a clock may be off before it is worth a warning.
const TOLERATED: f64 = 2.0;
/// The first answer over a new connection is often the slowest.
const ATTEMPTS: u32 = 3;

/// A server's clock, compared with this machine's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ServerClock {
    /// Seconds that the server is ahead of us.
    ahead: f64,
    /// By how much that may be wrong: the answer was on its way.
    doubt: f64,
}

impl ServerClock {
    /// Compares clocks; `ask` returns the server's, in seconds since 1970.
    pub(crate) fn measure(mut ask: impl FnMut() -> Result<f64>) -> Result<ServerClock> {
        let mut best: Option<ServerClock> = None;
        for _ in 0..ATTEMPTS {
            let (asked, begun) = (SystemTime::now(), Instant::now());
            let theirs = ask()?;
            let doubt = begun.elapsed().as_secs_f64() / 2.0;
            let ours = asked.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            let clock = ServerClock { ahead: theirs - ours - doubt, doubt };
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
pub(crate) fn finding(clock: &ServerClock, findings: &mut Findings) {
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
        assert!(ServerClock { ahead: -2.5, doubt: 0.1 }.is_off());
        assert!(!ServerClock { ahead: -2.5, doubt: 0.6 }.is_off());
        assert!(!ServerClock { ahead: 1.9, doubt: 0.0 }.is_off());
    }

    #[test]
    fn our_own_clock_is_right() {
        let now = || Ok(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64());
        let clock = ServerClock::measure(now).unwrap();
        assert!(clock.ahead.abs() < 1.0 && !clock.is_off());
    }

    #[test]
    fn a_wrong_clock_is_told_with_the_command_that_sets_it() {
        let told = |ahead: f64| {
            let mut findings = Findings::of(handoff_connect::Side::Source);
            finding(&ServerClock { ahead, doubt: 0.0 }, &mut findings);
            findings.into_vec().remove(0)
        };
        assert!(told(90.4).what.starts_with("is 90 s ahead of this machine's"));
        assert!(told(-90.4).what.starts_with("is 90 s behind this machine's"));
        assert_eq!(told(90.0).fixes[0].text, "timedatectl set-ntp true");
        assert!(told(0.1).fixes.is_empty());
    }

    #[test]
    fn the_quickest_answer_of_a_few_counts() {
        let mut asked = 0;
        let clock = ServerClock::measure(|| {
            asked += 1;
            Ok(0.0)
        });
        assert!(clock.unwrap().is_off());
        assert_eq!(asked, ATTEMPTS);
    }
}
