//! From a document to the tape, by the grammar of RFC 8259 as PostgreSQL reads it.

use super::string::StringToken;
use super::{Bad, Jsonb, MAX_DEPTH, NO_JSON, TOO_DEEP, Token, number, string};

impl Jsonb {
    /// Reads `text` onto the tape.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<(), Bad> {
        self.tape.clear();
        self.strings.clear();
        self.open.clear();
        let mut at = 0;
        loop {
            at = match self.value(text, skip_space(text, at))? {
                Step::Inside(at) => at,
                Step::Done(at) => match self.after_value(text, at)? {
                    Some(at) => at,
                    None => return Ok(()),
                },
            };
        }
    }

    /// Reads the value at `at`, or the beginning of it up to the first value inside.
    fn value(&mut self, text: &[u8], at: usize) -> Result<Step, Bad> {
        match text.get(at) {
            Some(b'{') => {
                self.begin(Token::Object(0))?;
                let at = skip_space(text, at + 1);
                if text.get(at) == Some(&b'}') {
                    self.end();
                    return Ok(Step::Done(at + 1));
                }
                self.key(text, at).map(Step::Inside)
            }
            Some(b'[') => {
                self.begin(Token::Array(0))?;
                let at = skip_space(text, at + 1);
                if text.get(at) == Some(&b']') {
                    self.end();
                    return Ok(Step::Done(at + 1));
                }
                Ok(Step::Inside(at))
            }
            Some(b'"') => self.string(text, at).map(Step::Done),
            Some(b'-' | b'0'..=b'9') => {
                let (token, end) = number::read(text, at)?;
                self.tape.push(token);
                Ok(Step::Done(end))
            }
            Some(b't') => self.literal(text, at, b"true"),
            Some(b'f') => self.literal(text, at, b"false"),
            Some(b'n') => self.literal(text, at, b"null"),
            _ => Err(NO_JSON),
        }
    }

    /// Goes on behind a value: closes what ends there, and returns where the next value begins, or
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
                (Token::Array(_), Some(b',')) => return Ok(Some(at)),
                (Token::Object(_), Some(b',')) => {
                    return self.key(text, skip_space(text, at)).map(Some);
                }
                (Token::Array(_), Some(b']')) | (Token::Object(_), Some(b'}')) => self.end(),
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
        self.tape.push(if decoded { Token::Decoded(from, to) } else { Token::Plain(from, to) });
        Ok(end)
    }

    fn literal(&mut self, text: &[u8], at: usize, literal: &[u8]) -> Result<Step, Bad> {
        if !text[at..].starts_with(literal) {
            return Err(NO_JSON);
        }
        let end = at + literal.len();
        self.tape.push(Token::Verbatim(at, end));
        Ok(Step::Done(end))
    }

    fn begin(&mut self, container: Token) -> Result<(), Bad> {
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
            Token::Array(behind) | Token::Object(behind) => *behind = end,
            _ => unreachable!("only containers are open"),
        }
    }
}

/// How far a value was read.
enum Step {
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
