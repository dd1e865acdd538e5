//! Hop 2, strategy by strategy, beside `psql \copy` of the same rows.

use handoff_benches::{
    Analyze, Arguments, Contest, Hop2, Key, PsqlCopy, Result, Shape, begin, say,
};
use handoff_loader::{DiscardLoad, LoadStrategy, StandardLoad, StreamingLoad};

const ROWS: u64 = 2_000_000;

fn main() -> Result<()> {
    let arguments = Arguments::read();
    let wanted = |shape: &Shape| arguments.wants(&title(*shape));
    let shapes: Vec<Shape> = Shape::ALL.into_iter().filter(wanted).collect();
    if shapes.is_empty() {
        return Ok(());
    }
    begin("Hop 2: MariaDB to PostgreSQL");
    say(
        "The reference is psql reading a local file in PostgreSQL's binary format. Each contender \
         makes the table and fills it in one transaction; none has a key or an index. A load also \
         reads MariaDB, encodes, hashes every row and gathers statistics before it commits; \
         `discard` writes nothing.\n",
    );
    let hop = Hop2::start()?;
    for shape in shapes {
        contest(&hop, shape, &arguments)?;
    }
    Ok(())
}

fn title(shape: Shape) -> String {
    format!("load {}", shape.name())
}

fn contest(hop: &Hop2, shape: Shape, arguments: &Arguments) -> Result<()> {
    let described = hop.make(shape, Key::None, arguments.rows.unwrap_or(ROWS))?;
    let (_, amount) = hop.load(&described, &StreamingLoad::default())?;
    let psql = PsqlCopy::new(hop, &described)?;
    let load = |strategy: &dyn LoadStrategy| Ok(hop.load(&described, strategy)?.0);
    Contest::new(title(shape))
        .enter(r"psql \copy", || psql.run(Analyze::No))
        .enter(r"psql \copy, ANALYZE", || psql.run(Analyze::Yes))
        .enter("streaming", || load(&StreamingLoad::default()))
        .enter("standard", || load(&StandardLoad::default()))
        .enter("discard", || load(&DiscardLoad))
        .run(amount, arguments)
}
