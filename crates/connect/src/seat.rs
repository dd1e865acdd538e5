//! Connections whose server owes an answer.

use crate::fault::Fault;
use crate::wire::{SocketHandle, cut_all};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The longest that a connection is read which nobody uses any more.
const FAREWELL: Duration = Duration::from_secs(10);

/// A connection as its watchdog sees it.
///
/// Whoever sends something and waits for the answer says so by [`WatchSeat::wait`], and by [`WatchSeat::rest`] that
/// it has come. Both cost one store.
#[derive(Debug, Default)]
pub(crate) struct WatchSeat {
    /// The server's number of the session; 0 as long as it is not known.
    connection: AtomicU32,
    /// The socket, where it can be cut from outside.
    wire: Option<SocketHandle>,
    /// The time at which the waiting began, by [`now`]; 0 while nothing is waited for.
    since: AtomicU64,
    /// The wait after which the server was last asked, and when: neither is asked again too soon.
    asked: AtomicU64,
    /// The wait that was found in vain, to be looked at once more.
    suspected: AtomicU64,
    /// The time at which its last user left, by [`now`]; 0 before that.
    left: AtomicU64,
    /// The reason that the connection was cut.
    verdict: OnceLock<Fault>,
    /// The server's Unix socket, where the driver waits on its own and tells nobody.
    untold: Option<PathBuf>,
}

impl WatchSeat {
    /// Makes the seat of a session over a Unix socket of which nobody says when an answer is waited for.
    pub(crate) fn untold(socket: PathBuf) -> WatchSeat {
        let seat = WatchSeat { untold: Some(socket), ..WatchSeat::default() };
        seat.works();
        seat
    }

    /// Returns true if nobody says when an answer is waited for.
    pub(crate) fn is_untold(&self) -> bool {
        self.untold.is_some() && self.verdict.get().is_none()
    }

    /// Makes the seat of a session whose socket can be cut.
    pub(crate) fn new(connection: u32, wire: SocketHandle) -> WatchSeat {
        let connection = AtomicU32::new(connection);
        WatchSeat { connection, wire: Some(wire), ..WatchSeat::default() }
    }

    /// Returns the server's number of the session, once that is known.
    pub(crate) fn connection(&self) -> Option<u32> {
        Some(self.connection.load(Ordering::Relaxed)).filter(|number| *number != 0)
    }

    /// Notes the server's number of the session.
    pub(crate) fn is_session(&self, number: u32) {
        self.connection.store(number, Ordering::Relaxed);
    }

    /// Notes that an answer is waited for from now on.
    pub(crate) fn wait(&self) {
        self.since.store(now(), Ordering::Relaxed);
    }

    /// Notes that an answer is waited for, if that is not known yet.
    pub(crate) fn wait_on(&self) {
        // Only the thread that waits writes it.
        if self.since.load(Ordering::Relaxed) == 0 {
            self.wait();
        }
    }

    /// Notes that nothing is waited for.
    pub(crate) fn rest(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Returns how long an answer has been waited for without a byte of it.
    pub(crate) fn silent_for(&self) -> Option<Duration> {
        let since = self.since.load(Ordering::Relaxed);
        if since == 0 || self.verdict.get().is_some() {
            return None;
        }
        let waited = Duration::from_millis(now().saturating_sub(since));
        let quiet = self.wire.as_ref().and_then(SocketHandle::since_last_data);
        Some(quiet.map_or(waited, |quiet| waited.min(quiet)))
    }

    /// Returns true if the server was not asked within `pause` what the session does.
    pub(crate) fn is_due(&self, pause: Duration) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        asked == 0 || Duration::from_millis(now().saturating_sub(asked)) >= pause
    }

    /// Notes that the session works.
    pub(crate) fn works(&self) {
        self.asked.store(now(), Ordering::Relaxed);
    }

    /// Notes that the wait is in vain; returns true if that was found of this wait before.
    pub(crate) fn suspect(&self) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        self.suspected.swap(since, Ordering::Relaxed) == since
    }

    /// Cuts the connection, so that whoever waits gets an error.
    pub(crate) fn give_up(&self, why: Fault) {
        let _ = self.verdict.set(why);
        self.cut();
    }

    /// Notes that the server could not be asked; returns true if that was so since it last could.
    pub(crate) fn suspect_again(&self) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        self.suspected.swap(asked, Ordering::Relaxed) == asked
    }

    /// Cuts the connection, for a reason that whoever uses it knows.
    pub(crate) fn cut(&self) {
        self.wire.iter().for_each(SocketHandle::cut);
        self.untold.iter().for_each(|socket| cut_all(socket));
    }

    /// Notes that nobody will use the connection any more.
    pub(crate) fn leave(&self) {
        self.left.store(now(), Ordering::Relaxed);
    }

    /// Returns true if the last user left so long ago that what is still owed will not come.
    pub(crate) fn is_left(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        left != 0 && Duration::from_millis(now().saturating_sub(left)) >= FAREWELL
    }

    /// Returns why the connection was cut, if it was.
    pub(crate) fn verdict(&self) -> Option<&Fault> {
        self.verdict.get()
    }

    /// Bounds how long a call waits for the peer; without a bound it waits for ever.
    fn bound(&self, silence: Option<Duration>) {
        if let Some(wire) = &self.wire {
            // It fails only if the connection is gone.
            let _ = wire.wait_at_most(silence);
        }
    }
}

/// Reads from the socket, and says so as long as it waits.
impl Read for &WatchSeat {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait();
        let done = self.wire.as_ref().ok_or(io::ErrorKind::NotConnected)?.stream().read(buffer);
        self.rest();
        done
    }
}

/// Writes to the socket, and says so as long as it waits.
impl Write for &WatchSeat {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait();
        let done = self.wire.as_ref().ok_or(io::ErrorKind::NotConnected)?.stream().write(bytes);
        self.rest();
        done
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the milliseconds since the first call, and never 0.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

/// The open connections of a pool.
#[derive(Clone, Default)]
pub(crate) struct WatchSeats(Arc<Mutex<Vec<Weak<WatchSeat>>>>);

impl WatchSeats {
    pub(crate) fn add(&self, seat: &Arc<WatchSeat>) {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(seat));
    }

    /// Returns those that are still open.
    pub(crate) fn all(&self) -> Vec<Arc<WatchSeat>> {
        let seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.iter().filter_map(Weak::upgrade).collect()
    }
}

/// A statement of ours that may take long. While this lives, its connection has no bound of its own on
/// silence: the watchdog asks the server what the session does.
pub(crate) struct LongStatement {
    seat: Arc<WatchSeat>,
    usual_silence: Duration,
}

impl LongStatement {
    pub(crate) fn begin(seat: &Arc<WatchSeat>, usual_silence: Duration) -> LongStatement {
        seat.bound(None);
        seat.wait();
        LongStatement { seat: Arc::clone(seat), usual_silence }
    }
}

impl Drop for LongStatement {
    fn drop(&mut self) {
        self.seat.rest();
        self.seat.bound(Some(self.usual_silence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Side;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    fn seat() -> (WatchSeat, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let wire = SocketHandle::of_fd(client.as_fd()).unwrap();
        (WatchSeat::new(7, wire), listener.accept().unwrap().0)
    }

    #[test]
    fn silence_is_counted_while_an_answer_is_waited_for() {
        let (seat, _peer) = seat();
        assert_eq!(seat.silent_for(), None);
        seat.wait();
        std::thread::sleep(Duration::from_millis(20));
        assert!(seat.silent_for().unwrap() >= Duration::from_millis(10));
        seat.rest();
        assert_eq!(seat.silent_for(), None);
    }

    #[test]
    fn a_wait_is_suspected_twice_before_it_is_in_vain() {
        let (seat, _peer) = seat();
        seat.wait();
        assert!(!seat.suspect());
        assert!(seat.suspect());
        std::thread::sleep(Duration::from_millis(5));
        seat.wait();
        assert!(!seat.suspect(), "this is another wait");
    }

    #[test]
    fn a_connection_that_was_given_up_says_why_and_is_not_watched_any_more() {
        let (seat, _peer) = seat();
        seat.wait();
        seat.give_up(Fault::new(Side::Source, "it is silent"));
        assert_eq!(seat.verdict().unwrap().message(), "it is silent");
        assert_eq!(seat.silent_for(), None);
        assert_eq!((&seat).read(&mut [0]).unwrap(), 0, "it was cut");
    }
}
