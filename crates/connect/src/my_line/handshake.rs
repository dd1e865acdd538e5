//! The handshake, carried between the driver and the server.

use super::judge::{Asked, Sending, Step, sending, step};
use super::key::ServerKey;
use super::packets::{Bounded, End};
use super::relay::Relay;
use super::{LineError, LineTerms, Refused};
use crate::protection::{PeerTrust, Protection};
use crate::reach::{Reach, Reached};
use crate::tls::TlsTerms;
use handoff_settings::Fingerprint;
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
pub(super) struct Settled {
    pub(super) carried: Carried,
    pub(super) protection: Protection,
}

/// The way in which the line goes on.
pub(super) enum Carried {
    /// Over the server's socket, which carries everything as it is.
    Plain(TcpStream),
    /// Through a thread that speaks TLS.
    Tls(Box<Relay>),
}

/// The server's end of a handshake.
enum Server {
    Plain(Bounded),
    Tls(Box<StreamOwned<ClientConnection, Bounded>>),
}

/// Carries the handshake.
pub(super) fn settle(
    reached: Reached,
    driver: UnixStream,
    terms: &LineTerms,
    until: Instant,
) -> Result<Settled, LineError> {
    let reach = reached.reach;
    let mut server = End::new(Bounded::new(reached.socket, until));
    let mut driver = End::new(Bounded::new(TcpStream::from(OwnedFd::from(driver)), until));
    let greeting = server.read()?;
    driver.write(&greeting).map_err(left)?;
    let response = driver.read().map_err(left)?;
    let greeting = Greeting::read(&greeting)?;
    let tls = terms.tls.as_ref().filter(|_| reach != Reach::UnixSocket);
    let tls = agreed(tls, &greeting)?;
    let response = with_flags(response, tls.is_some(), terms.files)?;
    let mut fingerprint = None;
    let mut server = match tls {
        None => server.over(|socket| Ok::<_, LineError>(Server::Plain(socket)))?,
        Some(tls) => {
            server.write(&response[..REQUEST])?;
            server.over(|socket| encrypt(socket, tls, &terms.name, &mut fingerprint))?
        }
    };
    server.write(&response)?;
    let protection = protection(reach, terms, fingerprint);
    let mut signing = Signing { server, driver, reach, protection, nonce: greeting.nonce };
    signing.carry(terms.key.as_ref())?;
    Ok(Settled { carried: signing.end()?, protection })
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
    greeting: &Greeting,
) -> Result<Option<&'t TlsTerms>, LineError> {
    match tls {
        Some(tls) if !greeting.speaks_tls && tls.are_optional() => Ok(None),
        Some(_) if !greeting.speaks_tls => Err(LineError::NoTls),
        tls => Ok(tls),
    }
}

/// Goes on in TLS.
fn encrypt(
    mut socket: Bounded,
    tls: &TlsTerms,
    name: &ServerName<'static>,
    fingerprint: &mut Option<Fingerprint>,
) -> Result<Server, LineError> {
    let (config, verifier) = tls.config().map_err(LineError::Tls)?;
    let mut session =
        ClientConnection::new(Arc::new(config), name.clone()).map_err(LineError::Tls)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(tls_error)?;
    }
    *fingerprint = verifier.seen();
    Ok(Server::Tls(Box::new(StreamOwned::new(session, socket))))
}

fn protection(reach: Reach, terms: &LineTerms, seen: Option<Fingerprint>) -> Protection {
    let verified = seen.is_some() && terms.tls.as_ref().is_some_and(TlsTerms::verify);
    let peer = match reach {
        _ if verified => PeerTrust::Verified,
        Reach::UnixSocket | Reach::Loopback => PeerTrust::Local,
        Reach::Network => PeerTrust::Unverified,
    };
    Protection { encrypted: seen.is_some(), peer, fingerprint: seen }
}

/// A handshake of which the driver has sent its first answer.
struct Signing {
    server: End<Server>,
    driver: End<Bounded>,
    reach: Reach,
    protection: Protection,
    /// The number that the server wants to have answered.
    nonce: Vec<u8>,
}

impl Signing {
    /// Carries what follows, up to the packet in which the server lets us in or says why not.
    fn carry(&mut self, key: Option<&ServerKey>) -> Result<(), LineError> {
        loop {
            let packet = self.server.read()?;
            match step(&packet) {
                Step::End => return self.driver.write(&packet).map_err(left),
                Step::Known => self.driver.write(&packet).map_err(left)?,
                Step::Answer(nonce) => {
                    self.nonce = nonce;
                    let answer = self.ask_driver(&packet)?;
                    self.server.write(&answer)?;
                }
                Step::More(Asked::Password) => self.password(&packet, key)?,
                Step::More(asked) => return Err(self.refused(asked)),
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
        let Protection { encrypted, peer, .. } = self.protection;
        let sending = sending(self.reach, encrypted, peer, key.is_some());
        if sending == Sending::Never {
            return Err(self.refused(Asked::Password));
        }
        let password = self.ask_driver(packet)?;
        let sent = match (sending, key) {
            (Sending::Clear | Sending::Never, _) => Some(password),
            (Sending::WithOurKey, Some(key)) => key.encrypt(&password, &self.nonce),
            (Sending::WithOurKey | Sending::WithItsKey, _) => {
                self.its_key()?.encrypt(&password, &self.nonce)
            }
        };
        let sent = sent.ok_or_else(|| {
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

    fn refused(&self, asked: Asked) -> LineError {
        LineError::Refused(Refused { asked, protection: self.protection })
    }

    fn end(self) -> io::Result<Carried> {
        match self.server.stream {
            Server::Plain(socket) => socket.lift().map(Carried::Plain),
            Server::Tls(stream) => {
                let (session, socket) = stream.into_parts();
                Relay::new(session, socket.lift()?, self.driver.stream.lift()?)
                    .map(|relay| Carried::Tls(Box::new(relay)))
            }
        }
    }
}

/// The parts of a greeting that the driver does not tell.
struct Greeting {
    speaks_tls: bool,
    nonce: Vec<u8>,
}

impl Greeting {
    /// Reads a greeting that the driver has answered.
    fn read(packet: &[u8]) -> io::Result<Greeting> {
        let greeting: HandshakePacket<'_> = ParseBuf(packet).parse(())?;
        let second = greeting.scramble_2_ref().unwrap_or_default();
        let mut nonce = [greeting.scramble_1_ref(), second].concat();
        // As the driver does: the number, and a zero at its end.
        nonce.resize(20, 0);
        let speaks_tls = greeting.capabilities().contains(CapabilityFlags::CLIENT_SSL);
        Ok(Greeting { speaks_tls, nonce })
    }
}

impl Read for Server {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Server::Plain(socket) => socket.read(bytes),
            Server::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Server {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Server::Plain(socket) => socket.write(bytes),
            Server::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Server::Plain(socket) => socket.flush(),
            Server::Tls(stream) => stream.flush(),
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
    io::Error::new(ErrorKind::InvalidData, "the server sent what belongs to no MySQL handshake")
}
