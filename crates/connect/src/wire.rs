//! The socket under a MySQL connection.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A handle on a connection's socket, with which it can be cut from outside.
///
/// The driver reads an unfinished result to its end when it is dropped. Cut the wire first, and
/// that reading fails at once; the connection is then good for nothing but being dropped.
#[derive(Debug)]
pub struct SocketHandle(TcpStream);

impl SocketHandle {
    pub(crate) fn of(conn: &mysql::Conn) -> io::Result<SocketHandle> {
        // SAFETY: the descriptor belongs to `conn`, which outlives this borrow.
        SocketHandle::of_fd(unsafe { BorrowedFd::borrow_raw(conn.as_raw_fd()) })
    }

    /// Keeps a duplicate, so that it never refers to a descriptor that was closed and used again.
    pub(crate) fn of_fd(fd: BorrowedFd<'_>) -> io::Result<SocketHandle> {
        Ok(SocketHandle(TcpStream::from(fd.try_clone_to_owned()?)))
    }

    /// Cuts the connection. The server notices and ends the session.
    pub fn cut(&self) {
        // It fails only if the connection is gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Returns the socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.0
    }

    /// Bounds how long a call waits for the peer to send or to take in a byte; without a bound it waits
    /// for ever.
    pub(crate) fn wait_at_most(&self, silence: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(silence)?;
        self.0.set_write_timeout(silence)
    }

    /// Bounds how long what was sent may stay unconfirmed, or the peer take in nothing.
    pub(crate) fn confirm_within(&self, time: Duration) -> io::Result<()> {
        set_user_timeout(self.0.as_fd(), time)
    }

    /// Returns how long ago the last byte came, where the system tells: of TCP, on Linux.
    #[cfg(target_os = "linux")]
    pub(crate) fn since_last_data(&self) -> Option<Duration> {
        // SAFETY: `tcp_info` is plain data, for which zeros are a value.
        let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
        // SAFETY: the buffer is as long as is said, and lives across the call.
        let done = unsafe {
            let out = (&raw mut info).cast();
            let fd = self.0.as_raw_fd();
            libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, out, &raw mut length)
        };
        (done == 0).then(|| Duration::from_millis(info.tcpi_last_data_recv.into()))
    }

    /// Returns nothing: the system does not tell.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn since_last_data(&self) -> Option<Duration> {
        None
    }
}

/// Cuts every connection of this process to a server's Unix socket, whoever owns it: for a server that
/// answers nobody any more.
pub(crate) fn cut_all(socket: &Path) {
    // Both name the descriptors of this process; only Linux has the first.
    let list = fs::read_dir("/proc/self/fd").or_else(|_| fs::read_dir("/dev/fd"));
    for entry in list.into_iter().flatten().flatten() {
        let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // SAFETY: the call fails for a number that stands for nothing any more. Only the duplicate is used, so
        // that a number which is used again meanwhile does no harm.
        let duplicate = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        if duplicate < 0 {
            continue;
        }
        // SAFETY: the descriptor was just made, and belongs to nobody else.
        let stream = UnixStream::from(unsafe { OwnedFd::from_raw_fd(duplicate) });
        // It fails for what is no socket.
        if stream.peer_addr().is_ok_and(|peer| peer.as_pathname() == Some(socket)) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Sets `TCP_USER_TIMEOUT`; a socket that is none of TCP has nothing to confirm.
#[cfg(target_os = "linux")]
fn set_user_timeout(fd: BorrowedFd<'_>, timeout: Duration) -> io::Result<()> {
    let millis = libc::c_uint::try_from(timeout.as_millis()).unwrap_or(libc::c_uint::MAX);
    let length = libc::socklen_t::try_from(size_of_val(&millis)).expect("a few bytes");
    // SAFETY: the value is as long as is said, and lives across the call.
    let done = unsafe {
        let value = (&raw const millis).cast();
        libc::setsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, value, length)
    };
    match io::Error::last_os_error() {
        _ if done == 0 => Ok(()),
        error if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(()),
        error => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_: BorrowedFd<'_>, _: Duration) -> io::Result<()> {
    Ok(())
}

/// Returns true if an idle connection has something to say: that it was closed, or the error that
/// the server sends before it closes one. Asks the kernel, not the server.
pub(crate) fn has_news(fd: RawFd) -> bool {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the buffer is one byte long and lives across the call.
    let got = unsafe { libc::recv(fd, (&raw mut byte).cast(), 1, flags) };
    got >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    #[test]
    fn connections_to_one_socket_are_cut_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["one", "other"].map(|name| folder.path().join(name));
        let listeners = [0, 1].map(|index| UnixListener::bind(&paths[index]).unwrap());
        let clients = [0, 1].map(|index| UnixStream::connect(&paths[index]).unwrap());
        let servers = [0, 1].map(|index| listeners[index].accept().unwrap().0);
        cut_all(&paths[0]);
        clients[1].set_nonblocking(true).unwrap();
        assert_eq!((&clients[0]).read(&mut [0]).unwrap(), 0);
        assert_eq!((&servers[0]).read(&mut [0]).unwrap(), 0);
        let open = (&clients[1]).read(&mut [0]).unwrap_err();
        assert_eq!(open.kind(), io::ErrorKind::WouldBlock);
    }
}
