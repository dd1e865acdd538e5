//! From a document to the tape, by the grammar of RFC 8259 as PostgreSQL reads it.

use super::string::StringToken;
use super::tape::{Bad, JsonToken, MAX_DEPTH, NO_JSON, TOO_DEEP};
use super::{number, string};
use crate::json::jsonb::Jsonb;

impl Jsonb {
    /// Reads `text` onto the tape.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<(), Bad> {
        self.tape.clear();
        self.strings.clear();
        self.open.clear();
        let mut at = 0;
        loop {
            at = match self.value(text, skip_space(text, at))? {
                ReadStep::Inside(at) => at,
                ReadStep::Done(at) => match self.after_value(text, at)? {
                    Some(at) => at,
                    None => return Ok(()),
                },
            };
        }
    }

    /// Reads the value at `at`, or the beginning of it up to the first value inside.
    fn value(&mut self, text: &[u8], at: usize) -> Result<ReadStep, Bad> {
        match text.get(at) {
            Some(b'{') => {
                self.begin(JsonToken::Object(0))?;
                let at = skip_space(text, at + 1);
                if text.get(at) == Some(&b'}') {
                    self.end();
                    return Ok(ReadStep::Done(at + 1));
                }
                self.key(text, at).map(ReadStep::Inside)
            }
            Some(b'[') => {
                self.begin(JsonToken::Array(0))?;
                let at = skip_space(text, at + 1);
                if text.get(at) == Some(&b']') {
                    self.end();
                    return Ok(ReadStep::Done(at + 1));
                }
                Ok(ReadStep::Inside(at))
            }
            Some(b'"') => self.string(text, at).map(ReadStep::Done),
            Some(b'-' | b'0'..=b'9') => {
                let (token, end) = number::read(text, at)?;
                self.tape.push(token);
                Ok(ReadStep::Done(end))
            }
            Some(b't') => self.literal(text, at, b"true"),
            Some(b'f') => self.literal(text, at, b"false"),
            Some(b'n') => self.literal(text, at, b"null"),
            _ => Err(NO_JSON),
        }
    }

    /// Goes on behind a value: closes the containers that end there, and returns the start of the next value, or
    /// [`None`] at the end of the document.
    fn after_value(&mut self, text: &[u8], mut at: usize) -> Result<Option<usize>, Bad> {
        loop {
            at = skip_space(text, at);
            let next = text.get(at);
            let Some(&container) = self.open.last() else {
                return if next.is_none() { Ok(None) } else { Err(NO_JSON) };
            };
            at += 1;
            match (self.tape[container], next) {
                (JsonToken::Array(_), Some(b',')) => return Ok(Some(at)),
                (JsonToken::Object(_), Some(b',')) => {
                    return self.key(text, skip_space(text, at)).map(Some);
                }
                (JsonToken::Array(_), Some(b']')) | (JsonToken::Object(_), Some(b'}')) => {
                    self.end();
                }
                _ => return Err(NO_JSON),
            }
        }
    }

    /// Reads a key and its colon.
    fn key(&mut self, text: &[u8], at: usize) -> Result<usize, Bad> {
        if text.get(at) != Some(&b'"') {
            return Err(NO_JSON);
        }
        let at = skip_space(text, self.string(text, at)?);
        if text.get(at) == Some(&b':') { Ok(at + 1) } else { Err(NO_JSON) }
    }

    fn string(&mut self, text: &[u8], at: usize) -> Result<usize, Bad> {
        let (StringToken { from, to, decoded }, end) = string::read(text, at, &mut self.strings)?;
        self.tape.push(if decoded {
            JsonToken::Decoded(from, to)
        } else {
            JsonToken::Plain(from, to)
        });
        Ok(end)
    }

    fn literal(&mut self, text: &[u8], at: usize, literal: &[u8]) -> Result<ReadStep, Bad> {
        if !text[at..].starts_with(literal) {
            return Err(NO_JSON);
        }
        let end = at + literal.len();
        self.tape.push(JsonToken::Verbatim(at, end));
        Ok(ReadStep::Done(end))
    }

    fn begin(&mut self, container: JsonToken) -> Result<(), Bad> {
        if self.open.len() == MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        self.open.push(self.tape.len());
        self.tape.push(container);
        Ok(())
    }

    fn end(&mut self) {
        let end = self.tape.len();
        let container = self.open.pop().expect("only what was begun is ended");
        match &mut self.tape[container] {
            JsonToken::Array(behind) | JsonToken::Object(behind) => *behind = end,
            _ => unreachable!("only containers are open"),
        }
    }
}

/// The progress of reading a value.
enum ReadStep {
    /// To its end.
    Done(usize),
    /// To the first value inside.
    Inside(usize),
}

fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}
