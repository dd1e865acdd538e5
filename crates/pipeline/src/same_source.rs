//! The consent of a run to another source than recorded.

use crate::builder::Pipeline;
use crate::error::Result;
use crate::options::{RunOptions, SourceConsent};
use crate::report::{VerifyReport, VerifyStatus};
use crate::verify::{Depth, VerifyRequest};
use handoff_connect::Side;
use handoff_model::NopObserver;
use handoff_plan::Hops;
use handoff_session::{
    IdentityChange, Ownership, OwnershipConsent, Session, SessionError, SourceChange, TableScope,
};
use std::sync::Arc;

impl Pipeline {
    /// Finds out the ownership of the data in the tables of a run, and refuses to go on where the run would
    /// bring other data. Writes nothing; rows are compared only where the source is another one.
    pub(crate) fn ownership(
        &self,
        session: &Session<'_>,
        scope: &TableScope,
        options: &RunOptions,
    ) -> Result<Ownership> {
        let mut ownership = session.ownership(&scope.catalogue, options.hops)?;
        // A file is of no source that is known.
        if options.from_spool.is_some() {
            return Ok(ownership);
        }
        ownership.consent = match options.source {
            SourceConsent::New => OwnershipConsent::NewSource,
            SourceConsent::Same => OwnershipConsent::SameSource,
            SourceConsent::Recorded => {
                let states = session.recorded_states()?;
                match ownership.change(&states, &scope.wanted) {
                    Some(change) => self.same_rows(session, change)?,
                    None => OwnershipConsent::Unneeded,
                }
            }
        };
        Ok(ownership)
    }

    /// Compares every row of the tables of a change: another source that holds the same rows is the same
    /// for everything that is built on them.
    fn same_rows(&self, session: &Session<'_>, change: SourceChange) -> Result<OwnershipConsent> {
        let is_comparable = self.settings.replica.is_some() == session.servers.replica.is_some()
            && change.change != IdentityChange::Replica;
        let tables = change.tables.len();
        let (from, to) = match change.hops {
            Hops::Both => (Side::Source, Side::Target),
            Hops::Copy => (Side::Source, Side::Replica),
            Hops::Load => (Side::Replica, Side::Target),
        };
        let quietly = self.unobserved();
        // Counts are cheap, and tell most databases apart.
        for depth in [Depth::Quick, Depth::Rows] {
            let tables = change.tables.clone();
            let request = VerifyRequest { tables, depth, from, to, ..VerifyRequest::default() };
            if !is_comparable || !is_equal(&quietly.verify(&request)?) {
                return Err(SessionError::OtherSource(Box::new(change)).into());
            }
        }
        Ok(OwnershipConsent::SameRows(tables))
    }

    fn unobserved(&self) -> Pipeline {
        Pipeline {
            settings: self.settings.clone(),
            observer: Arc::new(NopObserver),
            cancel: self.cancel.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// Rows that changed while they were looked at are the source's own work.
fn is_equal(report: &VerifyReport) -> bool {
    let mut statuses = report.tables.iter().map(|table| table.status);
    !report.cancelled
        && statuses.all(|status| matches!(status, VerifyStatus::Equal | VerifyStatus::Moving))
}
