//! The line between the MySQL driver and its server.
//!
//! The driver answers whatever a server asks for while it signs in, the password itself included,
//! and lets nobody between. So it is led to a Unix socket of ours, behind which the handshake is
//! carried packet by packet and judged: [`judge`] says what may be asked of us by whom. Once the
//! server has let us in, the driver is given the server's socket in place of ours, so that
//! everything that follows costs nothing; under TLS, which is spoken here as well, a thread
//! carries it ([`relay`]).

mod door;
mod handshake;
mod judge;
mod key;
mod packets;
mod relay;
mod terms;

pub(crate) use judge::MyDemand;
pub(crate) use key::ServerKey;
pub(crate) use terms::{LineError, LineRefusal, LineTerms};

use crate::protection::LinkProtection;
use crate::reach::Reached;
use door::DriverDoor;
use handshake::{CarriedStream, SettledLine, settle};
use mysql::{Conn, OptsBuilder};
use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

/// The outcome of a handshake, told to the thread that waits for it.
type Outcome = Result<OpenedLine, LineError>;

/// A line whose server has let us in, or said why not.
struct OpenedLine {
    /// The server's socket, to be put in place of ours; [`None`] if the line carries on.
    socket: Option<TcpStream>,
    protection: LinkProtection,
}

/// Signs in, by `until`, over a socket that a server answered.
///
/// # Errors
///
/// Returns the driver's error, or why the line was not opened.
pub(crate) fn sign_in(
    reached: Reached,
    terms: LineTerms,
    options: OptsBuilder,
    until: Instant,
) -> Result<(Conn, LinkProtection), LineError> {
    let door = DriverDoor::open()?;
    let options = options.socket(Some(door.path()));
    let (tell, told) = mpsc::channel();
    thread::Builder::new()
        .name("handoff-line".to_owned())
        .spawn(move || carry(reached, &terms, door, until, &tell))?;
    let conn = Conn::new(options);
    // It ends without a word only by a panic.
    let outcome = told.recv().unwrap_or_else(|_| Err(broken_off().into()));
    let (opened, conn) = match (outcome, conn) {
        (Ok(opened), Ok(conn)) => (opened, conn),
        (Ok(_) | Err(LineError::DriverLeft), Err(error)) => return Err(LineError::Driver(error)),
        (Err(error), _) => return Err(error),
    };
    if let Some(socket) = &opened.socket {
        put_in_place(socket, &conn)?;
    }
    Ok((conn, opened.protection))
}

/// Carries a handshake, and what follows it if it has to.
fn carry(
    reached: Reached,
    terms: &LineTerms,
    door: DriverDoor,
    until: Instant,
    tell: &Sender<Outcome>,
) {
    let driver = door.driver(until).map_err(LineError::Io);
    let settled = driver.and_then(|driver| settle(reached, driver, terms, until));
    let (outcome, relay) = match settled {
        Ok(SettledLine { carried: CarriedStream::Plain(socket), protection }) => {
            (Ok(OpenedLine { socket: Some(socket), protection }), None)
        }
        Ok(SettledLine { carried: CarriedStream::Tls(relay), protection }) => {
            (Ok(OpenedLine { socket: None, protection }), Some(relay))
        }
        Err(error) => (Err(error), None),
    };
    // Whoever waited is gone only by a panic; the line then ends with the driver's socket.
    let _ = tell.send(outcome);
    if let Some(relay) = relay {
        relay.run();
    }
}

/// Puts a socket in place of the one that the driver holds.
fn put_in_place(socket: &TcpStream, conn: &Conn) -> io::Result<()> {
    let held = conn.as_raw_fd();
    // SAFETY: both descriptors are open and owned, by `socket` and `conn`, across the calls; the
    // driver goes on to own the number, whatever socket it stands for.
    let done = unsafe {
        libc::dup2(socket.as_raw_fd(), held) >= 0
            && libc::fcntl(held, libc::F_SETFD, libc::FD_CLOEXEC) >= 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn broken_off() -> io::Error {
    io::Error::other("the handshake broke off")
}
