//! The most memory that `etl run` takes for the three largest tables of the practice.

use handoff_benches::{Arguments, Result, begin, make_largest, peak_memory, say};
use handoff_testbed::{Bed, Durability, ServerOptions, Trio};

const ROWS: u64 = 1_500_000;

const TITLE: &str = "memory of a run";

/// What a run may take, in MiB.
const MOST: u64 = 64;

fn main() -> Result<()> {
    let arguments = Arguments::read();
    if !arguments.wants(TITLE) {
        return Ok(());
    }
    begin("Memory of a run");
    let etl = peak_memory::build()?;
    let options = ServerOptions { durability: Durability::Durable, ..ServerOptions::default() };
    let bed = Bed::start(&options)?;
    let trio = Trio::on("memory", bed.source(), bed.replica(), bed.target());
    let (tables, rows) = make_largest(&mut trio.source(), arguments.rows.unwrap_or(ROWS))?;
    say(&format!("`etl run` of {rows} rows in {}, four tables in flight.\n", tables.join(", ")));
    say("| run | seconds | peak memory |\n| --- | ---: | ---: |");
    let mut most = 0;
    for run in ["first, both hops", "again, nothing changed"] {
        let used = peak_memory::of_run(&etl, &trio.settings_toml())?;
        let mib = used.bytes.div_ceil(1 << 20);
        say(&format!("| {run} | {:.1} | {mib} MiB |", used.elapsed.as_secs_f64()));
        most = most.max(mib);
    }
    if most <= MOST { Ok(()) } else { Err(format!("over {MOST} MiB").into()) }
}
