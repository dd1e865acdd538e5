//! The line between the PostgreSQL driver and its server.
//!
//! The driver lets nobody between itself and the socket but a provider of TLS, and that one only where
//! it encrypts. So the driver is told that TLS begins at once (`sslnegotiation=direct`), and what
//! answers settles with the server whether there is any.

use crate::copy_data::CoalescedCopyData;
use crate::layered::LayeredStream;
use crate::pg_guard::{GuardTerms, GuardedStream};
use crate::protection::{LinkProtection, PeerTrust};
use crate::tls::{PeerVerifier, TlsTerms};
use handoff_settings::RequireAuth;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The question whether the server speaks TLS (PostgreSQL manual, "Message Formats", SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The answer that it does.
const ENCRYPTS: u8 = b'S';

/// The kind of error if the server does not even say whether it speaks TLS.
pub(crate) const UNANSWERED: io::ErrorKind = io::ErrorKind::NotConnected;

/// Lines to one address; makes them for the driver.
#[derive(Clone)]
pub(crate) struct PgLines {
    /// The set-up of TLS, if it is spoken at all.
    pub(crate) tls: Option<TlsTerms>,
    /// True if the address is one of this machine alone.
    pub(crate) local: bool,
    /// The ways in which the server may let us in.
    pub(crate) required: RequireAuth,
    /// The most bytes of an answer that is no COPY.
    pub(crate) largest_answer: usize,
    protection: Arc<Mutex<Option<LinkProtection>>>,
}

impl PgLines {
    pub(crate) fn new(
        tls: Option<TlsTerms>,
        local: bool,
        required: RequireAuth,
        largest_answer: usize,
    ) -> PgLines {
        PgLines { tls, local, required, largest_answer, protection: Arc::default() }
    }

    /// Returns what protects the line that was opened last.
    pub(crate) fn protection(&self) -> Option<LinkProtection> {
        *self.protection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line that is being opened.
pub(crate) struct PgOpening {
    lines: PgLines,
    host: String,
}

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// An open line.
pub(crate) enum PgStream {
    Plain(Socket),
    Encrypted(Box<Encrypted>, Arc<PeerVerifier>),
}

impl MakeTlsConnect<Socket> for PgLines {
    type Stream = LayeredStream<GuardedStream<PgStream>, CoalescedCopyData>;
    type TlsConnect = PgOpening;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<PgOpening, Infallible> {
        Ok(PgOpening { lines: self.clone(), host: host.to_owned() })
    }
}

impl TlsConnect<Socket> for PgOpening {
    type Stream = LayeredStream<GuardedStream<PgStream>, CoalescedCopyData>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async {
            let PgLines { required, local, tls, largest_answer, protection } = self.lines.clone();
            let line = self.open(socket).await?;
            let verifies = tls.as_ref().is_some_and(TlsTerms::verify);
            let found = line.protection(verifies, local);
            *protection.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            let terms = GuardTerms { protection: found, required };
            let guarded = GuardedStream::new(line, terms);
            Ok(LayeredStream::new(guarded, CoalescedCopyData::new(largest_answer)))
        })
    }
}

impl PgOpening {
    async fn open(self, mut socket: Socket) -> io::Result<PgStream> {
        let Some(terms) = self.lines.tls else { return Ok(PgStream::Plain(socket)) };
        let answer = ask(&mut socket).await;
        match answer.map_err(|error| io::Error::new(UNANSWERED, error))? {
            ENCRYPTS => {
                let (config, verifier) = terms.config().map_err(io::Error::other)?;
                let mut tls = MakeRustlsConnect::new(config);
                let Ok(tls) = MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, &self.host);
                Ok(PgStream::Encrypted(Box::new(tls.connect(socket).await?), verifier))
            }
            _ if terms.are_optional() => Ok(PgStream::Plain(socket)),
            _ => Err(io::Error::other("server does not support TLS")),
        }
    }
}

impl PgStream {
    fn protection(&self, verifies: bool, local: bool) -> LinkProtection {
        let fingerprint = match self {
            PgStream::Plain(_) => None,
            PgStream::Encrypted(_, verifier) => verifier.seen(),
        };
        let encrypted = matches!(self, PgStream::Encrypted(..));
        let peer = match (encrypted && verifies, local) {
            (true, _) => PeerTrust::Verified,
            (false, true) => PeerTrust::Local,
            (false, false) => PeerTrust::Unverified,
        };
        LinkProtection { encrypted, peer, fingerprint }
    }
}

/// Asks whether the server speaks TLS.
async fn ask(socket: &mut Socket) -> io::Result<u8> {
    socket.write_all(&SSL_REQUEST).await?;
    // One byte and no more: what follows belongs to the handshake.
    socket.read_u8().await
}

impl TlsStream for GuardedStream<PgStream> {
    fn channel_binding(&self) -> ChannelBinding {
        match self.stream() {
            // To bind to a certificate whose key the peer did not show to have binds to nobody.
            PgStream::Encrypted(stream, verifier) if verifier.is_proven() => {
                stream.channel_binding()
            }
            _ => ChannelBinding::none(),
        }
    }
}

impl AsyncRead for PgStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            PgStream::Plain(stream) => Pin::new(stream).poll_read(cx, out),
            PgStream::Encrypted(stream, _) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for PgStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            PgStream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            PgStream::Encrypted(stream, _) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            PgStream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            PgStream::Encrypted(stream, _) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            PgStream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            PgStream::Encrypted(stream, _) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
