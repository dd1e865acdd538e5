//! Reports as people read them.

mod columns;
mod run;
mod status;

pub(crate) use columns::{Align, Columns};
pub use run::{Listing, text};
pub use status::{Standing, StatusReport, TableStanding};
