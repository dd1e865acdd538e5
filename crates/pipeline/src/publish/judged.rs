//! The outcome of the checks before a publication.

use crate::TableError;
use crate::table::{Evidence, ProofRule};
use handoff_connect::{Fault, Side};
use std::sync::{Mutex, PoisonError};

/// The findings of the checks before a publication, and the reason against it if there is one.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) evidence: Option<Evidence>,
    pub(crate) refused: Option<TableError>,
}

impl Judged {
    /// Returns the judgement that follows from `evidence`.
    pub(crate) fn by(evidence: Evidence, rule: ProofRule) -> Judged {
        let refused = evidence.error(rule);
        Judged { evidence: Some(evidence), refused }
    }
}

impl From<Result<Judged, TableError>> for Judged {
    fn from(done: Result<Judged, TableError>) -> Judged {
        done.unwrap_or_else(|error| Judged { evidence: None, refused: Some(error) })
    }
}

/// Carries a judgement past a mover, which knows faults only.
#[derive(Debug, Default)]
pub(crate) struct Relay(Mutex<Judged>);

impl Relay {
    /// Keeps a judgement, and returns the fault that has the mover roll back if it is a refusal.
    pub(crate) fn keep(&self, side: Side, judged: Judged) -> Result<(), Fault> {
        let refused = judged.refused.is_some();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = judged;
        match refused {
            true => Err(Fault::new(side, "the checks before the publication failed")),
            false => Ok(()),
        }
    }

    /// Puts what was found into `evidence`, and the refusal in the place of the mover's error.
    pub(crate) fn settle<T>(
        self,
        done: Result<T, TableError>,
        evidence: &mut Evidence,
    ) -> Result<T, TableError> {
        let judged = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = judged.evidence {
            *evidence = found;
        }
        done.map_err(|error| judged.refused.unwrap_or(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_takes_the_place_of_the_movers_error() {
        let (relay, mut evidence) = (Relay::default(), Evidence::default());
        let refused = Some(TableError::Miscounted("1 and 2".to_owned()));
        let judged = Judged { evidence: Some(Evidence::begun()), refused };
        let fault = relay.keep(Side::Target, judged);
        let moved: Result<(), _> = Err(TableError::Prove(fault.unwrap_err()));
        let error = relay.settle(moved, &mut evidence).unwrap_err();
        assert!(matches!(error, TableError::Miscounted(text) if text == "1 and 2"));
        assert!(evidence.at.is_some());
    }

    #[test]
    fn a_fault_of_the_commit_stays_one() {
        let (relay, mut evidence) = (Relay::default(), Evidence::default());
        relay.keep(Side::Target, Judged::default()).unwrap();
        let moved: Result<(), _> = Err(TableError::Prove(Fault::new(Side::Target, "gone")));
        assert!(matches!(relay.settle(moved, &mut evidence), Err(TableError::Prove(_))));
    }
}
