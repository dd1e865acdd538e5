//! Silent servers: which connections are given up.

use crate::fault::{Fault, Result, Side};
use crate::patience::Patience;
use crate::seat::{WatchSeat, WatchSeats};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// The pause between two looks at the connections.
const TICK: Duration = Duration::from_millis(250);
/// The time that a session which works is left alone before the server is asked again.
const PAUSE: Duration = Duration::from_secs(30);

/// The connections of a pool, and a way to ask their server after them.
pub(crate) trait Watchable: Send + Sync + 'static {
    /// Returns which database it is.
    fn side(&self) -> Side;
    /// Returns where the server is.
    fn at(&self) -> String;
    /// Returns how long the server is waited for.
    fn patience(&self) -> &Patience;
    /// Returns the open connections.
    fn seats(&self) -> &WatchSeats;
    /// Asks the server, on a connection of its own and in a bounded time, what these sessions do. A
    /// session that it does not know is left out.
    fn sessions(self: Arc<Self>, numbers: &[u32]) -> Result<BTreeMap<u32, SessionActivity>>;
}

/// The meaning of a session's state for whoever waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionActivity {
    /// It works on its statement.
    Works,
    /// It has said all that there is to say.
    Done,
    /// It was ended, or is not known.
    Gone,
    /// It sends, and nothing comes.
    Sends,
    /// It waits for what was sent long ago.
    Receives,
    /// It waits for room on the server's disk.
    NoRoom,
}

impl SessionActivity {
    /// Returns the fault of a server that waits for room, if this one does.
    pub(crate) fn no_room(self, side: Side) -> Option<Fault> {
        let text = format!(
            "the {side}'s disk is full, and a session of ours waits there for room: free some space"
        );
        (self == SessionActivity::NoRoom).then(|| Fault::new(side, text))
    }

    /// Returns the fault by which the connection is lost; [`None`] if it is worth waiting for.
    fn fault(self, side: Side, silence: &str) -> Option<Fault> {
        let said = match self {
            SessionActivity::Works => return None,
            SessionActivity::NoRoom => return self.no_room(side),
            SessionActivity::Done => "has answered",
            SessionActivity::Gone => "has ended the session",
            SessionActivity::Sends => "is sending",
            SessionActivity::Receives => "waits to receive",
        };
        let text = format!("{silence}, and says on a second one that it {said}");
        Some(Fault::disconnect(side, text))
    }
}

/// Looks after the connections of a pool until that is gone.
///
/// A connection that has waited for longer than the bound is asked after through a second session: it is
/// left alone while the server works on its statement, and cut if the server is done with it, does not
/// know it any more, or can't be asked.
pub(crate) fn start<W: Watchable>(pool: &Arc<W>) {
    let weak = Arc::downgrade(pool);
    let name = format!("watch-{}", pool.side());
    // Without a thread to spare the sockets' own bounds still hold for all but long statements.
    if let Err(error) = thread::Builder::new().name(name).spawn(move || watch(&weak)) {
        log::warn!("{}: nobody looks after long statements: {error}", pool.side());
    }
}

fn watch<W: Watchable>(pool: &Weak<W>) {
    loop {
        thread::sleep(TICK);
        let Some(pool) = pool.upgrade() else { return };
        look(&pool);
    }
}

fn look<W: Watchable>(pool: &Arc<W>) {
    let patience = pool.patience();
    let mut seats = pool.seats().all();
    if patience.is_over() {
        let fault = Fault::disconnect(pool.side(), "the run was stopped a while ago");
        seats.iter().for_each(|seat| seat.give_up(fault.clone()));
        return;
    }
    let bound = patience.silence();
    look_at_untold(pool, &seats, bound);
    seats.retain(|seat| !seat.is_untold());
    seats.retain(|seat| seat.silent_for().is_some_and(|silent| silent >= bound));
    if patience.is_stopping() {
        let why = "since the run was asked to stop";
        seats.iter().for_each(|seat| give_up(pool, seat, why));
        return;
    }
    seats.retain(|seat| seat.is_due(PAUSE.min(bound)));
    let numbers: Vec<u32> = seats.iter().filter_map(|seat| seat.connection()).collect();
    if numbers.is_empty() {
        return;
    }
    match Arc::clone(pool).sessions(&numbers) {
        Ok(sessions) => seats.iter().for_each(|seat| judge(pool, seat, &sessions)),
        Err(fault) => {
            let why = format!("and answers no second one: {}", fault.message());
            seats.iter().for_each(|seat| give_up(pool, seat, &why));
        }
    }
}

/// Looks after connections of which nobody says when an answer is waited for. A server that lives serves a
/// second session; one that serves none, twice in a row, has them all cut.
fn look_at_untold<W: Watchable>(pool: &Arc<W>, seats: &[Arc<WatchSeat>], bound: Duration) {
    let due: Vec<_> = seats.iter().filter(|seat| seat.is_untold() && seat.is_due(bound)).collect();
    let numbers: Vec<u32> = due.iter().filter_map(|seat| seat.connection()).collect();
    if numbers.is_empty() {
        return;
    }
    match Arc::clone(pool).sessions(&numbers) {
        Err(fault) if fault.is_disconnect() => {
            let text = format!("{}; all connections to it are given up", fault.message());
            let fault = Fault::disconnect(pool.side(), text);
            let lost = due.iter().filter(|seat| seat.suspect_again());
            lost.for_each(|seat| seat.give_up(fault.clone()));
        }
        // It says something, be it that it serves nobody else.
        Ok(_) | Err(_) => due.iter().for_each(|seat| seat.works()),
    }
}

fn judge<W: Watchable>(pool: &Arc<W>, seat: &WatchSeat, sessions: &BTreeMap<u32, SessionActivity>) {
    let Some(number) = seat.connection() else { return };
    let activity = sessions.get(&number).copied().unwrap_or(SessionActivity::Gone);
    // An answer may have come while the server was asked.
    let Some(silence) = silence(pool.as_ref(), seat) else { return };
    match activity.fault(pool.side(), &silence) {
        None => seat.works(),
        // The answer may be on its way: the next look tells.
        Some(_) if !seat.suspect() => {}
        Some(fault) => seat.give_up(fault),
    }
}

fn give_up<W: Watchable>(pool: &Arc<W>, seat: &WatchSeat, why: &str) {
    if let Some(silence) = silence(pool.as_ref(), seat) {
        seat.give_up(Fault::disconnect(pool.side(), format!("{silence} {why}")));
    }
}

/// Says how long the server has been silent, if it still is.
fn silence<W: Watchable>(pool: &W, seat: &WatchSeat) -> Option<String> {
    let seconds = seat.silent_for()?.as_secs();
    Some(format!("{} has been silent on this connection for {seconds} s", pool.at()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::CancelToken;
    use std::sync::Mutex;

    /// A pool of one connection, whose server says what it is told to.
    struct Pool {
        patience: Patience,
        seats: WatchSeats,
        says: Mutex<Option<SessionActivity>>,
    }

    impl Watchable for Pool {
        fn side(&self) -> Side {
            Side::Replica
        }
        fn at(&self) -> String {
            "clinic:3306".to_owned()
        }
        fn patience(&self) -> &Patience {
            &self.patience
        }
        fn seats(&self) -> &WatchSeats {
            &self.seats
        }
        fn sessions(self: Arc<Self>, numbers: &[u32]) -> Result<BTreeMap<u32, SessionActivity>> {
            match *self.says.lock().unwrap() {
                Some(SessionActivity::Gone) => Ok(BTreeMap::new()),
                Some(activity) => Ok([(numbers[0], activity)].into()),
                None => Err(Fault::disconnect(Side::Replica, "cannot reach it")),
            }
        }
    }

    #[test]
    fn a_server_that_serves_no_second_session_loses_those_that_tell_nothing() {
        for lives in [
            SessionActivity::Works,
            SessionActivity::Done,
            SessionActivity::Gone,
            SessionActivity::Receives,
        ] {
            assert!(lasts(Some(lives)), "{lives:?}");
        }
        assert!(!lasts(None));
    }

    /// Returns true if a connection of which nobody says when an answer is waited for is left alone.
    fn lasts(says: Option<SessionActivity>) -> bool {
        let seat = Arc::new(WatchSeat::untold("/nowhere".into()));
        seat.is_session(7);
        let (seats, says) = (WatchSeats::default(), Mutex::new(says));
        seats.add(&seat);
        let patience = Patience::new(Duration::from_millis(1), CancelToken::new());
        let pool = Arc::new(Pool { patience, seats, says });
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(4));
            look(&pool);
        }
        seat.verdict().is_none()
    }

    /// Returns what becomes of a connection that waits for longer than the bound.
    fn verdict(says: Option<SessionActivity>, waits: bool, cancel: &CancelToken) -> Option<Fault> {
        let seat = Arc::new(WatchSeat::default());
        seat.is_session(7);
        let patience = Patience::new(Duration::from_millis(1), cancel.clone());
        let (seats, says) = (WatchSeats::default(), Mutex::new(says));
        seats.add(&seat);
        let pool = Arc::new(Pool { patience, seats, says });
        if waits {
            seat.wait();
        }
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(4));
            look(&pool);
        }
        seat.verdict().cloned()
    }

    #[test]
    fn who_is_worth_waiting_for_is_waited_for() {
        let cancel = CancelToken::new();
        assert!(verdict(Some(SessionActivity::Works), true, &cancel).is_none());
        assert!(verdict(None, false, &cancel).is_none(), "nobody waits");
    }

    #[test]
    fn an_answer_that_does_not_come_is_a_lost_connection() {
        let cases = [
            (Some(SessionActivity::Done), "has answered"),
            (Some(SessionActivity::Gone), "has ended the session"),
            (Some(SessionActivity::Sends), "is sending"),
            (Some(SessionActivity::Receives), "waits to receive"),
            (None, "answers no second one: cannot reach it"),
        ];
        for (says, words) in cases {
            let fault = verdict(says, true, &CancelToken::new()).unwrap();
            assert!(fault.is_disconnect() && fault.is_transient(), "{fault}");
            let shown = fault.to_string();
            assert!(shown.starts_with("replica: clinic:3306 has been silent on this"), "{shown}");
            assert!(shown.ends_with(words), "{shown}");
        }
    }

    #[test]
    fn a_full_disk_is_not_tried_again() {
        let fault = verdict(Some(SessionActivity::NoRoom), true, &CancelToken::new()).unwrap();
        assert!(!fault.is_transient() && fault.to_string().contains("disk is full"), "{fault}");
    }

    #[test]
    fn nobody_is_asked_once_the_run_is_to_stop() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let fault = verdict(Some(SessionActivity::Works), true, &cancel).unwrap();
        assert!(fault.to_string().ends_with("since the run was asked to stop"), "{fault}");
    }
}
