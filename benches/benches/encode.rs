//! The encoder alone: from MySQL's values in memory to bytes in memory.

use handoff_benches::{Amount, Arguments, Contest, Hop2, Key, Result, Shape, begin, lap, say};
use handoff_connect::ValueRef;
use handoff_rows::{Encoder, TupleBuffer};
use handoff_settings::ValuePolicies;
use std::hint::black_box;

const ROWS: u64 = 1_000_000;

/// Bytes after which a buffer is emptied, as a load does.
const BATCH: usize = 256 * 1024;

fn main() -> Result<()> {
    let arguments = Arguments::read();
    let wanted = |shape: &Shape| arguments.wants(&title(*shape));
    let shapes: Vec<Shape> = Shape::ALL.into_iter().filter(wanted).collect();
    if shapes.is_empty() {
        return Ok(());
    }
    begin("The encoder alone");
    say("The reference encodes; what a load does hashes every row as well.\n");
    let hop = Hop2::start()?;
    for shape in shapes {
        contest(&hop, shape, &arguments)?;
    }
    Ok(())
}

fn title(shape: Shape) -> String {
    format!("encode {}", shape.name())
}

fn contest(hop: &Hop2, shape: Shape, arguments: &Arguments) -> Result<()> {
    let described = hop.make(shape, Key::None, arguments.rows.unwrap_or(ROWS))?;
    let owned = hop.fetch(&described)?;
    let rows: Vec<Vec<ValueRef<'_>>> =
        owned.iter().map(|row| row.iter().map(ValueRef::from).collect()).collect();
    let encoder = || Encoder::new(&described.mapping, &ValuePolicies::default());

    let hash = |tuples: &mut TupleBuffer| -> Result<()> {
        for row in &rows {
            tuples.push(row)?;
            if tuples.bytes().len() >= BATCH {
                black_box(tuples.bytes());
                tuples.clear();
            }
        }
        Ok(())
    };
    let mut whole = TupleBuffer::new(encoder());
    hash(&mut whole)?;
    let amount = Amount { rows: whole.sum().rows, bytes: whole.total_bytes() };

    let encode = || {
        let (mut encoder, mut buffer) = (encoder(), Vec::with_capacity(2 * BATCH));
        lap(|| {
            for row in &rows {
                encoder.encode(row, &mut buffer)?;
                if buffer.len() >= BATCH {
                    black_box(&buffer);
                    buffer.clear();
                }
            }
            Ok(())
        })
    };
    let encode_and_hash = || {
        let mut tuples = TupleBuffer::new(encoder());
        lap(|| hash(&mut tuples))
    };
    Contest::new(title(shape))
        .enter("encode", encode)
        .enter("encode and hash", encode_and_hash)
        .run(amount, arguments)
}
