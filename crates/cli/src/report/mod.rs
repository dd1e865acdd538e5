//! Reports as people read them.

mod columns;
mod run;

pub(crate) use columns::{Align, Columns};
pub use run::{Listing, text};
