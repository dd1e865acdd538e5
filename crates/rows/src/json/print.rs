//! From the tape to the text that jsonb prints.

use super::tape::{Bad, ContainerKind, JsonToken, MAX_BYTES, PrintFrame, TOO_LONG};
use super::{number, string};
use crate::json::jsonb::Jsonb;

impl Jsonb {
    /// Appends the document on the tape to `out`.
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
                out.push(if frame.kind == ContainerKind::Array { b']' } else { b'}' });
                self.leave();
                continue;
            }
            if !std::mem::take(&mut frame.first) {
                out.extend_from_slice(b", ");
            }
            let next = frame.next;
            match frame.kind {
                ContainerKind::Array => {
                    frame.next = behind(&self.tape, next);
                    self.token(text, next, out);
                }
                ContainerKind::Object => {
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
            JsonToken::Verbatim(from, to) => out.extend_from_slice(&text[from..to]),
            // With the quotes around it.
            JsonToken::Plain(from, to) => out.extend_from_slice(&text[from - 1..=to]),
            JsonToken::Decoded(from, to) => string::print(&self.strings[from..to], out),
            JsonToken::Number(from, to) => number::print(text, from..to, out),
            JsonToken::Array(end) => {
                out.push(b'[');
                let next = at + 1;
                self.frames.push(PrintFrame {
                    kind: ContainerKind::Array,
                    next,
                    end,
                    outer_keys,
                    first: true,
                });
            }
            JsonToken::Object(end) => {
                out.push(b'{');
                self.order(text, at + 1, end);
                let (next, end) = (outer_keys, self.keys.len());
                self.frames.push(PrintFrame {
                    kind: ContainerKind::Object,
                    next,
                    end,
                    outer_keys,
                    first: true,
                });
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
            JsonToken::Plain(from, to) => &text[from..to],
            JsonToken::Decoded(from, to) => &self.strings[from..to],
            _ => unreachable!("a key is a string"),
        }
    }
}

/// jsonb orders keys by their length, then by their bytes.
fn rank(key: &[u8]) -> (usize, &[u8]) {
    (key.len(), key)
}

/// Returns the position behind the value at `at`.
fn behind(tape: &[JsonToken], at: usize) -> usize {
    match tape[at] {
        JsonToken::Array(end) | JsonToken::Object(end) => end,
        _ => at + 1,
    }
}
