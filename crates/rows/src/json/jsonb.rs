//! The buffers of a rewriter of documents.

use super::tape::{JsonToken, PrintFrame};

/// Rewrites documents; keeps its buffers between them.
#[derive(Debug, Default)]
pub(crate) struct Jsonb {
    pub(super) tape: Vec<JsonToken>,
    /// Strings that had escapes, decoded.
    pub(super) strings: Vec<u8>,
    /// Reading: the containers around the current place. Positions on the tape.
    pub(super) open: Vec<usize>,
    /// Printing: the same, with the rest of each.
    pub(super) frames: Vec<PrintFrame>,
    /// Printing: the keys of the objects in `frames`, in print order.
    pub(super) keys: Vec<usize>,
}
