//! `etl verify` of one table, beside the slower of the two plain reads it cannot do without.

use handoff_benches::{Amount, Arguments, Comparing, Contest, Engine, Result, begin, say};
use handoff_connect::Side;
use handoff_model::SumBy;

const ROWS: u64 = 5_000_000;

/// What a comparison may take, in MiB.
const MOST: u64 = 64;

fn main() -> Result<()> {
    let arguments = Arguments::read();
    if !arguments.wants("verify") {
        return Ok(());
    }
    begin("Verify");
    say("The references read each side alone, one after the other, look at no row, and count the \
         slower one. A comparison reads both at the same time, encodes and hashes every row, and keeps \
         a sketch of each side. The key is an integer.\n");
    let rows = arguments.rows.unwrap_or(ROWS);
    let comparing = Comparing::start(rows)?;
    near(&comparing, rows, &arguments)?;
    far_innodb(&comparing, rows, &arguments)?;
    far_myisam(&comparing, rows, &arguments)?;
    let mib = comparing.memory()?.div_ceil(1 << 20);
    say(&format!("`etl verify` of both tables in all three: {mib} MiB of memory at most"));
    if mib <= MOST { Ok(()) } else { Err(format!("over {MOST} MiB").into()) }
}

fn near(comparing: &Comparing, rows: u64, arguments: &Arguments) -> Result<()> {
    let engine = Engine::MyIsam;
    Contest::new("verify replica and target")
        .enter("the slower plain read", || {
            let replica = comparing.read_mysql(Side::Replica, engine)?;
            Ok(replica.max(comparing.read_postgres(engine)?))
        })
        .enter("verify", || comparing.near(engine))
        .run(Amount { rows, bytes: comparing.bytes(engine) }, arguments)
}

fn far_innodb(comparing: &Comparing, rows: u64, arguments: &Arguments) -> Result<()> {
    let engine = Engine::InnoDb;
    Contest::new("verify source and replica, InnoDB")
        .enter("the slower plain read", || {
            let source = comparing.read_mysql(Side::Source, engine)?;
            Ok(source.max(comparing.read_mysql(Side::Replica, engine)?))
        })
        .enter("verify, sums = read", || comparing.far(engine, SumBy::Read))
        .run(Amount { rows, bytes: comparing.bytes(engine) }, arguments)
}

fn far_myisam(comparing: &Comparing, rows: u64, arguments: &Arguments) -> Result<()> {
    let engine = Engine::MyIsam;
    say(
        "A source with MyISAM is read in ranges of its key, so that no writer waits for more than 200 ms; \
         so is that side of the reference. One statement would lock it for as long as it takes.\n",
    );
    Contest::new("verify source and replica, MyISAM")
        .enter("the slower plain read", || {
            let source = comparing.read_source(engine)?;
            Ok(source.max(comparing.read_mysql(Side::Replica, engine)?))
        })
        .enter("one statement, writers wait", || comparing.read_mysql(Side::Source, engine))
        .enter("verify, sums = read", || comparing.far(engine, SumBy::Read))
        .enter("verify, sums = sql", || comparing.far(engine, SumBy::Sql))
        .run(Amount { rows, bytes: comparing.bytes(engine) }, arguments)
}
