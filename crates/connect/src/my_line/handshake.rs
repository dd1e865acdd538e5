//! The handshake, carried between the driver and the server.

use super::judge::{MyDemand, PasswordSending, SignInStep, sending, step};
use super::key::ServerKey;
use super::packets::{BoundedRead, End};
use super::relay::LineRelay;
use super::terms::{LineError, LineRefusal, LineTerms};
use crate::protection::{LinkProtection, PeerTrust};
use crate::reach::{Reached, SocketReach};
use crate::tls::TlsTerms;
use handoff_settings::CertificatePin;
use mysql::consts::CapabilityFlags;
use mysql_common::io::ParseBuf;
use mysql_common::packets::HandshakePacket;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

/// The begin of the driver's answer to the greeting, which asks for TLS when it comes alone.
const REQUEST: usize = 32;

/// Asks for the key of `caching_sha2_password`.
const KEY_PLEASE: &[u8] = &[0x02];

/// A server that has let us in, or said why not.
pub(super) struct SettledLine {
    pub(super) carried: CarriedStream,
    pub(super) protection: LinkProtection,
}

/// The way in which the line goes on.
pub(super) enum CarriedStream {
    /// Over the server's socket, which carries everything as it is.
    Plain(TcpStream),
    /// Through a thread that speaks TLS.
    Tls(Box<LineRelay>),
}

/// The server's end of a handshake.
enum ServerStream {
    Plain(BoundedRead),
    Tls(Box<StreamOwned<ClientConnection, BoundedRead>>),
}

/// Carries the handshake.
pub(super) fn settle(
    reached: Reached,
    driver: UnixStream,
    terms: &LineTerms,
    until: Instant,
) -> Result<SettledLine, LineError> {
    let reach = reached.reach;
    let mut server = End::new(BoundedRead::new(reached.socket, until));
    let mut driver = End::new(BoundedRead::new(TcpStream::from(OwnedFd::from(driver)), until));
    let greeting = server.read()?;
    driver.write(&greeting).map_err(left)?;
    let response = driver.read().map_err(left)?;
    let greeting = ServerGreeting::read(&greeting)?;
    let tls = terms.tls.as_ref().filter(|_| reach != SocketReach::UnixSocket);
    let tls = agreed(tls, &greeting)?;
    let response = with_flags(response, tls.is_some(), terms.files)?;
    let mut fingerprint = None;
    let mut server = match tls {
        None => server.over(|socket| Ok::<_, LineError>(ServerStream::Plain(socket)))?,
        Some(tls) => {
            server.write(&response[..REQUEST])?;
            server.over(|socket| encrypt(socket, tls, &terms.name, &mut fingerprint))?
        }
    };
    server.write(&response)?;
    let found = protection(reach, terms, fingerprint);
    let mut signing = SignIn { server, driver, reach, protection: found, nonce: greeting.nonce };
    signing.carry(terms.key.as_ref())?;
    Ok(SettledLine { carried: signing.end()?, protection: found })
}

/// Returns the driver's answer with the capabilities that the line adds and takes away.
fn with_flags(mut response: Vec<u8>, tls: bool, files: bool) -> io::Result<Vec<u8>> {
    if response.len() < REQUEST {
        return Err(nonsense());
    }
    let flags = response.first_chunk_mut::<4>().ok_or_else(nonsense)?;
    let mut wanted = CapabilityFlags::from_bits_retain(u32::from_le_bytes(*flags));
    wanted.set(CapabilityFlags::CLIENT_SSL, tls);
    if !files {
        wanted.remove(CapabilityFlags::CLIENT_LOCAL_FILES);
    }
    *flags = wanted.bits().to_le_bytes();
    Ok(response)
}

/// Returns how TLS is spoken with this server, if at all.
fn agreed<'t>(
    tls: Option<&'t TlsTerms>,
    greeting: &ServerGreeting,
) -> Result<Option<&'t TlsTerms>, LineError> {
    match tls {
        Some(tls) if !greeting.speaks_tls && tls.are_optional() => Ok(None),
        Some(_) if !greeting.speaks_tls => Err(LineError::NoTls),
        tls => Ok(tls),
    }
}

/// Goes on in TLS.
fn encrypt(
    mut socket: BoundedRead,
    tls: &TlsTerms,
    name: &ServerName<'static>,
    fingerprint: &mut Option<CertificatePin>,
) -> Result<ServerStream, LineError> {
    let (config, verifier) = tls.config().map_err(LineError::Tls)?;
    let mut session =
        ClientConnection::new(Arc::new(config), name.clone()).map_err(LineError::Tls)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(tls_error)?;
    }
    *fingerprint = verifier.seen();
    Ok(ServerStream::Tls(Box::new(StreamOwned::new(session, socket))))
}

fn protection(
    reach: SocketReach,
    terms: &LineTerms,
    seen: Option<CertificatePin>,
) -> LinkProtection {
    let verified = seen.is_some() && terms.tls.as_ref().is_some_and(TlsTerms::verify);
    let peer = match reach {
        _ if verified => PeerTrust::Verified,
        SocketReach::UnixSocket | SocketReach::Loopback => PeerTrust::Local,
        SocketReach::Network => PeerTrust::Unverified,
    };
    LinkProtection { encrypted: seen.is_some(), peer, fingerprint: seen }
}

/// A handshake of which the driver has sent its first answer.
struct SignIn {
    server: End<ServerStream>,
    driver: End<BoundedRead>,
    reach: SocketReach,
    protection: LinkProtection,
    /// The number that the server wants to have answered.
    nonce: Vec<u8>,
}

impl SignIn {
    /// Carries what follows, up to the packet in which the server lets us in or says why not.
    fn carry(&mut self, key: Option<&ServerKey>) -> Result<(), LineError> {
        loop {
            let packet = self.server.read()?;
            match step(&packet) {
                SignInStep::End => return self.driver.write(&packet).map_err(left),
                SignInStep::Known => self.driver.write(&packet).map_err(left)?,
                SignInStep::Answer(nonce) => {
                    self.nonce = nonce;
                    let answer = self.ask_driver(&packet)?;
                    self.server.write(&answer)?;
                }
                SignInStep::More(MyDemand::Password) => self.password(&packet, key)?,
                SignInStep::More(asked) => return Err(self.refused(asked)),
            }
        }
    }

    /// Hands a packet to the driver, which answers it.
    fn ask_driver(&mut self, packet: &[u8]) -> Result<Vec<u8>, LineError> {
        self.driver.write(packet).map_err(left)?;
        self.driver.read().map_err(left)
    }

    /// Sends the password, if this peer may have it. To the driver every line is a Unix socket, over
    /// which it sends the password as it is.
    fn password(&mut self, packet: &[u8], key: Option<&ServerKey>) -> Result<(), LineError> {
        let LinkProtection { encrypted, peer, .. } = self.protection;
        let way = sending(self.reach, encrypted, peer, key.is_some());
        if way == PasswordSending::Never {
            return Err(self.refused(MyDemand::Password));
        }
        let password = self.ask_driver(packet)?;
        let encrypted = match (way, key) {
            (PasswordSending::Clear | PasswordSending::Never, _) => Some(password),
            (PasswordSending::WithOurKey, Some(key)) => key.encrypt(&password, &self.nonce),
            (PasswordSending::WithOurKey | PasswordSending::WithItsKey, _) => {
                self.its_key()?.encrypt(&password, &self.nonce)
            }
        };
        let sent = encrypted.ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidInput, "the password is too long for the RSA key")
        })?;
        Ok(self.server.write(&sent)?)
    }

    fn its_key(&mut self) -> Result<ServerKey, LineError> {
        self.server.write(KEY_PLEASE)?;
        let answer = self.server.read()?;
        let pem = answer.strip_prefix(&[0x01]).ok_or_else(nonsense)?;
        Ok(ServerKey::of_pem(pem.to_vec()).ok_or_else(nonsense)?)
    }

    fn refused(&self, asked: MyDemand) -> LineError {
        LineError::Refused(LineRefusal { asked, protection: self.protection })
    }

    fn end(self) -> io::Result<CarriedStream> {
        match self.server.stream {
            ServerStream::Plain(socket) => socket.lift().map(CarriedStream::Plain),
            ServerStream::Tls(stream) => {
                let (session, socket) = stream.into_parts();
                LineRelay::new(session, socket.lift()?, self.driver.stream.lift()?)
                    .map(|relay| CarriedStream::Tls(Box::new(relay)))
            }
        }
    }
}

/// The parts of a greeting that the driver does not tell.
struct ServerGreeting {
    speaks_tls: bool,
    nonce: Vec<u8>,
}

impl ServerGreeting {
    /// Reads a greeting that the driver has answered.
    fn read(packet: &[u8]) -> io::Result<ServerGreeting> {
        let greeting: HandshakePacket<'_> = ParseBuf(packet).parse(())?;
        let second = greeting.scramble_2_ref().unwrap_or_default();
        let mut nonce = [greeting.scramble_1_ref(), second].concat();
        // As the driver does: the number, and a zero at its end.
        nonce.resize(20, 0);
        let speaks_tls = greeting.capabilities().contains(CapabilityFlags::CLIENT_SSL);
        Ok(ServerGreeting { speaks_tls, nonce })
    }
}

impl Read for ServerStream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            ServerStream::Plain(socket) => socket.read(bytes),
            ServerStream::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for ServerStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            ServerStream::Plain(socket) => socket.write(bytes),
            ServerStream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            ServerStream::Plain(socket) => socket.flush(),
            ServerStream::Tls(stream) => stream.flush(),
        }
    }
}

/// The driver is gone; why it went it says itself.
fn left(_: io::Error) -> LineError {
    LineError::DriverLeft
}

/// Finds the error of TLS in one of reading or writing.
fn tls_error(error: io::Error) -> LineError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner) => LineError::Tls(inner.clone()),
        None => LineError::Io(error),
    }
}

fn nonsense() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        "the server sent a packet that is no part of a MySQL handshake",
    )
}
