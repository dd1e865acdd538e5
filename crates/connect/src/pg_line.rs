//! The line between the PostgreSQL driver and its server.
//!
//! The driver lets nobody between itself and the socket but a provider of TLS, and that one only where
//! it encrypts. So the driver is told that TLS begins at once (`sslnegotiation=direct`), and what
//! answers settles with the server whether there is any.

use crate::merged::Merged;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The question whether the server speaks TLS (PostgreSQL manual, "Message Formats", SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The answer that it does.
const ENCRYPTS: u8 = b'S';

/// What a line fails with if the server does not even say whether it speaks TLS.
pub(crate) const UNANSWERED: io::ErrorKind = io::ErrorKind::NotConnected;

/// Which lines are encrypted; makes them for the driver.
#[derive(Clone)]
pub(crate) enum Encryption {
    /// None.
    Never,
    /// Those to a server that knows how.
    Preferred(MakeRustlsConnect),
    /// All; a server that does not know how is refused.
    Always(MakeRustlsConnect),
}

/// A line that is being opened.
pub(crate) struct Opening {
    encryption: Encryption,
    host: String,
}

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// An open line.
pub(crate) enum Line {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

impl MakeTlsConnect<Socket> for Encryption {
    type Stream = Merged<Line>;
    type TlsConnect = Opening;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Opening, Infallible> {
        Ok(Opening { encryption: self.clone(), host: host.to_owned() })
    }
}

impl TlsConnect<Socket> for Opening {
    type Stream = Merged<Line>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Merged<Line>>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async { self.open(socket).await.map(Merged::new) })
    }
}

impl Opening {
    async fn open(self, mut socket: Socket) -> io::Result<Line> {
        let (mut tls, always) = match self.encryption {
            Encryption::Never => return Ok(Line::Plain(socket)),
            Encryption::Preferred(tls) => (tls, false),
            Encryption::Always(tls) => (tls, true),
        };
        let answer = ask(&mut socket).await;
        match answer.map_err(|error| io::Error::new(UNANSWERED, error))? {
            ENCRYPTS => {
                let Ok(tls) = MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, &self.host);
                Ok(Line::Encrypted(Box::new(tls.connect(socket).await?)))
            }
            _ if always => Err(io::Error::other("server does not support TLS")),
            _ => Ok(Line::Plain(socket)),
        }
    }
}

/// Asks whether the server speaks TLS.
async fn ask(socket: &mut Socket) -> io::Result<u8> {
    socket.write_all(&SSL_REQUEST).await?;
    // One byte and no more: what follows belongs to the handshake.
    socket.read_u8().await
}

impl TlsStream for Merged<Line> {
    fn channel_binding(&self) -> ChannelBinding {
        match self.stream() {
            Line::Plain(_) => ChannelBinding::none(),
            Line::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_read(cx, out),
            Line::Encrypted(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Line::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Line::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Line::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
