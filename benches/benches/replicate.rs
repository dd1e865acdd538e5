//! Hop 1, two tables at a time, beside `mariadb-dump | mariadb`.

use handoff_benches::{Arguments, Contest, Hop1, Pipes, Result, begin, say};

const ROWS: u64 = 1_500_000;

const TITLE: &str = "replicate the three largest tables";

fn main() -> Result<()> {
    let arguments = Arguments::read();
    if !arguments.wants(TITLE) {
        return Ok(());
    }
    begin("Hop 1: MariaDB to MariaDB");
    say("Indexes included, on two servers that flush as they come. The bytes are those of the \
         source's files.\n");
    let hop = Hop1::start(arguments.rows.unwrap_or(ROWS))?;
    Contest::new(TITLE)
        .enter("mariadb-dump | mariadb", || hop.dump(Pipes::One))
        .enter("two such pipes at a time", || hop.dump(Pipes::TwoAtATime))
        .enter("handoff, two tables at a time", || hop.copy())
        .run(hop.amount(), &arguments)
}
