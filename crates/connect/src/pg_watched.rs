//! A line to PostgreSQL that its watchdog can cut.
//!
//! The driver reads and writes on its own runtime, inside the call that waits for an answer, and is not
//! driven between calls. So a timer on the line that fires is proof that somebody waits.

use crate::seat::Seat;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How often a line that waits is looked at.
const TICK: Duration = Duration::from_millis(250);

/// Makes lines as `inner` does, watched from `seat`.
#[derive(Clone)]
pub(crate) struct WatchedTls<M> {
    pub(crate) inner: M,
    pub(crate) seat: Arc<Seat>,
}

/// A line that is being opened.
pub(crate) struct WatchedOpening<O> {
    inner: O,
    seat: Arc<Seat>,
}

/// An open line.
pub(crate) struct WatchedLine<S> {
    inner: S,
    seat: Arc<Seat>,
    tick: Option<Pin<Box<Sleep>>>,
}

impl<M: MakeTlsConnect<Socket>> MakeTlsConnect<Socket> for WatchedTls<M>
where
    M::Stream: Unpin,
    <M::TlsConnect as TlsConnect<Socket>>::Future: Send + 'static,
{
    type Stream = WatchedLine<M::Stream>;
    type TlsConnect = WatchedOpening<M::TlsConnect>;
    type Error = M::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, M::Error> {
        let inner = self.inner.make_tls_connect(host)?;
        Ok(WatchedOpening { inner, seat: Arc::clone(&self.seat) })
    }
}

impl<O: TlsConnect<Socket>> TlsConnect<Socket> for WatchedOpening<O>
where
    O::Stream: Unpin,
    O::Future: Send + 'static,
{
    type Stream = WatchedLine<O::Stream>;
    type Error = O::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, O::Error>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let WatchedOpening { inner, seat } = self;
        let opening = inner.connect(socket);
        Box::pin(async move { Ok(WatchedLine { inner: opening.await?, seat, tick: None }) })
    }
}

impl<S> WatchedLine<S> {
    /// Waits for the line, until the watchdog cuts it.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
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

impl<S: TlsStream + Unpin> TlsStream for WatchedLine<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedLine<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_read(cx, out) {
            Poll::Ready(done) => {
                this.seat.rest();
                Poll::Ready(done)
            }
            Poll::Pending => this.wait(cx),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedLine<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_write(cx, bytes) {
            Poll::Ready(done) => {
                this.seat.rest();
                Poll::Ready(done)
            }
            Poll::Pending => this.wait(cx),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
