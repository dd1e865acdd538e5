//! The rows of a prepared statement, without an allocation a row.

use super::answer::{END, ERROR, OK, Outcome, PassedNews, end, error, malformed};
use super::packet::MyPacket;
use super::packets::Buffer;
use super::row::{self, Sent};
use crate::seat::WatchSeat;
use crate::value_ref::ValueRef;
use mysql::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The rows of one statement.
///
/// Dropped before its end, it leaves the connection to be closed; see [`crate::MyConn::wire`].
pub struct MyRows<'a>(pub(super) Stream<'a>);

impl MyRows<'_> {
    /// Hands row after row to `each` until it breaks off; called again, it goes on behind that row.
    ///
    /// # Errors
    ///
    /// Returns what the server or the connection said, to be passed through
    /// [`crate::MyConn::fault`].
    pub fn each<B>(
        &mut self,
        each: impl FnMut(&[ValueRef<'_>]) -> ControlFlow<B>,
    ) -> mysql::Result<ControlFlow<B>> {
        self.0.each(each)
    }

    /// Hands row after row to `each` as [`MyRows::each`] does, not taken apart.
    ///
    /// # Errors
    ///
    /// Returns an error as [`MyRows::each`] does.
    pub fn each_packet<B>(
        &mut self,
        mut each: impl FnMut(MyPacket<'_>) -> ControlFlow<B>,
    ) -> mysql::Result<ControlFlow<B>> {
        self.0
            .run(|bytes, columns| each(MyPacket { bytes, columns }).break_value().map(Stop::Break))
    }
}

/// The rows behind the head of an answer.
pub(super) struct Stream<'a> {
    seat: &'a WatchSeat,
    buffer: &'a mut Buffer,
    columns: Arc<[Sent]>,
    /// More is to come.
    open: bool,
    outcome: Outcome,
    news: PassedNews,
    /// Set if the rows were not read to their end.
    broken: &'a mut bool,
}

impl<'a> Stream<'a> {
    /// Reads rows of these columns; there are none without.
    pub(super) fn new(
        seat: &'a WatchSeat,
        buffer: &'a mut Buffer,
        columns: Option<Arc<[Sent]>>,
        broken: &'a mut bool,
    ) -> Stream<'a> {
        let open = columns.is_some();
        let columns = columns.unwrap_or_default();
        let (outcome, news) = (Outcome::default(), PassedNews::default());
        Stream { seat, buffer, columns, open, outcome, news, broken }
    }

    /// Returns what the server said behind the rows.
    pub(super) fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(super) fn each<B>(
        &mut self,
        mut each: impl FnMut(&[ValueRef<'_>]) -> ControlFlow<B>,
    ) -> mysql::Result<ControlFlow<B>> {
        let mut store = Vec::with_capacity(self.columns.len());
        self.run(|packet, columns| {
            let mut values = recycle(std::mem::take(&mut store));
            let stop = match row::values(packet, columns, &mut values) {
                None => Some(Stop::Error(malformed())),
                Some(()) => each(&values).break_value().map(Stop::Break),
            };
            store = recycle(values);
            stop
        })
    }

    /// Hands the packet of row after row to `row`.
    fn run<B>(
        &mut self,
        mut row: impl FnMut(&[u8], &[Sent]) -> Option<Stop<B>>,
    ) -> mysql::Result<ControlFlow<B>> {
        let columns = &*self.columns;
        let news = &mut self.news;
        while self.open {
            let stop = self.buffer.some(self.seat, |packet| {
                if packet.first() == Some(&OK) {
                    row(packet, columns)
                } else {
                    after_rows(packet, news)
                }
            })?;
            match stop {
                None => {}
                Some(Stop::Break(done)) => return Ok(ControlFlow::Break(done)),
                Some(Stop::End(outcome)) => {
                    self.outcome = outcome;
                    self.open = false;
                }
                Some(Stop::Error(error)) => {
                    self.open = !matches!(error, Error::MySqlError(_));
                    return Err(error);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.buffer.reset();
        if self.open {
            *self.broken = true;
        }
    }
}

/// The reason for which no more rows are taken.
enum Stop<B> {
    Break(B),
    End(Outcome),
    Error(Error),
}

/// Reads a packet that is no row.
fn after_rows<B>(packet: &[u8], news: &mut PassedNews) -> Option<Stop<B>> {
    match packet.first() {
        Some(&END) => Some(end(packet).map_or_else(|| Stop::Error(malformed()), Stop::End)),
        Some(&ERROR) => error(packet).or_else(|| news.pass()).map(Stop::Error),
        _ => Some(Stop::Error(malformed())),
    }
}

/// Empties a vector for values that live otherwise; its memory is kept.
fn recycle<'b>(mut values: Vec<ValueRef<'_>>) -> Vec<ValueRef<'b>> {
    values.clear();
    values.into_iter().map(|_| unreachable!("it is empty")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_of_the_progress_are_passed_over_up_to_a_point() {
        let packet = [ERROR, 0xff, 0xff, 1, 2, 1, 0, 0, 0, 0];
        let mut news = PassedNews::default();
        let passed = (0..20_000).take_while(|_| after_rows::<()>(&packet, &mut news).is_none());
        assert_eq!(passed.count(), 10_000);
    }
}
