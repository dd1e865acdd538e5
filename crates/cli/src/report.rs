//! Reports as people read them.

mod check;
mod columns;
#[cfg(test)]
mod documented;
mod init;
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
pub use plan::plan_text;
pub use repair::repair_text;
pub use run::{Listing, text};
pub use schema::{rest_text, schema_text};
pub use status::{StatusReport, TableHealth, TableStanding};
pub use verify::verify_text;
pub use verify_page::verify_page;

use crate::human::counted;
use std::collections::BTreeMap;

/// Counts the tables whose turn never came, by the reasons why: `3 tables not started: …`, a line each.
fn not_started<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut tables = BTreeMap::<&str, u64>::new();
    reasons.for_each(|reason| *tables.entry(reason).or_default() += 1);
    tables
        .into_iter()
        .map(|(reason, number)| format!("{} not started: {reason}\n", counted(number, "table")))
        .collect()
}
