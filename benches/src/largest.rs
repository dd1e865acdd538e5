//! The three largest tables of the practice.

use crate::Result;
use handoff_testbed::practice::{self, Practice};
use handoff_testbed::quoted;
use mysql::Conn;
use mysql::prelude::Queryable;

/// Returns the names of the three largest tables, and the practice in which they have about `rows`
/// rows together.
pub fn largest(rows: u64) -> (Vec<String>, Practice) {
    let mut tables = Practice::at_scale(1.0).tables();
    tables.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    tables.truncate(3);
    let all: u64 = tables.iter().map(|(_, rows)| rows).sum();
    let names = tables.into_iter().map(|(name, _)| name).collect();
    (names, Practice::at_scale(rows as f64 / all as f64))
}

/// Makes the practice, keeps its three largest tables, and returns their names and their rows.
///
/// # Errors
///
/// Returns what the server said.
pub fn make_largest(conn: &mut Conn, rows: u64) -> Result<(Vec<String>, u64)> {
    let (names, practice) = largest(rows);
    practice::create(conn, &practice)?;
    let (mut made, mut others) = (0, Vec::new());
    for (name, rows) in practice.tables() {
        if names.contains(&name) {
            made += rows;
        } else {
            others.push(quoted(&name));
        }
    }
    conn.query_drop(format!("DROP TABLE {}", others.join(", ")))?;
    Ok((names, made))
}
