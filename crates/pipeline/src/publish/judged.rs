//! The outcome of the checks before a publication.

use crate::{Proof, TableError};
use handoff_connect::{Fault, Side};
use std::sync::{Mutex, PoisonError};

/// The findings of the checks before a publication, and the reason against it if there is one.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) proof: Option<Proof>,
    pub(crate) refused: Option<TableError>,
}

impl Judged {
    /// Returns the judgement that nothing speaks against what `proof` tells of.
    pub(crate) fn good(proof: Option<Proof>) -> Judged {
        Judged { proof, refused: None }
    }

    /// Returns the judgement that `error` speaks against it.
    pub(crate) fn bad(proof: Option<Proof>, error: TableError) -> Judged {
        Judged { proof, refused: Some(error) }
    }
}

impl From<Result<Judged, TableError>> for Judged {
    fn from(done: Result<Judged, TableError>) -> Judged {
        done.unwrap_or_else(|error| Judged::bad(None, error))
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

    /// Puts what was found into `proof`, and the refusal in the place of the mover's error.
    pub(crate) fn settle<T>(
        self,
        done: Result<T, TableError>,
        proof: &mut Option<Proof>,
    ) -> Result<T, TableError> {
        let judged = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if judged.proof.is_some() {
            *proof = judged.proof;
        }
        done.map_err(|error| judged.refused.unwrap_or(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_takes_the_place_of_the_movers_error() {
        let (relay, mut proof) = (Relay::default(), None);
        let refused = TableError::Miscounted("1 and 2".to_owned());
        let fault = relay.keep(Side::Target, Judged::bad(Some(Proof::nothing()), refused));
        let moved: Result<(), _> = Err(TableError::Prove(fault.unwrap_err()));
        let error = relay.settle(moved, &mut proof).unwrap_err();
        assert!(matches!(error, TableError::Miscounted(text) if text == "1 and 2"));
        assert!(proof.is_some());
    }

    #[test]
    fn a_fault_of_the_commit_stays_one() {
        let (relay, mut proof) = (Relay::default(), None);
        relay.keep(Side::Target, Judged::good(None)).unwrap();
        let moved: Result<(), _> = Err(TableError::Prove(Fault::new(Side::Target, "gone")));
        assert!(matches!(relay.settle(moved, &mut proof), Err(TableError::Prove(_))));
    }
}
