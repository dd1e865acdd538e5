//! The parts of a document on the tape, and the reasons to refuse one.

/// Objects and arrays may lie this deep in one another.
///
/// PostgreSQL's own limit comes from `max_stack_depth`: at the default of 2 MB, PostgreSQL 15 takes
/// 13,000 levels and not 15,000. MySQL's limit is 100, MariaDB's 32.
pub(super) const MAX_DEPTH: usize = 6_000;

/// The most bytes that one jsonb container holds (its entries have 28 bits for a length).
pub(super) const MAX_BYTES: usize = 0x0fff_ffff;

/// A problem of a document, in words.
pub(super) type Bad = &'static str;

pub(super) const NO_JSON: Bad = "a text that is no JSON";
pub(super) const TOO_DEEP: Bad = "a JSON document that is nested too deep for jsonb";
pub(super) const TOO_LONG: Bad = "a JSON document that is too long for jsonb";
pub(super) const NUL: Bad = "a JSON document with \\u0000 in a string";
pub(super) const LONE_SURROGATE: Bad = "a JSON document with half a surrogate pair in a string";
pub(super) const NUMBER: Bad = "a JSON document with a number that is beyond numeric";

/// One value or key. Positions are bytes of the document, or of `strings` where said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonToken {
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

/// A container that is being printed.
#[derive(Debug)]
pub(super) struct PrintFrame {
    pub(super) kind: ContainerKind,
    /// An array's next element on the tape, or an object's next key in `keys`.
    pub(super) next: usize,
    pub(super) end: usize,
    /// The number of keys of the objects around it.
    pub(super) outer_keys: usize,
    pub(super) first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContainerKind {
    Array,
    Object,
}
