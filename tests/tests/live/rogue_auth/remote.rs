//! Another machine, as far as anybody can tell.

use rcgen::{CertificateParams, CertifiedKey, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// An address of this machine that is no loopback one.
pub fn address() -> IpAddr {
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: the kernel only says by which address it would be.
    let routed = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    let ip = routed.expect("this machine has no network but loopback").ip();
    assert!(!ip.is_loopback(), "this machine has no network but loopback");
    ip
}

/// What clients said.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }

    /// Takes what was said so far.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Returns true if the bytes hold this text.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Listens, and has every connection served on a thread that ends with the process.
pub fn listen(ip: IpAddr, serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let serve = serve.clone();
            thread::spawn(move || serve(client));
        }
    });
    address
}

/// A port of the far machine that leads to a server on loopback.
pub fn forward(port: u16) -> SocketAddr {
    listen(address(), move |client| {
        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.set_read_timeout(None).unwrap();
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || pump(back.0, back.1));
        pump(client, server);
    })
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    // Either side may go away in the middle.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// A stream that is plain or not.
pub trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A certificate that nobody signed, and TLS with it.
#[derive(Clone)]
pub struct SelfSigned(Arc<ServerConfig>);

impl SelfSigned {
    pub fn new() -> SelfSigned {
        let params = CertificateParams::new(["clinic".to_owned()]).unwrap();
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let CertifiedKey { cert, signing_key } = CertifiedKey { cert, signing_key };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        SelfSigned(Arc::new(config))
    }

    /// Speaks TLS as the server.
    pub fn accept(&self, client: TcpStream) -> Box<dyn Wire> {
        let session = ServerConnection::new(Arc::clone(&self.0)).unwrap();
        Box::new(StreamOwned::new(session, client))
    }
}
