//! The speed of the encoder by itself: a row of 52 columns as a practice's procedure log has them.
//!
//! `cargo run --release -p handoff-rows --example encoder_speed`
#![expect(clippy::print_stdout, reason = "an example speaks to a person")]

use handoff_connect::ValueRef;
use handoff_rows::{Encoder, TupleBuffer};
use handoff_schema::{ColumnSchema, TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};
use std::error::Error;
use std::time::Instant;

const ROWS: u32 = 1_000_000;
const BATCH_BYTES: usize = 256 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let (mapping, row) = wide_table()?;
    let values = ValuePolicies::default();

    let mut encoder = Encoder::new(&mapping, &values);
    let mut out = Vec::new();
    let bytes = report("encode", || {
        let mut bytes = 0;
        for _ in 0..ROWS {
            encoder.encode(&row, &mut out)?;
            if out.len() >= BATCH_BYTES {
                bytes += out.len();
                out.clear();
            }
        }
        Ok(bytes + out.len())
    })?;
    let mut buffer = TupleBuffer::new(Encoder::new(&mapping, &values));
    report("encode, hash and sum", || {
        for _ in 0..ROWS {
            buffer.push(&row)?;
            if buffer.bytes().len() >= BATCH_BYTES {
                buffer.clear();
            }
        }
        Ok(usize::try_from(buffer.total_bytes())?)
    })?;
    println!("{} columns, {} bytes a row", row.len(), bytes / ROWS as usize);
    Ok(())
}

fn report(
    what: &str,
    work: impl FnOnce() -> Result<usize, Box<dyn Error>>,
) -> Result<usize, Box<dyn Error>> {
    let began = Instant::now();
    let bytes = work()?;
    let seconds = began.elapsed().as_secs_f64();
    let (rows, megabytes) = (f64::from(ROWS) / seconds, bytes as f64 / 1e6 / seconds);
    println!("{what}: {rows:.0} rows/s, {megabytes:.0} MB/s");
    Ok(bytes)
}

/// 52 columns: keys and numbers, flags, money, dates, and texts.
fn wide_table() -> Result<(TableMapping, Vec<ValueRef<'static>>), Box<dyn Error>> {
    let text = |text: &'static str| ValueRef::Bytes(text.as_bytes());
    let kinds: [(&str, usize, ValueRef<'static>); 8] = [
        ("bigint", 18, ValueRef::Int(1_234_567)),
        ("tinyint", 12, ValueRef::Int(1)),
        ("double", 6, ValueRef::Double(125.5)),
        ("decimal(10,2)", 2, text("1234.50")),
        ("date", 5, ValueRef::Date(2024, 2, 29, 0, 0, 0, 0)),
        ("datetime", 3, ValueRef::Date(2024, 2, 29, 12, 34, 56, 0)),
        ("varchar(20)", 5, text("D2391")),
        ("text", 1, text("Composite filling, two surfaces, posterior; patient tolerated it well.")),
    ];
    let mut schema = TableSchema::empty("procedurelog");
    let mut row = Vec::new();
    for (kind, count, value) in kinds {
        for _ in 0..count {
            schema.columns.push(ColumnSchema::of_type(&format!("c{}", row.len()), kind)?);
            row.push(value);
        }
    }
    let mapping = TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default())?;
    Ok((mapping, row))
}
