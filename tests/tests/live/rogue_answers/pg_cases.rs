//! The madness of a PostgreSQL server.

use super::proxy::Madness;
use super::{MARKER, Random};
use std::io::{self, Write};

/// Every kind of it, by name.
pub const CASES: [(&str, Madness); 37] = [
    ("random bytes", |out| random(out)),
    ("rows without end", |out| rows(out, 25, &row(MARKER.as_bytes()))),
    ("empty rows without end", |out| rows(out, 25, &[0, 0])),
    ("large rows without end", |out| rows(out, 25, &row(&[b'x'; 1 << 20]))),
    ("notices without end", |out| endless(out, b'N', &fields("01000"))),
    ("errors without end", |out| endless(out, b'E', &fields("23505"))),
    ("parameters without end", |out| endless(out, b'S', b"TimeZone\0UTC\0")),
    ("other parameters without end", |out| parameters(out)),
    ("notifications without end", |out| endless(out, b'A', b"\0\0\0\x01c\0t\0")),
    ("an end without end", |out| endless(out, b'Z', b"I")),
    ("commands without end", |out| endless(out, b'C', b"SELECT 1\0")),
    ("an error's text without end", |out| long(out, b'E')),
    ("a row without end", |out| long(out, b'D')),
    ("a COPY that nobody asked for", |out| messages(out, &[(b'G', &[0, 0, 0])])),
    ("a COPY both ways", |out| messages(out, &[(b'W', &[0, 0, 0])])),
    ("the data of a COPY that nobody asked for", |out| endless(out, b'd', MARKER.as_bytes())),
    ("a COPY that answers whatever it is", |out| copied(out, &row(MARKER.as_bytes()))),
    ("a COPY of rows that are none", |out| copied(out, &[0x7f; 300])),
    ("a COPY that ends and goes on", |out| copied(out, &[0xff, 0xff])),
    ("an end of nothing, and then rows", |out| {
        messages(out, &[(b'Z', b"I")])?;
        rows(out, 25, &row(MARKER.as_bytes()))
    }),
    ("two ends", |out| messages(out, &[(b'C', b"SELECT 1\0"), (b'Z', b"I"), (b'Z', b"I")])),
    ("a command without an end", |out| messages(out, &[(b'C', b"SELECT 1\0")])),
    ("a command before its rows", |out| {
        messages(out, &[(b'2', b""), (b'C', b"SELECT 1\0"), (b'D', &row(MARKER.as_bytes()))])
    }),
    ("an error and rows behind it", |out| {
        messages(out, &[(b'E', &fields("23505"))])?;
        rows(out, 25, &row(MARKER.as_bytes()))
    }),
    ("an error and no end", |out| messages(out, &[(b'E', &fields("23505"))])),
    ("a request for the password", |out| messages(out, &[(b'R', &[0, 0, 0, 3])])),
    ("a length below itself", |out| out.write_all(&[b'D', 0, 0, 0, 3, 0, 0])),
    ("a negative length", |out| out.write_all(&[b'T', 0xff, 0xff, 0xff, 0xff, 0, 0])),
    ("a negative length of a COPY", |out| out.write_all(&[b'd', 0xff, 0xff, 0xff, 0xff, 0, 0])),
    ("65535 columns", |out| messages(out, &[(b'T', &[255, 255]), (b'D', &[255, 255])])),
    ("columns of nothing", |out| messages(out, &[(b'T', &[0, 9, 0, 0, 0, 0])])),
    ("a row of fewer values", |out| few(out)),
    ("a value longer than its row", |out| overlong(out)),
    ("types of types without end", |out| types(out)),
    ("an unknown message", |out| messages(out, &[(b'?', MARKER.as_bytes())])),
    ("a message that breaks off", |out| cut(out)),
    ("silence", |_| Ok(())),
];

/// Signs of life, one a second, without end.
pub const SLOW: [(&str, Madness); 3] = [
    ("notices, one a second", |out| slowly(out, &message(b'N', &fields("01000")))),
    ("a row, one byte a second", |out| {
        out.write_all(&[&description(25)[..], &[b'D', 0, 0, 16, 0]].concat())?;
        slowly(out, &[0])
    }),
    ("rows, one a second", |out| {
        out.write_all(&description(25))?;
        slowly(out, &message(b'D', &row(MARKER.as_bytes())))
    }),
];

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn messages(out: &mut dyn Write, messages: &[(u8, &[u8])]) -> io::Result<()> {
    messages.iter().try_for_each(|(tag, body)| out.write_all(&message(*tag, body)))
}

fn endless(out: &mut dyn Write, tag: u8, body: &[u8]) -> io::Result<()> {
    let one = message(tag, body);
    let many = one.repeat(1 + (1 << 16) / one.len());
    loop {
        out.write_all(&many)?;
    }
}

/// A COPY of this row, without end, as an answer to whoever runs a prepared statement.
fn copied(out: &mut dyn Write, row: &[u8]) -> io::Result<()> {
    messages(out, &[(b'2', b""), (b'H', &[1, 0, 1, 0, 1])])?;
    out.write_all(&message(b'd', b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"))?;
    endless(out, b'd', row)
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

/// The fields of an error or a notice, with what must not be shown.
fn fields(code: &str) -> Vec<u8> {
    format!("SERROR\0VERROR\0C{code}\0M{MARKER}\0D{MARKER}\0\0").into_bytes()
}

fn parameters(out: &mut dyn Write) -> io::Result<()> {
    for number in 0_u64.. {
        out.write_all(&message(b'S', format!("name{number}\0{MARKER}\0").as_bytes()))?;
    }
    Ok(())
}

/// The description of a column of this type.
fn column(kind: u32) -> Vec<u8> {
    [&b"c\0"[..], &[0; 6], &kind.to_be_bytes(), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0, 0]]
        .concat()
}

fn description(kind: u32) -> Vec<u8> {
    message(b'T', &[&[0, 1][..], &column(kind)].concat())
}

fn row(value: &[u8]) -> Vec<u8> {
    [&[0, 1][..], &u32::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

fn rows(out: &mut dyn Write, kind: u32, row: &[u8]) -> io::Result<()> {
    out.write_all(&description(kind))?;
    endless(out, b'D', row)
}

/// A message of two thousand million bytes.
fn long(out: &mut dyn Write, tag: u8) -> io::Result<()> {
    out.write_all(&[tag, 0x7f, 0xff, 0xff, 0xff])?;
    loop {
        out.write_all(&[b'x'; 1 << 16])?;
    }
}

fn few(out: &mut dyn Write) -> io::Result<()> {
    let two = [&[0, 2][..], &column(25), &column(25)].concat();
    messages(
        out,
        &[(b'T', &two), (b'D', &row(MARKER.as_bytes())), (b'C', b"SELECT 1\0"), (b'Z', b"I")],
    )
}

fn overlong(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&description(25))?;
    messages(out, &[(b'D', &[0, 1, 0x7f, 0xff, 0xff, 0xff, b'x']), (b'Z', b"I")])
}

/// Answers as if to whoever prepares a statement, with a type that has to be asked for.
fn types(out: &mut dyn Write) -> io::Result<()> {
    for kind in 100_000.. {
        let parameters = message(b't', &[0, 0]);
        out.write_all(
            &[message(b'1', b""), parameters, description(kind), message(b'Z', b"I")].concat(),
        )?;
    }
    Ok(())
}

fn cut(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[b'D', 0, 0, 0, 100, 0, 1])?;
    // As if it were gone.
    Err(io::ErrorKind::BrokenPipe.into())
}
