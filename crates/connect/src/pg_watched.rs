//! A layer with which a watchdog can cut the line to PostgreSQL.
//!
//! The driver reads and writes on its own runtime, inside the call that waits for an answer, and is not
//! driven between calls. So a timer on the line that fires is proof that somebody waits.

use crate::layered::StreamLayer;
use crate::seat::WatchSeat;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// The pause between two looks at a line that waits.
const TICK: Duration = Duration::from_millis(250);

/// A line that is watched from a seat.
pub(crate) struct WatchedLine {
    seat: Arc<WatchSeat>,
    tick: Option<Pin<Box<Sleep>>>,
}

impl WatchedLine {
    /// Watches from `seat`.
    pub(crate) fn new(seat: Arc<WatchSeat>) -> WatchedLine {
        WatchedLine { seat, tick: None }
    }

    /// Ends the waiting if `done` is an answer, and else waits for the line until the watchdog cuts it.
    fn rest_or_wait<T>(
        &mut self,
        done: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.seat.rest();
            return done;
        }
        let tick = self.tick.get_or_insert_with(|| Box::pin(sleep(TICK)));
        while tick.as_mut().poll(cx).is_ready() {
            if let Some(verdict) = self.seat.verdict() {
                let text = verdict.message().to_owned();
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
            }
            self.seat.wait_on();
            tick.as_mut().reset(Instant::now() + TICK);
        }
        Poll::Pending
    }
}

impl Clone for WatchedLine {
    /// Watches another line from the same seat.
    fn clone(&self) -> WatchedLine {
        WatchedLine::new(Arc::clone(&self.seat))
    }
}

impl<S> StreamLayer<S> for WatchedLine {
    fn poll_read(
        &mut self,
        below: Pin<&mut S>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncRead,
    {
        let done = below.poll_read(cx, out);
        self.rest_or_wait(done, cx)
    }

    fn poll_write(
        &mut self,
        below: Pin<&mut S>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite,
    {
        let done = below.poll_write(cx, bytes);
        self.rest_or_wait(done, cx)
    }
}
