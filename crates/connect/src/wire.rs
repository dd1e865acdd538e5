//! The socket under a MySQL connection.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// A handle on a connection's socket, with which it can be cut from outside.
///
/// The driver reads an unfinished result to its end when it is dropped. Cut the wire first, and
/// that reading fails at once; the connection is then good for nothing but being dropped.
#[derive(Debug)]
pub struct Wire(TcpStream);

impl Wire {
    pub(crate) fn of(conn: &mysql::Conn) -> io::Result<Wire> {
        // SAFETY: the descriptor belongs to `conn`, which outlives this borrow; the handle keeps
        // a duplicate, so it never refers to a descriptor that was closed and used again.
        let fd = unsafe { BorrowedFd::borrow_raw(conn.as_raw_fd()) };
        Ok(Wire(TcpStream::from(fd.try_clone_to_owned()?)))
    }

    /// Cuts the connection. The server notices and ends the session.
    pub fn cut(&self) {
        // It fails only if the connection is gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Returns the socket.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.0
    }

    /// Lifts the time limit that stood over the handshake.
    pub(crate) fn wait_for_ever(&self) -> io::Result<()> {
        self.0.set_read_timeout(None)
    }
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
