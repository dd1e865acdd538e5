//! The times of a read.

use super::spec::RowSink;
use crate::error::Result;
use handoff_connect::ValueRef;
use handoff_model::WaitTimes;
use std::time::{Duration, Instant};

/// Of so many rows one is timed: two looks at the clock for each would cost more than they tell.
const SAMPLE: u32 = 32;

/// A sink that measures: writing by the flush, encoding by samples. The rest of the whole time
/// was spent waiting for rows.
pub(super) struct TimedSink<'a, S> {
    sink: &'a mut S,
    began: Instant,
    rows: u32,
    sampled: Duration,
    flushed: Duration,
    /// The time slept so as to heed the throttle.
    pub(super) slept: Duration,
}

impl<'a, S: RowSink> TimedSink<'a, S> {
    pub(super) fn new(sink: &'a mut S) -> TimedSink<'a, S> {
        let none = Duration::ZERO;
        TimedSink {
            sink,
            began: Instant::now(),
            rows: 0,
            sampled: none,
            flushed: none,
            slept: none,
        }
    }

    pub(super) fn waits(&self) -> WaitTimes {
        let mut waits = WaitTimes {
            source: Duration::ZERO,
            encoder: self.sampled.saturating_mul(SAMPLE),
            target: self.flushed,
            throttle: self.slept,
        };
        let whole = self.began.elapsed();
        // A sample may have met a busy moment.
        waits.encoder = waits.encoder.min(whole.saturating_sub(self.flushed + self.slept));
        waits.source = whole.saturating_sub(waits.total());
        waits
    }
}

impl<S: RowSink> RowSink for TimedSink<'_, S> {
    type Error = S::Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<(), S::Error> {
        self.rows = (self.rows + 1) % SAMPLE;
        if self.rows > 0 {
            return self.sink.row(row);
        }
        let began = Instant::now();
        let done = self.sink.row(row);
        self.sampled += began.elapsed();
        done
    }

    fn buffered(&self) -> usize {
        self.sink.buffered()
    }

    fn threshold(&self) -> usize {
        self.sink.threshold()
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        let began = Instant::now();
        let done = self.sink.flush();
        self.flushed += began.elapsed();
        done
    }
}
