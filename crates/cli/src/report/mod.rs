//! Reports as people read them.

mod check;
mod columns;
#[cfg(test)]
mod documented;
mod init;
mod plan;
mod repair;
mod run;
mod slowest;
mod status;
mod verify;
mod verify_page;

pub use check::check_text;
pub(crate) use columns::{Align, Columns};
pub use init::{Written, init_text};
pub use plan::plan_text;
pub use repair::repair_text;
pub use run::{Listing, text};
pub use status::{Standing, StatusReport, TableStanding};
pub use verify::verify_text;
pub use verify_page::verify_page;
