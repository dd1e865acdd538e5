//! The state that becomes true together with the data.

use crate::changes::{self, FinishedCopy, RecordEntry};
use crate::published_move::PublishedMove;
use crate::tracker::Tracker;
use handoff_connect::{Fault, MyClient, PublishHook, PublishedRows, Result, Side};
use handoff_model::CopyId;
use jiff::Timestamp;

/// Records one hop of one table where its data is. Make it when the hop begins: durations count
/// from there.
pub struct TrackingHook<'a> {
    tracker: &'a Tracker,
    work: PublishedMove<'a>,
    started: Timestamp,
}

impl Tracker {
    /// Returns what a mover is to call when it publishes `work`.
    pub fn seal<'a>(&'a self, work: PublishedMove<'a>) -> TrackingHook<'a> {
        TrackingHook { tracker: self, work, started: Timestamp::now() }
    }
}

impl<'a> TrackingHook<'a> {
    /// Has the hop begin earlier: the rows that it moves were looked for from then on, so that no
    /// younger change is sure to be among them.
    #[must_use]
    pub fn since(self, began: Timestamp) -> TrackingHook<'a> {
        TrackingHook { started: began, ..self }
    }

    fn entry(&self) -> RecordEntry<'a> {
        self.tracker.entry(self.work.table)
    }

    fn copied(
        &self,
        entry: RecordEntry<'_>,
        copy_id: CopyId,
        published: &PublishedRows,
    ) -> FinishedCopy {
        FinishedCopy {
            copy_id,
            strategy: published.strategy,
            rows: published.rows,
            bytes: published.bytes,
            waits: published.waits,
            started: self.started,
            finished: entry.at,
        }
    }
}

impl PublishHook for TrackingHook<'_> {
    fn before_swap(&self) -> Result<()> {
        self.tracker.demand_side(Side::Replica)
    }

    /// Writes the row of `etl_copy_status` in one statement, which commits by itself unless the
    /// connection is in a transaction.
    fn on_replica(&self, conn: &mut MyClient, published: &PublishedRows) -> Result<()> {
        let Some(replica) = self.tracker.replica() else {
            return Err(Fault::new(Side::Replica, "a copy was made, but no replica is tracked"));
        };
        let Some(copy_id) = self.work.copy_id else {
            return Err(Fault::new(Side::Replica, "a copy was made, but has no id"));
        };
        self.tracker.demand_side(Side::Replica)?;
        let entry = self.entry();
        let copied = self.copied(entry, copy_id, published);
        let source = self.tracker.identities().source;
        let change = changes::copied(entry, &self.work, &copied, source.as_ref());
        let statement = change.for_mysql(&self.tracker.in_replica(replica, change.layout()));
        conn.exec_drop(statement.sql, statement.values)
            .map_err(|error| Fault::my(Side::Replica, &error))?;
        self.tracker.remember(self.work.table, copied, &self.work);
        Ok(())
    }

    /// Makes sure that no other run has taken over, and writes the rows of `etl_load_status` and `etl_runs` in one
    /// statement.
    fn on_target(
        &self,
        tx: &mut postgres::Transaction<'_>,
        published: &PublishedRows,
    ) -> Result<()> {
        self.tracker.demand_ours(tx)?;
        let entry = self.entry();
        let mut work = self.work;
        let mut origin = self.tracker.identities();
        origin.source = origin.source.or_else(|| work.copied_from.cloned());
        let mut all = Vec::new();
        if self.tracker.replica().is_none() {
            let copy_id = *work.copy_id.get_or_insert_with(CopyId::new);
            let copied = self.copied(entry, copy_id, published);
            all.push(changes::copied(entry, &work, &copied, origin.source.as_ref()));
        }
        let line = changes::run_loaded(entry, &work, published, self.started);
        all.push(changes::with_copy(line, self.tracker.remembered(work.table).as_ref()));
        let copied = self.tracker.remembered(work.table).map(|copied| copied.started);
        // What is read directly is read by this load.
        let direct = self.tracker.replica().is_none().then_some(self.started);
        let data_as_of = direct.or(copied).or(work.copied_at);
        all.push(changes::loaded(entry, &work, published, self.started, data_as_of, &origin));
        let statement = self.tracker.in_one_statement(&all);
        let params = crate::record::typed(&statement.values);
        let done = tx.execute_typed(&statement.sql, &params);
        done.map(drop).map_err(|error| Fault::pg(Side::Target, &error))
    }
}
