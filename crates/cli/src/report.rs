//! Reports as people read them.

mod check;
mod columns;
#[cfg(test)]
mod documented;
mod init;
mod not_started;
mod plan;
mod repair;
mod run;
#[cfg(test)]
mod samples;
mod schema;
mod slowest;
#[cfg(test)]
mod snapshots;
mod status;
mod verify;
mod verify_page;

pub use check::check_text;
pub use init::{WrittenFiles, init_text};
use not_started::not_started;
pub use plan::plan_text;
pub use repair::repair_text;
pub use run::{Listing, text};
pub use schema::{rest_text, schema_text};
pub use status::{StatusReport, TableStanding};
pub use verify::verify_text;
pub use verify_page::verify_page;
