//! The input of a strategy, and the place in which its rows land.

use crate::row_source::RowSource;
use crate::staging_table::StagingTable;
use handoff_model::ProgressMeter;

/// The place in which a strategy's rows land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandingMode {
    /// In the publishing transaction: one connection, and a failure leaves nothing.
    Transaction,
    /// In a table that is there for every connection: several of them, or commits of their own.
    Committed,
    /// In a table as for [`LandingMode::Committed`], which stays after a failure together with how far
    /// the load has come, so that the next attempt at the same copy goes on from there. The
    /// strategies of this crate alone know how.
    Resumable,
    /// Nowhere: nothing is opened, nothing published, and the seal is not called.
    Nowhere,
}

/// The input of a strategy.
pub struct LoadInput<'a, 'c> {
    /// The rows.
    pub source: &'a RowSource<'a>,
    /// The table in which they land.
    pub landing: &'a mut StagingTable<'c>,
    /// The meter of the rows that were sent.
    pub meter: &'a ProgressMeter<'a>,
}
