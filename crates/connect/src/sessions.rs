//! Telling our sessions apart, from inside and from outside.
//!
//! A MySQL session carries its run in `program_name`, but that is only seen where the performance
//! schema is on, and on MariaDB it is off by default. So each session also takes a named lock made
//! of the run's id and a number: `IS_USED_LOCK` of that name tells, without any privilege, which
//! session of a run still lives. Unlike a recorded connection id, it can't point at a stranger
//! after the server was started anew.

use crate::fault::Side;
use handoff_model::RunId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most sessions of one run and side that carry a number: several times what either server
/// allows by default. Asking for all of them is one statement.
pub(crate) const MOST: u32 = 1_000;

/// Hands out numbers to the sessions of one pool.
#[derive(Clone)]
pub(crate) struct SessionLabels {
    run: RunId,
    side: Side,
    live: Arc<Mutex<LiveSessions>>,
}

#[derive(Default)]
struct LiveSessions {
    /// Connection ids by number; numbers above [`MOST`] carry no label.
    ids: BTreeMap<u32, u32>,
    last: u32,
}

/// A session's number, given back on drop.
pub(crate) struct SessionTicket {
    number: u32,
    label: Option<String>,
    live: Arc<Mutex<LiveSessions>>,
}

impl SessionLabels {
    pub(crate) fn new(run: RunId, side: Side) -> SessionLabels {
        SessionLabels { run, side, live: Arc::default() }
    }

    /// The `program_name` and `application_name` of every session.
    pub(crate) fn program(&self) -> String {
        program(self.run)
    }

    /// Gives the session `id` a free number. Numbers go round, since the server may take a while to
    /// end a session that we have left, and its lock with it.
    pub(crate) fn take(&self, id: u32) -> SessionTicket {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let round = (live.last + 1..=MOST).chain(1..=live.last).chain(MOST + 1..);
        let free = round.into_iter().find(|number| !live.ids.contains_key(number));
        let number = free.unwrap_or(u32::MAX);
        live.ids.insert(number, id);
        live.last = number.min(MOST);
        let label = (number <= MOST).then(|| label(self.run, self.side, number));
        SessionTicket { number, label, live: Arc::clone(&self.live) }
    }

    /// Returns the connection ids of the sessions that are open now.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).ids.values().copied().collect()
    }
}

impl SessionTicket {
    pub(crate) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }
}

impl Drop for SessionTicket {
    fn drop(&mut self) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).ids.remove(&self.number);
    }
}

/// Returns the name under which the sessions of a run show themselves to people.
pub(crate) fn program(run: RunId) -> String {
    format!("handoff {run}")
}

/// Returns the run that a session with this name belongs to. A pooler may have added its client's address.
pub(crate) fn run_of_program(program: &str) -> Option<RunId> {
    RunId::parse(program.strip_prefix("handoff ")?.split(' ').next()?)
}

/// Returns the named lock that the session `number` of a run holds. At most 64 characters.
pub(crate) fn label(run: RunId, side: Side, number: u32) -> String {
    let side = match side {
        Side::Source => 's',
        Side::Replica => 'r',
        Side::Target => 't',
    };
    format!("handoff:{run}:{side}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round_and_labels_fit() {
        let run = RunId::new();
        let labels = SessionLabels::new(run, Side::Replica);
        let expected = |number| format!("handoff:{run}:r{number}");
        let first = labels.take(7);
        let second = labels.take(8);
        assert_eq!(first.label(), Some(expected(1).as_str()));
        assert_eq!(labels.ids(), [7, 8]);
        drop(first);
        for number in 3..=MOST {
            assert_eq!(labels.take(9).label(), Some(expected(number).as_str()));
        }
        let again = labels.take(10);
        assert_eq!(again.label(), Some(expected(1).as_str()));
        assert_eq!(labels.ids(), [10, 8]);
        assert!(label(run, Side::Source, MOST).len() <= 64);
        drop(second);
    }

    #[test]
    fn a_run_is_known_by_the_name_of_its_sessions() {
        let run = RunId::new();
        assert_eq!(run_of_program(&program(run)), Some(run));
        assert_eq!(run_of_program(&format!("handoff {run} - 10.0.0.7:50123")), Some(run));
        for stranger in ["handoff", "psql", "handoff x", &format!("my handoff {run}")] {
            assert_eq!(run_of_program(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn sessions_beyond_the_last_number_have_no_label() {
        let labels = SessionLabels::new(RunId::new(), Side::Source);
        let tickets: Vec<SessionTicket> = (0..MOST + 2).map(|id| labels.take(id)).collect();
        assert_eq!(tickets.iter().filter(|ticket| ticket.label().is_some()).count(), MOST as usize);
        assert_eq!(labels.ids().len(), MOST as usize + 2);
    }
}
