//! Changed rows of a large table, merged by a load and by hand.

use handoff_benches::{Arguments, Contest, Merging, Result, begin, say};

/// Rows of the table; of twenty one has changed.
const ROWS: u64 = 2_000_000;

const TITLE: &str = "merge one row of twenty";

fn main() -> Result<()> {
    let arguments = Arguments::read();
    if !arguments.wants(TITLE) {
        return Ok(());
    }
    begin("Hop 2: a merge of changed rows");
    let rows = arguments.rows.unwrap_or(ROWS);
    say(&format!(
        "{} rows of a table of {rows}, scattered over it. The reference is psql sending the very \
         statements that a load sends, its rows in a local file in PostgreSQL's binary format; a \
         load also finds the rows in MariaDB by an index, encodes and hashes them.\n",
        Merging::changed(rows)
    ));
    let merging = Merging::start(rows)?;
    Contest::new(TITLE)
        .enter("psql, by hand", || merging.by_hand())
        .enter("streaming", || merging.by_load())
        .run(merging.amount(), &arguments)
}
