//! The part of a copy that all of its steps need.

use crate::error::{CopyStage, Error, FaultContext, Result, cancelled};
use crate::job::CopyJob;
use crate::pair::Replicator;
use handoff_connect::{MyConn, SessionProfile};

/// The copy of one table, for its steps: the pair of databases and the job.
#[derive(Clone, Copy)]
pub(crate) struct CopyContext<'a> {
    pub(crate) replicator: &'a Replicator,
    pub(crate) job: CopyJob<'a>,
}

impl<'a> CopyContext<'a> {
    /// Names a stage of the copy, for the fault of a server.
    pub(crate) fn at(self, stage: CopyStage, rows: u64) -> FaultContext<'a> {
        FaultContext { table: &self.job.table.name, stage, rows }
    }

    /// Reduces a driver's error at a stage of the copy.
    pub(crate) fn failed(self, conn: &MyConn, at: FaultContext<'_>, error: &mysql::Error) -> Error {
        self.replicator.failed(conn, at, error)
    }

    /// Refuses to go on if the run was asked to stop.
    pub(crate) fn check_cancel(self) -> Result<()> {
        self.replicator.cancel.check().map_err(cancelled(&self.job.table.name))
    }

    /// Runs a statement on the replica, which the request to stop ends.
    pub(crate) fn run(self, conn: &mut MyConn, sql: &str, at: FaultContext<'_>) -> Result<()> {
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let done = conn.query_drop(sql);
        drop(guard);
        done.map_err(|error| self.failed(conn, at, &error))
    }

    /// Takes a connection to the source, set up for raw reading.
    pub(crate) fn source(self, stage: CopyStage) -> Result<MyConn> {
        let taken = self.replicator.source.get(SessionProfile::RawRead);
        taken.map_err(|fault| self.at(stage, 0).error(fault))
    }

    /// Takes a connection to the replica, set up for writing.
    pub(crate) fn writer(self, stage: CopyStage) -> Result<MyConn> {
        let taken = self.replicator.replica.get(SessionProfile::Write);
        taken.map_err(|fault| self.at(stage, 0).error(fault))
    }
}
