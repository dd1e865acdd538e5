//! JSON documents as PostgreSQL's jsonb prints them.
//!
//! jsonb keeps a tree and prints it its own way: keys ordered by length, then bytes; the last of
//! equal keys; `", "` and `": "` between; strings with the fewest escapes; numbers as `numeric`
//! prints them. Here a document is read onto a flat tape and printed from it. Neither recurses,
//! and both take time in proportion to the document.

mod number;
mod print;
mod read;
mod string;

use print::PrintFrame;

/// Objects and arrays may lie this deep in one another.
///
/// PostgreSQL's own limit comes from `max_stack_depth`: at the default of 2 MB, PostgreSQL 15 takes
/// 13,000 levels and not 15,000. MySQL's limit is 100, MariaDB's 32.
const MAX_DEPTH: usize = 6_000;

/// The most bytes that one jsonb container holds (its entries have 28 bits for a length).
const MAX_BYTES: usize = 0x0fff_ffff;

/// A problem of a document, in words.
type Bad = &'static str;

const NO_JSON: Bad = "a text that is no JSON";
const TOO_DEEP: Bad = "a JSON document that is nested too deep for jsonb";
const TOO_LONG: Bad = "a JSON document that is too long for jsonb";
const NUL: Bad = "a JSON document with \\u0000 in a string";
const LONE_SURROGATE: Bad = "a JSON document with half a surrogate pair in a string";
const NUMBER: Bad = "a JSON document with a number that is beyond numeric";

/// Rewrites documents; keeps its buffers between them.
#[derive(Debug, Default)]
pub(crate) struct Jsonb {
    tape: Vec<JsonToken>,
    /// Strings that had escapes, decoded.
    strings: Vec<u8>,
    /// Reading: the containers around the current place. Positions on the tape.
    open: Vec<usize>,
    /// Printing: the same, with the rest of each.
    frames: Vec<PrintFrame>,
    /// Printing: the keys of the objects in `frames`, in print order.
    keys: Vec<usize>,
}

/// One value or key. Positions are bytes of the document, or of `strings` where said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonToken {
    /// A string, key or value, that prints as it was written.
    Plain(usize, usize),
    /// A string that was decoded into `strings`.
    Decoded(usize, usize),
    /// A literal, or a number that prints as it was written.
    Verbatim(usize, usize),
    /// A number that prints in another way.
    Number(usize, usize),
    /// An array, and the position on the tape behind its last element.
    Array(usize),
    /// An object, and the position on the tape behind its last value. Keys and values alternate.
    Object(usize),
}

impl Jsonb {
    /// Appends `text` (UTF-8) to `out` as jsonb prints it.
    ///
    /// If jsonb refuses the document, says why; `out` may then end in a part of it.
    pub(crate) fn normalise(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
        self.read(text)?;
        self.print(text, out)
    }
}

#[cfg(test)]
mod tests;
