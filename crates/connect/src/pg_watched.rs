//! A layer with which a watchdog can cut the line to PostgreSQL.
//!
//! The driver reads and writes on its own runtime, inside the call that waits for an answer, and is not
//! driven between calls. So a timer on the line that fires is proof that somebody waits. It never fires while a
//! server sends without end, so a line is judged whenever something comes as well.

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
            // A server that sends without end is never waited for.
            return judged(&self.seat).map_or(done, |cut| Poll::Ready(Err(cut)));
        }
        let tick = self.tick.get_or_insert_with(|| Box::pin(sleep(TICK)));
        while tick.as_mut().poll(cx).is_ready() {
            if let Some(cut) = judged(&self.seat) {
                return Poll::Ready(Err(cut));
            }
            self.seat.wait_on();
            tick.as_mut().reset(Instant::now() + TICK);
        }
        Poll::Pending
    }
}

/// Returns the error of a line that is cut.
fn judged(seat: &WatchSeat) -> Option<io::Error> {
    let text = match seat.verdict() {
        Some(verdict) => verdict.message().to_owned(),
        None if seat.is_left() => "the server goes on and nobody waits for it any more".to_owned(),
        None => return None,
    };
    Some(io::Error::new(io::ErrorKind::TimedOut, text))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::LayeredStream;
    use crate::{Fault, Side};
    use std::task::Waker;

    /// Sends without end.
    struct Endless;

    impl AsyncRead for Endless {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            out: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            out.put_slice(b"more");
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_server_that_sends_without_end_is_cut_as_well() {
        let seat = Arc::new(WatchSeat::default());
        let mut line = LayeredStream::new(Endless, WatchedLine::new(Arc::clone(&seat)));
        let mut buffer = [0; 64];
        let mut read = || {
            let mut out = ReadBuf::new(&mut buffer);
            Pin::new(&mut line).poll_read(&mut Context::from_waker(Waker::noop()), &mut out)
        };
        assert!(matches!(read(), Poll::Ready(Ok(()))));
        seat.give_up(Fault::new(Side::Target, "it goes on and on"));
        assert!(
            matches!(read(), Poll::Ready(Err(error)) if error.to_string().contains("on and on"))
        );
    }
}
