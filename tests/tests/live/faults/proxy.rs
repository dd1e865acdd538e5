//! A network that fails when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What happens once a single connection has carried so many bytes, in both directions together.
#[derive(Debug, Clone, Copy)]
pub enum Trap {
    /// That connection is cut.
    Cut(u64),
    /// It carries nothing until it is told to go on.
    Hold(u64),
    /// The connection with this number, counted from one, is cut before it carries anything.
    CutNth(u64),
}

/// A port that leads to a server.
pub struct Proxy {
    port: u16,
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    trap: Mutex<Armed>,
    changed: Condvar,
}

#[derive(Default)]
struct Armed {
    trap: Option<Trap>,
    sprung: bool,
}

impl Proxy {
    /// Leads to the server that `url` names.
    pub fn to(url: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = server_of(url).to_owned();
        let url = url.replacen(&server, &format!("127.0.0.1:{port}"), 1);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        // It ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if !shared.lets_in() {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                carry(&client, &server, &shared);
            }
        });
        Proxy { port, url, state }
    }

    /// The URL that goes through here.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where a client connects to.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Lays a trap, which springs once.
    pub fn lay(&self, trap: Trap) {
        *self.state.trap.lock().unwrap() = Armed { trap: Some(trap), sprung: false };
    }

    /// Waits until the trap has sprung.
    #[track_caller]
    pub fn wait(&self) {
        let patience = Duration::from_secs(60);
        let armed = self.state.trap.lock().unwrap();
        let waited = self.state.changed.wait_timeout_while(armed, patience, |armed| !armed.sprung);
        assert!(waited.unwrap().0.sprung, "not enough bytes went through {}", self.address());
    }

    /// Takes the trap away, and returns true if it has sprung.
    pub fn has_sprung(&self) -> bool {
        let mut armed = self.state.trap.lock().unwrap();
        armed.trap = None;
        armed.sprung
    }

    /// Lets held connections go on.
    pub fn release(&self) {
        self.state.trap.lock().unwrap().trap = None;
        self.state.changed.notify_all();
    }
}

fn server_of(url: &str) -> &str {
    let rest = url.rsplit_once('@').unwrap().1;
    rest.split('/').next().unwrap()
}

fn carry(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let carried = Arc::new(Mutex::new(0));
    let ways = [(client, server), (server, client)];
    for (from, to) in ways.map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap())) {
        let (carried, state) = (Arc::clone(&carried), Arc::clone(state));
        thread::spawn(move || pump(from, to, &carried, &state));
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, carried: &Mutex<u64>, state: &State) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let total = {
            let mut carried = carried.lock().unwrap();
            *carried += bytes as u64;
            *carried
        };
        if !state.lets_pass(total) || to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // The other way may have closed it already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

impl State {
    /// Counts a connection.
    fn lets_in(&self) -> bool {
        let mut armed = self.trap.lock().unwrap();
        match armed.trap {
            Some(Trap::CutNth(0 | 1)) => {
                *armed = Armed { trap: None, sprung: true };
                self.changed.notify_all();
                false
            }
            Some(Trap::CutNth(n)) => {
                armed.trap = Some(Trap::CutNth(n - 1));
                true
            }
            _ => true,
        }
    }

    fn lets_pass(&self, carried: u64) -> bool {
        let mut armed = self.trap.lock().unwrap();
        match armed.trap {
            Some(Trap::Cut(limit)) if carried >= limit => {
                *armed = Armed { trap: None, sprung: true };
                self.changed.notify_all();
                false
            }
            Some(Trap::Hold(limit)) if carried >= limit => {
                armed.sprung = true;
                self.changed.notify_all();
                drop(self.changed.wait_while(armed, |armed| armed.trap.is_some()).unwrap());
                true
            }
            _ => true,
        }
    }
}
