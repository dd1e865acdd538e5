//! The protocol that a port speaks, asked once the expected one was not understood.

use crate::fault::{Fault, Side};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The longest wait for a connection, a greeting or an answer.
const PATIENCE: Duration = Duration::from_millis(700);

/// PostgreSQL's question for TLS, which it answers by one letter (manual, "Message Formats").
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A protocol that is told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpokenProtocol {
    MySql,
    Postgres,
    Ssh,
    Http,
    /// TLS from the first byte, such as HTTPS.
    Tls,
    /// Greets in words, as mail servers do.
    Words,
}

impl SpokenProtocol {
    /// Asks who listens at an address; [`None`] if that stays unknown.
    pub(crate) fn at(host: &str, port: u16) -> Option<SpokenProtocol> {
        if host.starts_with('/') {
            return None;
        }
        let mut stream = connect(host, port)?;
        let greeting = read(&mut stream);
        if !greeting.is_empty() {
            return SpokenProtocol::of_greeting(&greeting);
        }
        stream.write_all(&SSL_REQUEST).ok()?;
        match read(&mut stream).first() {
            Some(b'S' | b'N') => return Some(SpokenProtocol::Postgres),
            Some(0x15) => return Some(SpokenProtocol::Tls),
            _ => {}
        }
        let mut stream = connect(host, port)?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
        SpokenProtocol::of_answer(&read(&mut stream))
    }

    fn of_greeting(bytes: &[u8]) -> Option<SpokenProtocol> {
        match bytes {
            [b'S', b'S', b'H', b'-', ..] => Some(SpokenProtocol::Ssh),
            // A packet of less than 64 KiB with the number 0, which holds version 10 or an error.
            [_, _, 0, 0, 0x0a | 0xff, ..] => Some(SpokenProtocol::MySql),
            [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..] => Some(SpokenProtocol::Words),
            [b'+', b'O', b'K', ..] | [b'*', b' ', ..] => Some(SpokenProtocol::Words),
            _ => None,
        }
    }

    fn of_answer(bytes: &[u8]) -> Option<SpokenProtocol> {
        match bytes {
            [b'H', b'T', b'T', b'P', b'/', ..] => Some(SpokenProtocol::Http),
            [0x15, 3, ..] => Some(SpokenProtocol::Tls),
            _ => None,
        }
    }

    /// Returns who speaks it.
    fn speaker(self) -> &'static str {
        match self {
            SpokenProtocol::MySql => "a MySQL or MariaDB server",
            SpokenProtocol::Postgres => "a PostgreSQL server",
            SpokenProtocol::Ssh => "an SSH server",
            SpokenProtocol::Http => "a web server",
            SpokenProtocol::Tls => "a TLS server, such as a web server's https,",
            SpokenProtocol::Words => "a mail or file server",
        }
    }

    /// Returns the fault of a port that speaks this in place of what `side` takes.
    pub(crate) fn fault(self, side: Side, at: &str) -> Fault {
        let wanted = match side {
            Side::Source | Side::Replica => "MySQL or MariaDB",
            Side::Target => "PostgreSQL",
        };
        let text = format!(
            "{} listens at {at}, and [{side}] takes {wanted}: check host and port in the url of \
             [{side}]",
            self.speaker()
        );
        Fault::new(side, text)
    }
}

fn connect(host: &str, port: u16) -> Option<TcpStream> {
    let mut addresses = (host, port).to_socket_addrs().ok()?;
    let stream = addresses.find_map(|at| TcpStream::connect_timeout(&at, PATIENCE).ok())?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    Some(stream)
}

/// Reads what comes first, if anything does.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = [0; 64];
    let length = stream.read(&mut bytes).unwrap_or_default();
    bytes[..length].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    #[track_caller]
    fn check(greeting: &'static [u8], answers: &'static [u8], expected: Option<SpokenProtocol>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                if !greeting.is_empty() {
                    client.write_all(greeting).unwrap();
                }
                // The peer may go without a word.
                if !read(&mut client).is_empty() {
                    let _ = client.write_all(answers);
                }
            }
        });
        assert_eq!(SpokenProtocol::at("127.0.0.1", port), expected);
    }

    #[test]
    fn protocols_are_told_by_what_they_say_first() {
        check(b"J\0\0\0\x0a5.5.5-10.11.6-MariaDB", b"", Some(SpokenProtocol::MySql));
        check(b"\x45\0\0\0\xff\x69\x04Host is blocked", b"", Some(SpokenProtocol::MySql));
        check(b"SSH-2.0-OpenSSH_9.2\r\n", b"", Some(SpokenProtocol::Ssh));
        check(b"220 mail ESMTP\r\n", b"", Some(SpokenProtocol::Words));
        check(b"", b"N", Some(SpokenProtocol::Postgres));
        check(b"", b"HTTP/1.1 400 Bad Request\r\n", Some(SpokenProtocol::Http));
        check(b"", b"\x15\x03\x01\0\x02\x02\x46", Some(SpokenProtocol::Tls));
        check(b"", b"what?", None);
    }

    #[test]
    fn nobody_is_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert_eq!(SpokenProtocol::at("127.0.0.1", port), None);
        assert_eq!(SpokenProtocol::at("/run/mysqld/mysqld.sock", 3306), None);
    }
}
