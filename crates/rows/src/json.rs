//! JSON documents as PostgreSQL's jsonb prints them.
//!
//! jsonb keeps a tree and prints it its own way: keys ordered by length, then bytes; the last of
//! equal keys; `", "` and `": "` between; strings with the fewest escapes; numbers as `numeric`
//! prints them. Here a document is read onto a flat tape and printed from it. Neither recurses,
//! and both take time in proportion to the document.

mod jsonb;
mod number;
mod print;
mod read;
mod string;
mod tape;

pub(crate) use jsonb::Jsonb;

use tape::Bad;

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
