//! Layers over the stream between the PostgreSQL driver and its server.

use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A layer over a stream; passes everything on unless a method says otherwise.
pub(crate) trait StreamLayer<S> {
    /// Reads from the stream below.
    fn poll_read(
        &mut self,
        below: Pin<&mut S>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncRead,
    {
        below.poll_read(cx, out)
    }

    /// Writes to the stream below.
    fn poll_write(
        &mut self,
        below: Pin<&mut S>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite,
    {
        below.poll_write(cx, bytes)
    }
}

/// A stream with a layer over it.
pub(crate) struct LayeredStream<S, L> {
    below: S,
    layer: L,
}

impl<S, L> LayeredStream<S, L> {
    /// Puts `layer` over `below`.
    pub(crate) fn new(below: S, layer: L) -> LayeredStream<S, L> {
        LayeredStream { below, layer }
    }
}

impl<S: TlsStream + Unpin, L: StreamLayer<S> + Unpin> TlsStream for LayeredStream<S, L> {
    fn channel_binding(&self) -> ChannelBinding {
        self.below.channel_binding()
    }
}

impl<S: AsyncRead + Unpin, L: StreamLayer<S> + Unpin> AsyncRead for LayeredStream<S, L> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.layer.poll_read(Pin::new(&mut this.below), cx, out)
    }
}

impl<S: AsyncWrite + Unpin, L: StreamLayer<S> + Unpin> AsyncWrite for LayeredStream<S, L> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.layer.poll_write(Pin::new(&mut this.below), cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().below).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().below).poll_shutdown(cx)
    }
}

/// Opens streams as `below` does, and puts a copy of `layer` over each.
#[derive(Clone)]
pub(crate) struct LayeredTls<M, L> {
    below: M,
    layer: L,
}

impl<M, L> LayeredTls<M, L> {
    /// Puts `layer` over every stream that `below` opens.
    pub(crate) fn new(below: M, layer: L) -> LayeredTls<M, L> {
        LayeredTls { below, layer }
    }
}

impl<M, L> MakeTlsConnect<Socket> for LayeredTls<M, L>
where
    M: MakeTlsConnect<Socket>,
    M::Stream: Unpin,
    <M::TlsConnect as TlsConnect<Socket>>::Future: Send + 'static,
    L: StreamLayer<M::Stream> + Clone + Unpin + Send + 'static,
{
    type Stream = LayeredStream<M::Stream, L>;
    type TlsConnect = LayeredTls<M::TlsConnect, L>;
    type Error = M::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, M::Error> {
        Ok(LayeredTls::new(self.below.make_tls_connect(host)?, self.layer.clone()))
    }
}

impl<O, L> TlsConnect<Socket> for LayeredTls<O, L>
where
    O: TlsConnect<Socket>,
    O::Stream: Unpin,
    O::Future: Send + 'static,
    L: StreamLayer<O::Stream> + Unpin + Send + 'static,
{
    type Stream = LayeredStream<O::Stream, L>;
    type Error = O::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, O::Error>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let LayeredTls { below, layer } = self;
        let opening = below.connect(socket);
        Box::pin(async move { Ok(LayeredStream::new(opening.await?, layer)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    /// Hands out its bytes, and takes in what is written.
    struct Both {
        incoming: Vec<u8>,
        outgoing: Vec<u8>,
        flushed: bool,
    }

    impl AsyncRead for Both {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            out: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            out.put_slice(&std::mem::take(&mut self.incoming));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Both {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.outgoing.extend(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushed = true;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Turns every byte that comes into `!`.
    struct Shouting;

    impl<S> StreamLayer<S> for Shouting {
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
            out.filled_mut().fill(b'!');
            done
        }
    }

    #[test]
    fn a_layer_changes_the_one_direction_and_passes_the_other_on() {
        let both = Both { incoming: b"abc".to_vec(), outgoing: Vec::new(), flushed: false };
        let mut stream = LayeredStream::new(both, Shouting);
        let mut cx = Context::from_waker(Waker::noop());
        let mut buffer = [0; 8];
        let mut out = ReadBuf::new(&mut buffer);
        assert!(Pin::new(&mut stream).poll_read(&mut cx, &mut out).is_ready());
        assert_eq!(out.filled(), b"!!!");
        let written = Pin::new(&mut stream).poll_write(&mut cx, b"xyz");
        assert!(matches!(written, Poll::Ready(Ok(3))));
        assert!(Pin::new(&mut stream).poll_flush(&mut cx).is_ready());
        assert_eq!(stream.below.outgoing, b"xyz");
        assert!(stream.below.flushed);
    }
}
