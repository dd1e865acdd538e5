//! The encoding of the values of one column.
//!
//! A codec is resolved once a table, by [`ColumnCodec::of`]; a value then costs one `match`, no closure
//! and no allocation. Each writes the length and the bytes that PostgreSQL's `…send` function of
//! the type would.

mod array;
mod binary;
mod cell;
mod choose;
mod column_codec;
mod integer;
mod numeric;
mod rendered;
mod select;
mod temporal;
mod text;

pub(crate) use cell::{CellWriter, CodecScratch, PolicyUses};
pub(crate) use column_codec::ColumnCodec;
pub(crate) use select::ReadSession;
pub(crate) use text::to_latin1;

use crate::refusal::ValueRefusal;
use handoff_connect::ValueRef;

impl ColumnCodec {
    /// Appends length and bytes of one value to the cell's buffer. `exact` is false if the server
    /// says that its conversion of a text lost something.
    pub(crate) fn encode(
        self,
        value: ValueRef<'_>,
        exact: bool,
        cell: &mut CellWriter<'_>,
    ) -> Result<(), ValueRefusal> {
        match (self, value) {
            (_, ValueRef::Null) if exact => {
                cell.null();
                Ok(())
            }
            (_, ValueRef::Null) => text::unconverted(cell),
            (ColumnCodec::Int2, _) => integer::int2(value, cell.out),
            (ColumnCodec::Int4, _) => integer::int4(value, cell.out),
            (ColumnCodec::Int8, _) => integer::int8(value, cell.out),
            (ColumnCodec::Boolean, _) => integer::boolean(value, cell.out),
            (ColumnCodec::IntNumeric { whole_digits, scale }, _) => {
                numeric::integer(value, whole_digits, scale, cell.out)
            }
            (ColumnCodec::Numeric { whole_digits, scale }, ValueRef::Bytes(text)) => {
                numeric::decimal(text, whole_digits, scale, cell.out)
            }
            (ColumnCodec::Real, ValueRef::Float(number)) => {
                cell.put4(number.to_be_bytes());
                Ok(())
            }
            (ColumnCodec::Double, ValueRef::Double(number)) => {
                cell.put8(number.to_be_bytes());
                Ok(())
            }
            (ColumnCodec::Double, ValueRef::Float(number)) => {
                cell.put8(f64::from(number).to_be_bytes());
                Ok(())
            }
            (ColumnCodec::Bits(count), ValueRef::Bytes(bytes)) => {
                binary::bits(bytes, count, cell.out)
            }
            (ColumnCodec::Date, _) => temporal::date(value, cell),
            (ColumnCodec::Timestamp, _) => temporal::timestamp(value, cell),
            (ColumnCodec::Interval, _) => temporal::interval(value, cell.out),
            (ColumnCodec::Time, _) => temporal::time(value, cell.out),
            (ColumnCodec::Text(encoding), ValueRef::Bytes(text)) => {
                text::text(encoding, text, exact, cell)
            }
            (ColumnCodec::Labels { encoding, terminated }, ValueRef::Bytes(text)) => {
                array::labels(encoding, terminated, text, exact, cell)
            }
            (ColumnCodec::Rendered(format), _) => rendered::rendered(value, format, cell.out),
            (ColumnCodec::Bytes, ValueRef::Bytes(bytes)) => {
                cell.put(bytes);
                Ok(())
            }
            (ColumnCodec::Jsonb(encoding), ValueRef::Bytes(text)) => {
                text::jsonb(encoding, text, exact, cell)
            }
            (ColumnCodec::UuidText, ValueRef::Bytes(text)) => binary::uuid_text(text, cell.out),
            (ColumnCodec::UuidBytes, ValueRef::Bytes(bytes)) => binary::uuid_bytes(bytes, cell.out),
            (ColumnCodec::Inet, ValueRef::Bytes(text)) => binary::inet(text, cell.out),
            (ColumnCodec::Ewkb, ValueRef::Bytes(bytes)) => binary::ewkb(bytes, cell.out),
            (ColumnCodec::Vector, ValueRef::Bytes(bytes)) => array::vector(bytes, cell.out),
            (ColumnCodec::Unknown, _) => {
                Err(ValueRefusal::of_type("a value of a type that cannot become the column's type"))
            }
            _ => Err(ValueRefusal::unexpected()),
        }
    }
}
