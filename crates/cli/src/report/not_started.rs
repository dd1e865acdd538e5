//! The tables whose turn never came.

use crate::human::counted;
use std::collections::BTreeMap;

/// Counts the tables whose turn never came, by the reasons why: `3 tables not started: …`, a line each.
pub(super) fn not_started<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut tables = BTreeMap::<&str, u64>::new();
    reasons.for_each(|reason| *tables.entry(reason).or_default() += 1);
    tables
        .into_iter()
        .map(|(reason, number)| format!("{} not started: {reason}\n", counted(number, "table")))
        .collect()
}
