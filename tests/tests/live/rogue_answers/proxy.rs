//! A server that is a real one until it goes mad.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a server speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speech {
    MySql,
    Postgres,
}

/// Sends what no server should, to a client that has signed in.
pub type Madness = fn(&mut dyn Write) -> io::Result<()>;

/// Changes one packet of a conversation, of which the packets before are given.
pub type Change = Arc<dyn Fn(&[u8], &[Vec<u8>]) -> Vec<u8> + Send + Sync>;

/// The conduct of a server.
#[derive(Clone)]
pub enum Conduct {
    /// It is the real one.
    Honest,
    /// It goes mad at the answer of this number, and at every one that follows.
    Mad(u64, Madness),
    /// It changes the packet of this number, and ends the connection behind it if that is empty.
    Changed(u64, Change),
}

/// The packets that are kept for changes.
const KEPT: usize = 200;
/// What PostgreSQL's clients begin with to ask for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A port that leads to a server.
pub struct Proxy {
    url: String,
    state: Arc<State>,
}

struct State {
    speech: Speech,
    conduct: Mutex<Conduct>,
    /// Packets and answers of the servers, once they had let the client in.
    packets: AtomicU64,
    answers: AtomicU64,
    before: Mutex<Vec<Vec<u8>>>,
    /// What clients said to a server that was mad.
    heard: Mutex<Vec<u8>>,
}

/// What the two directions of a connection know of each other.
#[derive(Default)]
struct Line {
    asked: AtomicBool,
    mad: AtomicBool,
}

impl Proxy {
    /// Leads to the server that `url` names.
    pub fn to(speech: Speech, url: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = url.rsplit_once('@').unwrap().1.split('/').next().unwrap().to_owned();
        let url = url.replacen(&server, &format!("127.0.0.1:{port}"), 1);
        let state = Arc::new(State {
            speech,
            conduct: Mutex::new(Conduct::Honest),
            packets: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            before: Mutex::default(),
            heard: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        // It ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                carry(&client, &server, &shared);
            }
        });
        Proxy { url, state }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Has the server behave so from now on, and counts anew.
    pub fn behaves(&self, conduct: Conduct) {
        *self.state.conduct.lock().unwrap() = conduct;
        self.state.packets.store(0, Ordering::SeqCst);
        self.state.answers.store(0, Ordering::SeqCst);
    }

    /// Returns how many packets and answers there were since.
    pub fn said(&self) -> (u64, u64) {
        (self.state.packets.load(Ordering::SeqCst), self.state.answers.load(Ordering::SeqCst))
    }

    /// Takes what clients said to a server that was mad.
    pub fn heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.state.heard.lock().unwrap())
    }
}

fn carry(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let line = Arc::new(Line::default());
    for direction in [listen, speak] {
        let (client, server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (line, state) = (Arc::clone(&line), Arc::clone(state));
        thread::spawn(move || {
            // It ends when either side goes away.
            let _ = client.set_nodelay(true);
            let _ = direction(&client, &server, &line, &state);
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        });
    }
}

/// Carries what the client says.
fn listen(
    mut client: &TcpStream,
    mut server: &TcpStream,
    line: &Line,
    state: &State,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut begun = false;
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let said = &buffer[..length];
        if !begun && said == SSL_REQUEST {
            client.write_all(b"N")?;
            continue;
        }
        begun = true;
        line.asked.store(true, Ordering::SeqCst);
        if line.mad.load(Ordering::SeqCst) {
            state.heard.lock().unwrap().extend_from_slice(said);
        } else {
            server.write_all(said)?;
        }
    }
}

/// Carries what the server says, up to its madness.
fn speak(mut client: &TcpStream, server: &TcpStream, line: &Line, state: &State) -> io::Result<()> {
    let mut server = BufReader::new(server);
    let mut let_in = false;
    loop {
        let packet = state.speech.packet(&mut server)?;
        if !let_in {
            let_in = state.speech.lets_in(&packet);
            line.asked.store(false, Ordering::SeqCst);
            client.write_all(&packet)?;
            continue;
        }
        let number = state.packets.fetch_add(1, Ordering::SeqCst);
        let is_answer = line.asked.swap(false, Ordering::SeqCst);
        let answers = state.answers.fetch_add(u64::from(is_answer), Ordering::SeqCst);
        let conduct = state.conduct.lock().unwrap().clone();
        match conduct {
            Conduct::Mad(from, madness) if is_answer && answers >= from => {
                line.mad.store(true, Ordering::SeqCst);
                madness(&mut client)?;
                // What follows an end that makes no sense is silence.
                thread::sleep(std::time::Duration::from_secs(20));
                return Ok(());
            }
            Conduct::Changed(at, change) if number == at => {
                let changed = change(&packet, &state.before.lock().unwrap());
                if changed.is_empty() {
                    return Ok(());
                }
                client.write_all(&changed)?;
            }
            _ => client.write_all(&packet)?,
        }
        let mut before = state.before.lock().unwrap();
        if before.len() == KEPT {
            before.remove(0);
        }
        before.push(packet);
    }
}

impl Speech {
    /// Reads a packet with its header.
    fn packet(self, server: &mut impl Read) -> io::Result<Vec<u8>> {
        let (header, rest) = match self {
            Speech::MySql => {
                let mut header = vec![0; 4];
                server.read_exact(&mut header)?;
                let length = usize::from(header[0]) | usize::from(header[1]) << 8;
                let length = length | usize::from(header[2]) << 16;
                (header, length)
            }
            Speech::Postgres => {
                let mut header = vec![0; 5];
                server.read_exact(&mut header)?;
                let length = u32::from_be_bytes(header[1..].try_into().unwrap());
                (header, usize::try_from(length).unwrap() - 4)
            }
        };
        let mut packet = header;
        let begin = packet.len();
        packet.resize(begin + rest, 0);
        server.read_exact(&mut packet[begin..])?;
        Ok(packet)
    }

    /// Returns true for the packet by which the client is let in.
    fn lets_in(self, packet: &[u8]) -> bool {
        match self {
            Speech::MySql => packet.get(4) == Some(&0) && packet[3] > 0,
            Speech::Postgres => packet.starts_with(&[b'R', 0, 0, 0, 8, 0, 0, 0, 0]),
        }
    }
}
