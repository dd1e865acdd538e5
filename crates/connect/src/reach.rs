//! Reaching a server: the socket, before anything is said.

use crate::wire::SocketHandle;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The time that a connection lies still before the kernel asks whether the other end is there, the
/// time between two questions, and their number.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);

/// A socket that a server answered.
#[derive(Debug)]
pub(crate) struct Reached {
    /// A TCP socket, or a Unix one: reading, writing, cutting and timeouts are the same.
    pub(crate) socket: TcpStream,
    pub(crate) reach: SocketReach,
}

/// The way from a socket to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketReach {
    /// By a file of this machine. No TLS is spoken there.
    UnixSocket,
    /// By a loopback address.
    Loopback,
    /// Over a network.
    Network,
}

impl SocketReach {
    /// Judges by the address itself: a name may lead anywhere.
    pub(crate) fn of(address: SocketAddr) -> SocketReach {
        if address.ip().to_canonical().is_loopback() {
            SocketReach::Loopback
        } else {
            SocketReach::Network
        }
    }
}

/// Connects to the first address of the host that answers; a host that begins with `/` is the path
/// of a Unix socket. What is sent later has to be confirmed within `confirm`.
///
/// # Errors
///
/// Returns the error of the first address if none answers.
pub(crate) fn reach(host: &str, port: u16, confirm: Duration) -> io::Result<Reached> {
    if host.starts_with('/') {
        let socket = TcpStream::from(OwnedFd::from(UnixStream::connect(host)?));
        return Ok(Reached { socket, reach: SocketReach::UnixSocket });
    }
    let mut first = None;
    for address in addresses(host, port)? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(socket) => {
                prepare(&socket, confirm)?;
                return Ok(Reached { socket, reach: SocketReach::of(address) });
            }
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(nowhere))
}

/// Says that a host has no address.
pub(crate) fn nowhere() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "could not resolve any addresses")
}

/// Returns the addresses of a host.
///
/// # Errors
///
/// Returns an error if nobody knows the host.
pub(crate) fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}

fn prepare(socket: &TcpStream, confirm: Duration) -> io::Result<()> {
    socket.set_nodelay(true)?;
    SocketHandle::of_fd(socket.as_fd())?.confirm_within(confirm)?;
    let (time, interval, retries) = KEEPALIVE;
    let keepalive =
        TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(retries);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}
