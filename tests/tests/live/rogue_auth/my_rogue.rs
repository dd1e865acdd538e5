//! A MySQL server that asks for what it should not have.

use super::remote::{Heard, SelfSigned, Wire, listen};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

/// What it asks for once it knows the account.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    /// The password, by `caching_sha2_password`; in plain text it hands out a key of its own.
    Password,
    /// To change to a plugin, with a number of so many bytes.
    Plugin(&'static str, usize),
    /// To change to the plugin of MySQL 3.
    OldPlugin,
    /// First to change to a harmless plugin, then for the password.
    PluginThenPassword,
    /// Nothing; but each statement is answered by asking for a file.
    File(&'static str),
}

/// The server, and what it heard.
pub struct Rogue {
    pub address: SocketAddr,
    /// Everything that came, decrypted.
    pub heard: Heard,
    /// What came after the question.
    pub answers: Heard,
}

const CAPABILITIES: u32 = 1 | 8 | 128 | 512 | 8192 | 32768 | 0b11111 << 16;
const SSL: u32 = 2048;

/// The key of nobody.
pub const KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxSKOcxiet8lLMn8ImyUE
bGGKob5EdRz/4wdiw12ED0GfKKTKhVnodFCfm1mdy7bKOX5QxL9skrvYodpW43eR
R5bfOzIgy1qIB8RYb6qOXRBw1oA4snBDqtUjDv/lbHLJN+IbzM4oU+e3Lt9rXyLX
VY289ewONPweXHqSCnTL91w+wkU1peIFV2QhZ+upUCdCtwOn5hnJPNgxtbklFoya
C8W3Z7Xx7He2QDJsEWAqX197efw0L6j8X8Tyd8Uwb7zUB1tfMGhHfm9EwejPAtzx
4GztQNtNMtGS2oGZLQBLV9hib4dDL92iiZeckg2LAf4GsJofLLR8mcHCRoqVbQJ1
YQIDAQAB
-----END PUBLIC KEY-----
";

impl Rogue {
    /// Starts one; with `tls` it offers TLS by a certificate of its own.
    pub fn start(ip: IpAddr, question: Question, tls: Option<SelfSigned>) -> Rogue {
        let (heard, answers) = (Heard::default(), Heard::default());
        let ears = (heard.clone(), answers.clone());
        let address = listen(ip, move |client| {
            let mut session =
                Session { heard: ears.0.clone(), answers: ears.1.clone(), asked: false, number: 0 };
            // It ends when the client goes away.
            let _ = session.serve(client, question, tls.as_ref());
        });
        Rogue { address, heard, answers }
    }
}

struct Session {
    heard: Heard,
    answers: Heard,
    asked: bool,
    number: u8,
}

impl Session {
    fn serve(
        &mut self,
        mut client: TcpStream,
        question: Question,
        tls: Option<&SelfSigned>,
    ) -> io::Result<()> {
        self.write(&mut client, &greeting(tls.is_some()))?;
        let first = self.read(&mut client)?;
        let mut client: Box<dyn Wire> = match tls {
            Some(tls) if first.len() == 32 => {
                let mut client = tls.accept(client);
                self.read(&mut client)?;
                client
            }
            _ => Box::new(client),
        };
        self.ask(&mut client, question)
    }

    fn ask(&mut self, client: &mut Box<dyn Wire>, question: Question) -> io::Result<()> {
        let switch = |plugin: &str, nonce: usize| {
            [&[0xfe], plugin.as_bytes(), &[0], &vec![b'n'; nonce], &[0]].concat()
        };
        if let Question::PluginThenPassword = question {
            self.write(client, &switch("caching_sha2_password", 20))?;
            self.read(client)?;
        }
        self.asked = true;
        match question {
            Question::Password | Question::PluginThenPassword => self.write(client, &[1, 4])?,
            Question::Plugin(plugin, nonce) => self.write(client, &switch(plugin, nonce))?,
            Question::OldPlugin => self.write(client, &[0xfe])?,
            Question::File(_) => self.write(client, &[0, 0, 0, 2, 0, 0, 0])?,
        }
        loop {
            let answer = self.read(client)?;
            match (question, &answer[..]) {
                (Question::File(path), [3, ..]) => {
                    self.write(client, &[&[0xfb], path.as_bytes()].concat())?;
                }
                (_, [2]) => self.write(client, &[&[1], KEY.as_bytes()].concat())?,
                _ => self.write(client, &[0, 0, 0, 2, 0, 0, 0])?,
            }
        }
    }

    fn read(&mut self, client: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        client.read_exact(&mut header)?;
        let [a, b, c, number] = header;
        self.number = number.wrapping_add(1);
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        let mut body = vec![0; length];
        client.read_exact(&mut body)?;
        self.heard.add(&body);
        if self.asked {
            self.answers.add(&body);
        }
        Ok(body)
    }

    fn write(&mut self, client: &mut impl Write, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        client.write_all(&[&length[..3], &[self.number], body].concat())?;
        client.flush()
    }
}

fn greeting(tls: bool) -> Vec<u8> {
    let capabilities = if tls { CAPABILITIES | SSL } else { CAPABILITIES };
    let [a, b, c, d] = capabilities.to_le_bytes();
    [
        &b"\x0a8.4.0\0"[..],
        &[1, 0, 0, 0],
        b"12345678\0",
        &[a, b, 255, 2, 0, c, d, 21],
        &[0; 10],
        b"abcdefghijkl\0",
        b"caching_sha2_password\0",
    ]
    .concat()
}
