//! A read before it begins, and its bounds.

use super::condition::SqlCondition;
use super::key::TableKey;
use super::pace;
use super::spec::{Locking, ReadSpec, RowSink};
use super::timed::TimedSink;
use crate::error::Result;
use handoff_connect::quote_my;
use handoff_model::{RowThrottle, WaitClock};
use std::time::Duration;

/// Reads one table.
pub struct RowReader<'a> {
    pub(super) spec: ReadSpec<'a>,
    pub(super) throttle: Option<&'a RowThrottle>,
    pub(super) clock: Option<&'a WaitClock>,
    pub(super) room: usize,
}

impl<'a> RowReader<'a> {
    /// Prepares a read.
    pub fn new(spec: ReadSpec<'a>) -> RowReader<'a> {
        RowReader { spec, throttle: None, clock: None, room: pace::MOST_BYTES }
    }

    /// Bounds the bytes that are gathered of a range before the sink may write: 8 MiB if there is
    /// room for them.
    #[must_use]
    pub fn room(mut self, bytes: usize) -> RowReader<'a> {
        self.room = bytes.clamp(1, pace::MOST_BYTES);
        self
    }

    /// Bounds the rows that are read in a second. A read that locks out writers waits only between
    /// two ranges, when it holds no lock.
    #[must_use]
    pub fn throttle(mut self, throttle: Option<&'a RowThrottle>) -> RowReader<'a> {
        self.throttle = throttle;
        self
    }

    /// Tells `clock` the waits of the read once it has ended well.
    #[must_use]
    pub fn clock(mut self, clock: &'a WaitClock) -> RowReader<'a> {
        self.clock = Some(clock);
        self
    }

    /// Waits for `rows` that were read, where there is a bound.
    pub(super) fn pay<S: RowSink>(&self, rows: u64, sink: &mut TimedSink<'_, S>) -> Result<()> {
        sink.slept += self.wait_for(rows)?;
        Ok(())
    }

    /// Waits for `rows` that were read, where there is a bound, and returns for how long.
    pub(super) fn wait_for(&self, rows: u64) -> Result<Duration> {
        match self.throttle {
            Some(throttle) => Ok(throttle.take(rows, self.spec.cancel)?),
            None => Ok(Duration::ZERO),
        }
    }

    /// Renders the one statement that reads the rows of the filter.
    pub(super) fn select(&self, index: Option<&TableKey>, filter: &SqlCondition) -> String {
        format!(
            "SELECT {} FROM {}{}{}",
            self.spec.select.join(", "),
            quote_my(self.spec.table.name.as_str()),
            index.map(TableKey::force_index).unwrap_or_default(),
            filter.where_clause()
        )
    }

    /// Returns the number of rows of one statement between two waits for the throttle.
    pub(super) fn step(&self) -> u64 {
        // Ranges that could not be had: the statement locks, and must not be drawn out.
        let locks = self.spec.locking == Locking::Ranges;
        self.throttle.filter(|_| !locks).map_or(u64::MAX, RowThrottle::step)
    }
}
