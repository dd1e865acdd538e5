//! The checks before a copy is published in the replica.

use super::{Judged, Relay};
use crate::probe::Probe;
use crate::table::{Evidence, SideRows};
use crate::table_run::TableRunner;
use crate::work::{EVERYTHING, Work};
use crate::{TableContext, TableError};
use handoff_connect::{Fault, Published, Seal, Side, quote_my};
use handoff_tracking::TableSeal;
use mysql::prelude::Queryable;

/// The seal of a copy, which checks before it records.
pub(crate) struct CopyChecks<'r> {
    pub(crate) runner: &'r TableRunner,
    pub(crate) work: &'r Work<'r>,
    /// Whether all rows are copied, and not some.
    pub(crate) is_full: bool,
    /// What the source said before, if the rows of both sides are to be counted.
    pub(crate) probe: Option<&'r Probe>,
    pub(crate) seal: TableSeal<'r>,
    pub(crate) relay: Relay,
}

impl CopyChecks<'_> {
    fn judge(&self, conn: &mut mysql::Conn, published: &Published) -> Result<Judged, TableError> {
        if self.is_full {
            self.check_loss(conn, published)?;
        }
        match self.probe {
            Some(probe) => self.count(conn, published, probe),
            None => Ok(Judged::default()),
        }
    }

    /// Sees to it that the replica does not lose too many rows to a full copy, as far as their
    /// numbers tell. The old ones are counted only where what is known of them looks like a loss.
    fn check_loss(&self, conn: &mut mysql::Conn, published: &Published) -> Result<(), TableError> {
        let context = self.work.context;
        let limit = |before: u64| {
            let lost = before.saturating_sub(published.rows);
            let guard = self.runner.guard_of(context);
            guard.check_full(&context.name, Side::Replica, lost, before)
        };
        let before = match (published.before, &context.replica) {
            (Some(before), _) => before,
            (None, None) => return Ok(()),
            (None, Some(_)) if limit(likely_rows(context)).is_ok() => return Ok(()),
            (None, Some(_)) => count(conn, context)?,
        };
        limit(before)
    }

    /// Counts the rows of source and replica. Rows that came since the probe are no difference.
    fn count(
        &self,
        conn: &mut mysql::Conn,
        published: &Published,
        probe: &Probe,
    ) -> Result<Judged, TableError> {
        let context = self.work.context;
        let source = self.runner.asker().count(&context.schema, &EVERYTHING)?;
        let replica = if self.is_full { published.rows } else { count(conn, context)? };
        let rows = SideRows { source: Some(source), replica: Some(replica), target: None };
        let mut evidence = Evidence::of_counts(rows);
        evidence.written = self.runner.written(self.work, probe, source, replica)?;
        Ok(Judged::by(evidence, self.runner.rule(self.work)))
    }
}

impl Seal for CopyChecks<'_> {
    fn before_swap(&self) -> Result<(), Fault> {
        self.seal.before_swap()
    }

    fn check_replica(&self, conn: &mut mysql::Conn, published: &Published) -> Result<(), Fault> {
        self.relay.keep(Side::Replica, self.judge(conn, published).into())
    }

    fn on_replica(&self, conn: &mut mysql::Conn, published: &Published) -> Result<(), Fault> {
        self.seal.on_replica(conn, published)
    }

    fn on_target(
        &self,
        tx: &mut postgres::Transaction<'_>,
        published: &Published,
    ) -> Result<(), Fault> {
        self.seal.on_target(tx, published)
    }
}

/// Returns how many rows the replica's table has at most, by what is recorded of it and by its
/// catalogue.
pub(crate) fn likely_rows(context: &TableContext) -> u64 {
    let tracked = &context.tracked;
    let counted = tracked.load.as_ref().and_then(|load| load.replica_rows);
    let copied = tracked.copy.as_ref().and_then(|copy| copy.rows);
    let listed = context.replica.as_ref().map(|replica| replica.rows);
    [counted, copied, listed].into_iter().flatten().max().unwrap_or(0)
}

/// Counts the rows of the replica's table, inside the transaction if there is one.
fn count(conn: &mut mysql::Conn, context: &TableContext) -> Result<u64, TableError> {
    let ask = format!("SELECT COUNT(*) FROM {}", quote_my(context.name.as_str()));
    let counted = conn.query_first::<u64, _>(ask);
    let counted = counted.map_err(|error| TableError::Prove(Fault::my(Side::Replica, &error)))?;
    Ok(counted.unwrap_or_default())
}
