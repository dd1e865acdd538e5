//! Hop 2 by every strategy, at four sizes of each shape.

use handoff_benches::{
    Analyze, Arguments, Contest, Hop2, Key, PsqlCopy, Result, Shape, begin, say,
};
use handoff_loader::{StreamingLoad, strategy};
use handoff_model::Strategy;

/// The sizes, in rows of the narrow table, and what they are called.
const SIZES: [(u64, &str); 4] =
    [(1_000, "1k"), (20_000, "20k"), (200_000, "200k"), (1_000_000, "1M")];

fn main() -> Result<()> {
    let arguments = Arguments::read();
    let sizes = match arguments.rows {
        Some(rows) => vec![(rows, rows.to_string())],
        None => SIZES.map(|(rows, name)| (rows, name.to_owned())).to_vec(),
    };
    let mut contests = Vec::new();
    for shape in Shape::ALL {
        for (rows, size) in &sizes {
            contests.push((format!("strategies {} {size}", shape.name()), shape, *rows));
        }
    }
    contests.retain(|(title, ..)| arguments.wants(title));
    if contests.is_empty() {
        return Ok(());
    }
    begin("Hop 2 by every strategy");
    say(
        "The reference is psql reading a local file in PostgreSQL's binary format; it starts a program \
         and a session each time, which weighs in the smallest tables. Each contender makes the table, \
         fills it, and builds its key, an integer. A load also reads MariaDB, encodes, hashes every \
         row and gathers statistics before it commits; `discard` writes nothing. `chunked` and \
         `parallel` commit rows before the table is published.\n",
    );
    let hop = Hop2::start()?;
    for (title, shape, rows) in contests {
        contest(&hop, &title, shape, rows, &arguments)?;
    }
    Ok(())
}

fn contest(hop: &Hop2, title: &str, shape: Shape, rows: u64, arguments: &Arguments) -> Result<()> {
    let described = hop.make(shape, Key::First, rows)?;
    let (_, amount) = hop.load(&described, &StreamingLoad::default())?;
    let psql = PsqlCopy::new(hop, &described)?;
    let mut contest = Contest::new(title)
        .enter(r"psql \copy", || psql.run(Analyze::No))
        .enter(r"psql \copy, ANALYZE", || psql.run(Analyze::Yes));
    for &which in Strategy::ALL {
        let strategy = strategy(which);
        let (hop, described) = (&hop, &described);
        contest = contest.enter(which.name(), move || Ok(hop.load(described, &*strategy)?.0));
    }
    contest.run(amount, arguments)
}
