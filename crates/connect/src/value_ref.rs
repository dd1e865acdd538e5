//! A value of a row, without owning it.

use mysql::Value;
use std::fmt;

/// A value as MySQL's binary protocol sends it (manual, "Binary Protocol Value"): the driver's
/// [`Value`] without its allocation.
///
/// It may be a patient's name, so that it prints as its kind only.
#[derive(Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// NULL.
    Null,
    /// A whole number; an unsigned one too, if it fits.
    Int(i64),
    /// A whole number of 2^63 and more.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// Texts, bytes, and whatever else comes as text: DECIMAL, BIT, ENUM, SET, JSON.
    Bytes(&'a [u8]),
    /// Year, month, day, hour, minute, second, microsecond. Any part may be 0.
    Date(u16, u8, u8, u8, u8, u8, u32),
    /// The sign (true is negative), days, hours, minutes, seconds, microseconds.
    Time(bool, u32, u8, u8, u8, u32),
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> ValueRef<'a> {
        match *value {
            Value::NULL => ValueRef::Null,
            Value::Int(number) => ValueRef::Int(number),
            Value::UInt(number) => ValueRef::UInt(number),
            Value::Float(number) => ValueRef::Float(number),
            Value::Double(number) => ValueRef::Double(number),
            Value::Bytes(ref bytes) => ValueRef::Bytes(bytes),
            Value::Date(year, month, day, hour, minute, second, micro) => {
                ValueRef::Date(year, month, day, hour, minute, second, micro)
            }
            Value::Time(negative, days, hours, minutes, seconds, micro) => {
                ValueRef::Time(negative, days, hours, minutes, seconds, micro)
            }
        }
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Value {
        match value {
            ValueRef::Null => Value::NULL,
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::UInt(number) => Value::UInt(number),
            ValueRef::Float(number) => Value::Float(number),
            ValueRef::Double(number) => Value::Double(number),
            ValueRef::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Date(year, month, day, hour, minute, second, micro) => {
                Value::Date(year, month, day, hour, minute, second, micro)
            }
            ValueRef::Time(negative, days, hours, minutes, seconds, micro) => {
                Value::Time(negative, days, hours, minutes, seconds, micro)
            }
        }
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueRef::Null => "NULL",
            ValueRef::Int(_) | ValueRef::UInt(_) => "integer",
            ValueRef::Float(_) | ValueRef::Double(_) => "float",
            ValueRef::Bytes(_) => "bytes",
            ValueRef::Date(..) => "date",
            ValueRef::Time(..) => "time",
        })
    }
}
