//! `etl verify` of one table, beside the slower of the two plain reads it cannot do without.

use handoff_benches::{Amount, Arguments, Comparing, Contest, Result, begin, say};
use handoff_connect::Side;
use handoff_model::SumBy;

const ROWS: u64 = 5_000_000;

const TITLE: &str = "verify a table with an integer key";

/// What a comparison may take, in MiB.
const MOST: u64 = 64;

fn main() -> Result<()> {
    let arguments = Arguments::read();
    if !arguments.wants(TITLE) {
        return Ok(());
    }
    begin("Verify");
    say("The references read each side alone, one after the other, look at no row, and count the \
         slower one. A comparison reads both at the same time, encodes and hashes every row, and keeps \
         a sketch of each side.\n");
    let rows = arguments.rows.unwrap_or(ROWS);
    let comparing = Comparing::start(rows)?;
    let amount = Amount { rows, bytes: comparing.bytes() };
    Contest::new(format!("{TITLE}, replica and target"))
        .enter("the slower plain read", || {
            Ok(comparing.read_mysql(Side::Replica)?.max(comparing.read_postgres()?))
        })
        .enter("verify", || comparing.near())
        .run(amount, &arguments)?;
    Contest::new(format!("{TITLE}, source and replica"))
        .enter("the slower plain read", || {
            Ok(comparing.read_mysql(Side::Source)?.max(comparing.read_mysql(Side::Replica)?))
        })
        .enter("verify, sums = read", || comparing.far(SumBy::Read))
        .enter("verify, sums = sql", || comparing.far(SumBy::Sql))
        .run(amount, &arguments)?;
    let mib = comparing.memory()?.div_ceil(1 << 20);
    say(&format!("`etl verify` of all three: {mib} MiB of memory at most"));
    if mib <= MOST { Ok(()) } else { Err(format!("over {MOST} MiB").into()) }
}
