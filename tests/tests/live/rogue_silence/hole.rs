//! A network in which everything that is sent is confirmed and lost, once it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What becomes of the bytes.
#[derive(Clone, Copy, PartialEq)]
pub enum Passes {
    /// They arrive.
    All,
    /// They arrive on connections that are made from now on.
    New,
    /// None arrives. A connection is taken, and nobody answers on it.
    Nothing,
}

/// A port that leads to a server.
pub struct Hole {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The number of connections that were made when the hole opened; those are lost.
    lost_below: AtomicU64,
    made: AtomicU64,
    /// 1 while nothing at all passes.
    closed: AtomicU8,
    carried: AtomicU64,
    /// Bytes after which the hole opens; 0 for never.
    opens_at: AtomicU64,
    /// 1 if the hole that opens by itself lets new connections pass.
    new_pass: AtomicU8,
    /// Connections on which something was lost.
    lost: Mutex<Vec<TcpStream>>,
}

impl Hole {
    /// Leads to the server that `url` names.
    pub fn to(url: &str) -> Hole {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let rest = url.rsplit_once('@').unwrap().1;
        let server = rest.split('/').next().unwrap().to_owned();
        let url = url.replacen(&server, &format!("127.0.0.1:{port}"), 1);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        // It ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = shared.made.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(&server) else { continue };
                carry(&client, &server, number, &shared);
            }
        });
        Hole { url, state }
    }

    /// The URL that goes through here.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Says what passes from now on. Where all does, connections on which something was lost are cut, as
    /// they are by a network that knows them no more.
    pub fn lets(&self, passes: Passes) {
        self.state.opens_at.store(0, Ordering::SeqCst);
        if passes == Passes::All {
            for stream in self.state.lost.lock().unwrap().drain(..) {
                // The other side may have closed it already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.state.set(passes);
    }

    /// Opens the hole once so many more bytes went through; then `passes` passes.
    pub fn opens_after(&self, bytes: u64, passes: Passes) {
        self.lets(Passes::All);
        self.state.new_pass.store(u8::from(passes == Passes::New), Ordering::SeqCst);
        let carried = self.state.carried.load(Ordering::SeqCst);
        self.state.opens_at.store(carried + bytes, Ordering::SeqCst);
    }

    /// Waits until the hole has opened by itself.
    #[track_caller]
    pub fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.state.opens_at.load(Ordering::SeqCst) != 0 {
            assert!(Instant::now() < end, "not enough bytes went through {}", self.url);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl State {
    fn set(&self, passes: Passes) {
        if passes == Passes::New {
            self.lost_below.store(self.made.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        self.closed.store(u8::from(passes == Passes::Nothing), Ordering::SeqCst);
    }

    fn lets_pass(&self, number: u64, bytes: usize) -> bool {
        let carried = self.carried.fetch_add(bytes as u64, Ordering::SeqCst) + bytes as u64;
        let opens_at = self.opens_at.load(Ordering::SeqCst);
        if opens_at != 0 && carried >= opens_at {
            let new = self.new_pass.load(Ordering::SeqCst) == 1;
            self.set(if new { Passes::New } else { Passes::Nothing });
            self.opens_at.store(0, Ordering::SeqCst);
        }
        self.closed.load(Ordering::SeqCst) == 0 && number >= self.lost_below.load(Ordering::SeqCst)
    }
}

fn carry(client: &TcpStream, server: &TcpStream, number: u64, state: &Arc<State>) {
    for (from, to) in [(client, server), (server, client)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let state = Arc::clone(state);
        thread::spawn(move || pump(from, to, number, &state));
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, number: u64, state: &State) {
    let mut buffer = [0; 16 * 1024];
    let mut lost = false;
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        // Once a byte is lost, nothing after it may come.
        if !lost && !state.lets_pass(number, bytes) {
            lost = true;
            let streams = [&from, &to].map(|stream| stream.try_clone().unwrap());
            state.lost.lock().unwrap().extend(streams);
        }
        if !lost && to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
    }
    if !lost {
        for stream in [from, to] {
            // The other way may have closed it already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
