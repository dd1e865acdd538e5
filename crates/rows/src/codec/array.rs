//! One-dimensional arrays: `text[]` from SET, `real[]` from VECTOR.

use super::cell::{CellWriter, close, length, open, put};
use super::text::{decode, without_nul};
use crate::refusal::ValueRefusal;
use handoff_schema::TextEncoding;

const TEXT_OID: u32 = 25;
const REAL_OID: u32 = 700;

/// Appends the labels of a SET, which MySQL sends with commas between them; no label has one.
pub(super) fn labels(
    encoding: TextEncoding,
    terminated: bool,
    text: &[u8],
    exact: bool,
    cell: &mut CellWriter<'_>,
) -> Result<(), ValueRefusal> {
    let CellWriter { out, policies, uses, scratch } = cell;
    let text = decode(encoding, text, exact, policies, uses, &mut scratch.decoded)?;
    let text = &*without_nul(text, policies, uses)?;
    let start = open(out);
    if text.is_empty() {
        header(out, TEXT_OID, 0);
    } else {
        let text = if terminated { text.strip_suffix(b",").unwrap_or(text) } else { text };
        let labels = text.split(|&byte| byte == b',');
        header(out, TEXT_OID, labels.clone().count());
        labels.for_each(|label| put(out, label));
    }
    close(out, start);
    Ok(())
}

/// Appends a VECTOR, which MySQL sends as its numbers, little-endian.
pub(super) fn vector(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let numbers = bytes.chunks_exact(4);
    if !numbers.remainder().is_empty() {
        return Err(ValueRefusal::unexpected());
    }
    let start = open(out);
    header(out, REAL_OID, numbers.len());
    for number in numbers {
        out.extend_from_slice(&length(4));
        out.extend(number.iter().rev());
    }
    close(out, start);
    Ok(())
}

/// Appends dimensions, "holds no NULL", the type of the elements, and of the one dimension its
/// length and lower bound. An empty array has no dimension.
fn header(out: &mut Vec<u8>, element: u32, count: usize) {
    out.extend_from_slice(&i32::from(count > 0).to_be_bytes());
    out.extend_from_slice(&0_i32.to_be_bytes());
    out.extend_from_slice(&element.to_be_bytes());
    if count > 0 {
        out.extend_from_slice(&length(count));
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
}
