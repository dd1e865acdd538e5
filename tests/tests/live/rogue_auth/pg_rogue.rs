//! A PostgreSQL server that asks for what it should not have.

use super::remote::{Heard, SelfSigned, Wire, listen};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

/// What it asks for once it knows the role.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    /// The password.
    Clear,
    /// Its MD5 hash.
    Md5,
    /// The password, in the middle of SCRAM.
    ScramThenClear,
    /// SCRAM with so many rounds.
    Scram(&'static str),
    /// Nothing: it lets everybody in.
    Nothing,
}

/// The server, and what it heard.
pub struct Rogue {
    pub address: SocketAddr,
    /// Everything that came, decrypted.
    pub heard: Heard,
    /// What came after the question.
    pub answers: Heard,
}

const SSL_REQUEST: u32 = 80_877_103;

impl Rogue {
    /// Starts one; with `tls` it offers TLS by a certificate of its own.
    pub fn start(ip: IpAddr, question: Question, tls: Option<SelfSigned>) -> Rogue {
        let (heard, answers) = (Heard::default(), Heard::default());
        let ears = (heard.clone(), answers.clone());
        let address = listen(ip, move |client| {
            // It ends when the client goes away.
            let _ = serve(client, question, tls.as_ref(), &ears.0, &ears.1);
        });
        Rogue { address, heard, answers }
    }
}

fn serve(
    mut client: TcpStream,
    question: Question,
    tls: Option<&SelfSigned>,
    heard: &Heard,
    answers: &Heard,
) -> io::Result<()> {
    let first = packet(&mut client)?;
    let asks = first == SSL_REQUEST.to_be_bytes();
    let mut client: Box<dyn Wire> = match tls {
        Some(tls) if asks => {
            client.write_all(b"S")?;
            let mut client = tls.accept(client);
            heard.add(&packet(&mut client)?);
            client
        }
        _ if asks => {
            client.write_all(b"N")?;
            heard.add(&packet(&mut client)?);
            Box::new(client)
        }
        _ => {
            heard.add(&first);
            Box::new(client)
        }
    };
    ask(&mut client, question, heard)?;
    let mut block = [0; 4096];
    loop {
        let length = client.read(&mut block)?;
        if length == 0 {
            return Ok(());
        }
        heard.add(&block[..length]);
        answers.add(&block[..length]);
    }
}

fn ask(client: &mut Box<dyn Wire>, question: Question, heard: &Heard) -> io::Result<()> {
    let mechanisms = b"SCRAM-SHA-256\0\0";
    match question {
        Question::Clear => request(client, 3, b""),
        Question::Md5 => request(client, 5, b"salt"),
        Question::Nothing => request(client, 0, b""),
        Question::ScramThenClear => {
            request(client, 10, mechanisms)?;
            heard.add(&tagged(client)?);
            request(client, 3, b"")
        }
        Question::Scram(rounds) => {
            request(client, 10, mechanisms)?;
            let first = tagged(client)?;
            heard.add(&first);
            let text = String::from_utf8_lossy(&first).into_owned();
            let nonce = text.rsplit("r=").next().unwrap_or_default();
            request(client, 11, format!("r={nonce}x,s=c2FsdA==,i={rounds}").as_bytes())
        }
    }
}

/// Reads a message without a tag, and returns its content.
fn packet(client: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
    client.read_exact(&mut body)?;
    Ok(body)
}

fn tagged(client: &mut impl Read) -> io::Result<Vec<u8>> {
    client.read_exact(&mut [0])?;
    packet(client)
}

fn request(client: &mut impl Write, code: u32, rest: &[u8]) -> io::Result<()> {
    let length = u32::try_from(rest.len() + 8).unwrap().to_be_bytes();
    client.write_all(&[b"R", &length[..], &code.to_be_bytes(), rest].concat())?;
    client.flush()
}
