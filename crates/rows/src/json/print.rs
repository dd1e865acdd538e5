//! From the tape to the text that jsonb prints.

use super::{Bad, Jsonb, MAX_BYTES, TOO_LONG, Token, number, string};

/// A container that is being printed.
#[derive(Debug)]
pub(super) struct Frame {
    kind: Kind,
    /// An array's next element on the tape, or an object's next key in `keys`.
    next: usize,
    end: usize,
    /// How many keys the objects around it have.
    outer_keys: usize,
    first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Object,
}

impl Jsonb {
    /// Appends what is on the tape to `out`.
    pub(super) fn print(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
        self.frames.clear();
        self.keys.clear();
        let start = out.len();
        self.token(text, 0, out);
        while let Some(frame) = self.frames.last_mut() {
            if out.len() - start > MAX_BYTES {
                return Err(TOO_LONG);
            }
            if frame.next == frame.end {
                out.push(if frame.kind == Kind::Array { b']' } else { b'}' });
                self.leave();
                continue;
            }
            if !std::mem::take(&mut frame.first) {
                out.extend_from_slice(b", ");
            }
            let next = frame.next;
            match frame.kind {
                Kind::Array => {
                    frame.next = behind(&self.tape, next);
                    self.token(text, next, out);
                }
                Kind::Object => {
                    frame.next += 1;
                    let key = self.keys[next];
                    self.token(text, key, out);
                    out.extend_from_slice(b": ");
                    self.token(text, key + 1, out);
                }
            }
        }
        Ok(())
    }

    /// Prints a token, or the beginning of a container.
    fn token(&mut self, text: &[u8], at: usize, out: &mut Vec<u8>) {
        let outer_keys = self.keys.len();
        match self.tape[at] {
            Token::Verbatim(from, to) => out.extend_from_slice(&text[from..to]),
            // With the quotes around it.
            Token::Plain(from, to) => out.extend_from_slice(&text[from - 1..=to]),
            Token::Decoded(from, to) => string::print(&self.strings[from..to], out),
            Token::Number(from, to) => number::print(text, from..to, out),
            Token::Array(end) => {
                out.push(b'[');
                let next = at + 1;
                self.frames.push(Frame { kind: Kind::Array, next, end, outer_keys, first: true });
            }
            Token::Object(end) => {
                out.push(b'{');
                self.order(text, at + 1, end);
                let (next, end) = (outer_keys, self.keys.len());
                self.frames.push(Frame { kind: Kind::Object, next, end, outer_keys, first: true });
            }
        }
    }

    fn leave(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.keys.truncate(frame.outer_keys);
        }
    }

    /// Appends the keys of the object that lies in `from..end` of the tape to `keys`, in the order
    /// in which jsonb prints them, and of equal ones only the last.
    fn order(&mut self, text: &[u8], from: usize, end: usize) {
        let base = self.keys.len();
        let mut at = from;
        let mut ordered = true;
        while at < end {
            ordered &= self.keys.len() == base
                || rank(self.key_bytes(text, self.keys[self.keys.len() - 1]))
                    < rank(self.key_bytes(text, at));
            self.keys.push(at);
            at = behind(&self.tape, at + 1);
        }
        if ordered {
            return;
        }
        let mut keys = std::mem::take(&mut self.keys);
        keys[base..].sort_unstable_by(|&a, &b| {
            rank(self.key_bytes(text, a)).cmp(&rank(self.key_bytes(text, b))).then(b.cmp(&a))
        });
        let mut kept = base + 1;
        for next in base + 1..keys.len() {
            if self.key_bytes(text, keys[kept - 1]) != self.key_bytes(text, keys[next]) {
                keys[kept] = keys[next];
                kept += 1;
            }
        }
        keys.truncate(kept);
        self.keys = keys;
    }

    fn key_bytes<'t>(&'t self, text: &'t [u8], at: usize) -> &'t [u8] {
        match self.tape[at] {
            Token::Plain(from, to) => &text[from..to],
            Token::Decoded(from, to) => &self.strings[from..to],
            _ => unreachable!("a key is a string"),
        }
    }
}

/// jsonb orders keys by their length, then by their bytes.
fn rank(key: &[u8]) -> (usize, &[u8]) {
    (key.len(), key)
}

/// Returns the position behind the value at `at`.
fn behind(tape: &[Token], at: usize) -> usize {
    match tape[at] {
        Token::Array(end) | Token::Object(end) => end,
        _ => at + 1,
    }
}
