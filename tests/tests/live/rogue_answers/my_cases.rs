//! The madness of a MySQL server.

use super::proxy::Madness;
use super::{MARKER, Random};
use std::io::{self, Write};

const FULL: usize = 0xff_ffff;
const END: &[u8] = &[0xfe, 0, 0, 2, 0];
const FINE: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

/// An end that tells of a change of the session: a variable and its value.
const NEWS: &[u8] = b"\0\0\0\x02\x40\0\0\0\x11\0\x0f\x0aautocommit\x03OFF";

/// Every kind of it, by name.
pub const CASES: [(&str, Madness); 31] = [
    ("random bytes", |out| random(out)),
    ("rows of text without end", |out| rows(out, &text_row())),
    ("rows of bytes without end", |out| rows(out, &binary_row())),
    ("empty rows without end", |out| rows(out, &[])),
    ("large rows without end", |out| large_rows(out)),
    ("one row without end", |out| long_row(out)),
    ("errors without end", |out| endless(out, &[&error(1062)[..]])),
    ("an error's text without end", |out| chained(out, &[0xff, 0x28, 4])),
    ("progress without end", |out| endless(out, &[&[0xff, 0xff, 0xff, 1, 2, 1, 0, 0, 0, 0]])),
    ("rows, and progress without end", |out| {
        packets(out, &[&[1], &column(), END, &text_row()])?;
        endless(out, &[&[0xff, 0xff, 0xff, 1, 2, 1, 0, 0, 0, 0]])
    }),
    ("rows of bytes, and progress without end", |out| {
        packets(out, &[&[1], &column(), END, &binary_row()])?;
        endless(out, &[&[0xff, 0xff, 0xff, 1, 2, 1, 0, 0, 0, 0]])
    }),
    ("news of the session without end", |out| endless(out, &[NEWS])),
    ("an end before its rows", |out| {
        packets(out, &[&[1], &column(), END, END, &text_row(), &binary_row(), END])
    }),
    ("what is fine without end", |out| endless(out, &[FINE])),
    ("ends without end", |out| endless(out, &[END])),
    ("empty packets without end", |out| endless(out, &[&[]])),
    ("one packet without end", |out| chained(out, &[1])),
    ("2^40 columns", |out| columns(out, 1 << 40)),
    ("2^63 columns", |out| columns(out, 1 << 63)),
    ("4096 columns and rows without end", |out| many_columns(out)),
    ("columns of nothing", |out| packets(out, &[&[2], &[0; 40], &[], END, &[0; 8]])),
    ("columns of the longest texts", |out| packets(out, &[&[1], &[0xfe; 30], END])),
    ("a row of fewer values", |out| packets(out, &[&[2], &column(), &column(), END, &text_row()])),
    ("a row of more values", |out| {
        packets(out, &[&[1], &column(), END, &text_row(), &[9, 9], END])
    }),
    ("a statement of 65535 columns", |out| statement(out)),
    ("another statement's number", |out| {
        packets(out, &[&[0, 9, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0], END])
    }),
    ("a wrong number", |out| out.write_all(&[7, 0, 0, 77, 0, 0, 0, 2, 0, 0, 0])),
    ("a packet that breaks off", |out| cut(out)),
    ("more results than were asked for", |out| endless(out, &[&[0, 0, 0, 10, 0, 0, 0]])),
    ("the farewell of a server", |out| {
        packets(out, &[&b"\xff\x1d\x04#08S01Server shutdown in progress"[..]])
    }),
    ("silence", |_| Ok(())),
];

/// Signs of life, one a second, without end.
pub const SLOW: [(&str, Madness); 3] = [
    ("progress, once a second", |out| {
        slowly(out, &framed(1, &[0xff, 0xff, 0xff, 1, 2, 1, 0, 0, 0, 0]))
    }),
    ("a row, one byte a second", |out| {
        packets(out, &[&[1], &column(), END])?;
        out.write_all(&[0, 16, 0, 4])?;
        slowly(out, &[0])
    }),
    ("rows, one a second", |out| {
        packets(out, &[&[1], &column(), END])?;
        slowly(out, &framed(4, &text_row()))
    }),
];

/// Asks for a file, whatever the statement.
pub fn infile(out: &mut dyn Write) -> io::Result<()> {
    packets(out, &[&[&[0xfb][..], super::FILE.as_bytes()].concat()])
}

fn text_row() -> Vec<u8> {
    [&[u8::try_from(MARKER.len()).unwrap()], MARKER.as_bytes()].concat()
}

fn binary_row() -> Vec<u8> {
    [&[0, 0][..], &text_row()].concat()
}

fn error(code: u16) -> Vec<u8> {
    [&[0xff], &code.to_le_bytes()[..], b"#23000", MARKER.as_bytes()].concat()
}

/// The description of a column of texts.
fn column() -> Vec<u8> {
    let names = [&b"\x03def"[..], b"\0", b"\0", b"\0", b"\x01c", b"\x01c", b"\x0c"].concat();
    [&names[..], &[45, 0], &[255, 0, 0, 0], &[253], &[0, 0], &[0], &[0, 0]].concat()
}

/// Writes the packets of an answer, which is numbered from one.
struct Numbered<'a> {
    out: &'a mut dyn Write,
    number: u8,
}

impl Numbered<'_> {
    fn new(out: &mut dyn Write) -> Numbered<'_> {
        Numbered { out, number: 1 }
    }

    fn packet(&mut self, body: &[u8]) -> io::Result<()> {
        let length = body.len().to_le_bytes();
        self.out.write_all(&[&length[..3], &[self.number], body].concat())?;
        self.number = self.number.wrapping_add(1);
        Ok(())
    }

    fn without_end(&mut self, body: &[u8]) -> io::Result<()> {
        // Many at once, so that no time is lost.
        loop {
            let mut many = Vec::new();
            for _ in 0..(1 << 16) / (body.len() + 4) {
                many.extend_from_slice(&body.len().to_le_bytes()[..3]);
                many.push(self.number);
                many.extend_from_slice(body);
                self.number = self.number.wrapping_add(1);
            }
            self.out.write_all(&many)?;
        }
    }
}

fn packets(out: &mut dyn Write, bodies: &[&[u8]]) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    bodies.iter().try_for_each(|body| numbered.packet(body))
}

fn endless(out: &mut dyn Write, bodies: &[&[u8]]) -> io::Result<()> {
    Numbered::new(out).without_end(bodies[0])
}

fn framed(number: u8, body: &[u8]) -> Vec<u8> {
    [&body.len().to_le_bytes()[..3], &[number], body].concat()
}

/// Never lets a second pass without a sign of life.
fn slowly(out: &mut dyn Write, sign: &[u8]) -> io::Result<()> {
    loop {
        out.write_all(sign)?;
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

fn random(out: &mut dyn Write) -> io::Result<()> {
    let mut random = Random::new(7);
    loop {
        out.write_all(&random.bytes(4096))?;
    }
}

fn rows(out: &mut dyn Write, row: &[u8]) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    for packet in [&[1][..], &column(), END] {
        numbered.packet(packet)?;
    }
    numbered.without_end(row)
}

/// Rows of fourteen million bytes, in both protocols' spelling.
fn large_rows(out: &mut dyn Write) -> io::Result<()> {
    let text = vec![b'x'; 14_000_000];
    let length = &text.len().to_le_bytes()[..3];
    let row = [&[0xfd][..], length, &text].concat();
    let mut numbered = Numbered::new(out);
    for packet in [&[1][..], &column(), END] {
        numbered.packet(packet)?;
    }
    loop {
        numbered.packet(&row)?;
    }
}

fn long_row(out: &mut dyn Write) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    for packet in [&[1][..], &column(), END] {
        numbered.packet(packet)?;
    }
    let piece = vec![0; FULL];
    loop {
        numbered.packet(&piece)?;
    }
}

/// One packet of sixteen million bytes after the other, all of which are one.
fn chained(out: &mut dyn Write, begin: &[u8]) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    let mut piece = vec![b'x'; FULL];
    piece[..begin.len()].copy_from_slice(begin);
    loop {
        numbered.packet(&piece)?;
    }
}

fn columns(out: &mut dyn Write, count: u64) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    numbered.packet(&[&[0xfe], &count.to_le_bytes()[..]].concat())?;
    numbered.without_end(&column())
}

fn many_columns(out: &mut dyn Write) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    numbered.packet(&[0xfc, 0, 16])?;
    for _ in 0..4096 {
        numbered.packet(&column())?;
    }
    numbered.packet(END)?;
    numbered.without_end(&[0xfb; 4096])
}

fn statement(out: &mut dyn Write) -> io::Result<()> {
    let mut numbered = Numbered::new(out);
    numbered.packet(&[0, 1, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0])?;
    numbered.without_end(&column())
}

fn cut(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[100, 0, 0, 1, 2, 3])?;
    // As if it were gone.
    Err(io::ErrorKind::BrokenPipe.into())
}
