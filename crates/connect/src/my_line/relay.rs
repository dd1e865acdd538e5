//! A thread that carries what the driver and the server say to each other through TLS.

use rustls::ClientConnection;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;

/// Bytes that are asked of the kernel at once.
const BLOCK: usize = 64 * 1024;

/// Carries bytes until one side closes its end or fails; then both ends are closed.
pub(super) struct LineRelay {
    session: ClientConnection,
    server: TcpStream,
    driver: TcpStream,
    /// Bytes that came from the server and are not decrypted yet.
    sealed: Stored,
    /// Bytes on the way to the driver.
    opened: Stored,
    /// Bytes that came from the driver.
    block: Box<[u8]>,
    /// The server says nothing any more.
    server_ended: bool,
    /// The driver says nothing any more.
    driver_ended: bool,
}

/// Bytes of which the first were taken.
#[derive(Default)]
struct Stored {
    bytes: Vec<u8>,
    taken: usize,
}

impl Stored {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    fn take(&mut self, length: usize) {
        self.taken += length;
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// The ends that are ready to be read or written.
struct ReadySides {
    read_server: bool,
    write_server: bool,
    read_driver: bool,
    write_driver: bool,
    /// The driver's end was cut: nothing more can be said to it.
    driver_cut: bool,
}

impl LineRelay {
    pub(super) fn new(
        mut session: ClientConnection,
        server: TcpStream,
        driver: TcpStream,
    ) -> io::Result<LineRelay> {
        server.set_nonblocking(true)?;
        driver.set_nonblocking(true)?;
        // What is accepted from the driver is bounded here, a block at a time.
        session.set_buffer_limit(None);
        let block = vec![0; BLOCK].into();
        let (sealed, opened) = (Stored::default(), Stored::default());
        Ok(LineRelay {
            session,
            server,
            driver,
            sealed,
            opened,
            block,
            server_ended: false,
            driver_ended: false,
        })
    }

    /// Carries until the end. What ended it shows itself to the driver as an end of its socket.
    pub(super) fn run(mut self) {
        if let Err(error) = self.carry() {
            log::debug!("a TLS connection to MySQL ended: {error}");
        }
        // Either may be closed already.
        let _ = self.driver.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn carry(&mut self) -> io::Result<()> {
        self.open()?;
        while !self.is_over() {
            let ready = self.wait()?;
            if ready.driver_cut && !ready.read_driver {
                return Ok(());
            }
            if ready.write_server {
                self.write_server()?;
            }
            if ready.read_driver {
                self.read_driver()?;
            }
            if ready.write_driver {
                self.write_driver()?;
            }
            if ready.read_server {
                self.read_server()?;
            }
        }
        Ok(())
    }

    /// Returns true once one side has ended and the other was told everything.
    fn is_over(&self) -> bool {
        (self.server_ended && self.opened.is_empty())
            || (self.driver_ended && !self.session.wants_write())
    }

    /// Waits until there is something to do.
    fn wait(&self) -> io::Result<ReadySides> {
        let sends = self.session.wants_write();
        let interest = |read: bool, write: bool| {
            (if read { libc::POLLIN } else { 0 }) | (if write { libc::POLLOUT } else { 0 })
        };
        let receives = !self.server_ended && self.opened.is_empty();
        // A negative number is passed by: an end that failed would be told of again and again.
        let server = if receives || sends { self.server.as_raw_fd() } else { -1 };
        let mut ends = [
            libc::pollfd { fd: server, events: interest(receives, sends), revents: 0 },
            libc::pollfd {
                fd: self.driver.as_raw_fd(),
                events: interest(!sends && !self.driver_ended, !self.opened.is_empty()),
                revents: 0,
            },
        ];
        // SAFETY: there are two entries, and they live across the call.
        if unsafe { libc::poll(ends.as_mut_ptr(), 2, -1) } < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
            ends.iter_mut().for_each(|end| end.revents = 0);
        }
        let [server, driver] = ends.map(|end| end.revents);
        let failed = libc::POLLHUP | libc::POLLERR;
        Ok(ReadySides {
            // A read tells what failed.
            read_server: receives && server & (libc::POLLIN | failed) != 0,
            write_server: sends && server & (libc::POLLOUT | failed) != 0,
            read_driver: driver & libc::POLLIN != 0,
            write_driver: driver & libc::POLLOUT != 0,
            driver_cut: driver & failed != 0,
        })
    }

    fn read_server(&mut self) -> io::Result<()> {
        let Some(length) = progress(self.server.read(&mut self.block))? else { return Ok(()) };
        self.sealed.bytes.extend_from_slice(&self.block[..length]);
        if length == 0 {
            self.server_ended = true;
        }
        self.open()
    }

    /// Decrypts what has come.
    fn open(&mut self) -> io::Result<()> {
        loop {
            let state = self.session.process_new_packets().map_err(io::Error::other)?;
            let length = state.plaintext_bytes_to_read();
            let filled = self.opened.bytes.len();
            self.opened.bytes.resize(filled + length, 0);
            self.session.reader().read_exact(&mut self.opened.bytes[filled..])?;
            if state.peer_has_closed() {
                self.server_ended = true;
            }
            let mut rest = self.sealed.rest();
            if rest.is_empty() {
                return Ok(());
            }
            match self.session.read_tls(&mut rest)? {
                // Nothing that follows a farewell is read.
                0 => {
                    self.server_ended = true;
                    return Ok(());
                }
                length => self.sealed.take(length),
            }
        }
    }

    fn write_server(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if progress(self.session.write_tls(&mut self.server))?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn read_driver(&mut self) -> io::Result<()> {
        let Some(length) = progress(self.driver.read(&mut self.block))? else { return Ok(()) };
        if length == 0 {
            self.driver_ended = true;
            self.session.send_close_notify();
        } else {
            self.session.writer().write_all(&self.block[..length])?;
        }
        self.write_server()
    }

    fn write_driver(&mut self) -> io::Result<()> {
        while !self.opened.is_empty() {
            let Some(length) = progress(self.driver.write(self.opened.rest()))? else { break };
            self.opened.take(length);
        }
        Ok(())
    }
}

/// Returns how far reading or writing came; [`None`] if it has to wait.
fn progress(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(length) => Ok(Some(length)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Side;
    use crate::tls::{TlsTerms, server_name};
    use handoff_settings::{TlsMode, TlsSettings};
    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::ring;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::thread::{self, JoinHandle};
    use std::time::{Duration, Instant};

    type Server = StreamOwned<ServerConnection, TcpStream>;

    fn server(socket: TcpStream) -> Server {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["clinic".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket)
    }

    /// A relay at work, the driver's end, and the server's.
    fn relay() -> (JoinHandle<()>, UnixStream, Server) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut server = server(listener.accept().unwrap().0);
        let greeting = thread::spawn(move || {
            server.flush().unwrap();
            server
        });
        let tls = TlsSettings { mode: TlsMode::Require, ..TlsSettings::default() };
        let (config, _) = TlsTerms::new(Side::Source, &tls).unwrap().unwrap().config().unwrap();
        let mut session = ClientConnection::new(Arc::new(config), server_name("clinic")).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut socket).unwrap();
        }
        let (driver, ours) = UnixStream::pair().unwrap();
        let relay = LineRelay::new(session, socket, TcpStream::from(OwnedFd::from(ours))).unwrap();
        (thread::spawn(|| relay.run()), driver, greeting.join().unwrap())
    }

    #[track_caller]
    fn ends(relay: JoinHandle<()>) {
        let until = Instant::now() + Duration::from_secs(10);
        while !relay.is_finished() {
            assert!(Instant::now() < until, "it goes on");
            thread::sleep(Duration::from_millis(5));
        }
        relay.join().unwrap();
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
    }

    #[test]
    fn everything_arrives_both_ways_whoever_is_slow() {
        let (relay, mut driver, mut server) = relay();
        let sent = bytes(5_000_000);
        let echo = thread::spawn(move || {
            let mut got = vec![0; 5_000_000];
            server.read_exact(&mut got).unwrap();
            server.write_all(&got).unwrap();
            server.flush().unwrap();
            server
        });
        driver.write_all(&sent).unwrap();
        thread::sleep(Duration::from_millis(50));
        let mut got = vec![0; sent.len()];
        driver.read_exact(&mut got).unwrap();
        assert!(got == sent, "other bytes came back");
        drop(echo.join().unwrap());
        assert_eq!(driver.read(&mut got).unwrap(), 0);
        ends(relay);
    }

    #[test]
    fn last_words_of_either_side_arrive() {
        let (first, mut driver, mut server) = relay();
        driver.write_all(b"quit").unwrap();
        drop(driver);
        let mut said = Vec::new();
        server.read_to_end(&mut said).unwrap();
        assert_eq!(said, b"quit");
        ends(first);

        let (second, mut driver, mut server) = relay();
        server.write_all(&bytes(300_000)).unwrap();
        server.conn.send_close_notify();
        server.flush().unwrap();
        drop(server);
        let mut said = Vec::new();
        driver.read_to_end(&mut said).unwrap();
        assert!(said == bytes(300_000));
        ends(second);
    }

    #[test]
    fn a_cut_ends_it_whatever_is_on_the_way() {
        for busy in [false, true] {
            let (relay, driver, mut server) = relay();
            let peer = server.sock.try_clone().unwrap();
            // Neither side takes in what the other one sends.
            let sender = busy.then(|| thread::spawn(move || server.write_all(&bytes(50_000_000))));
            if busy {
                driver.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
                while (&driver).write(&bytes(100_000)).is_ok() {}
            }
            driver.shutdown(Shutdown::Both).unwrap();
            ends(relay);
            peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            if let Some(sender) = sender {
                sender.join().unwrap().unwrap_err();
            }
        }
    }
}
