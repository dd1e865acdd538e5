//! Integers and booleans.

use super::cell::{put4, put8};
use crate::refusal::ValueRefusal;
use handoff_connect::ValueRef;

const OUT_OF_RANGE: ValueRefusal = ValueRefusal {
    problem: "a number outside the column's type",
    remedy: crate::refusal::ValueRemedy::Type,
};

pub(super) fn int2(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let number = i16::try_from(signed(value)?).map_err(|_| OUT_OF_RANGE)?;
    let mut field = [0, 0, 0, 2, 0, 0];
    field[4..].copy_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&field);
    Ok(())
}

pub(super) fn int4(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let number = i32::try_from(signed(value)?).map_err(|_| OUT_OF_RANGE)?;
    put4(out, number.to_be_bytes());
    Ok(())
}

pub(super) fn int8(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    put8(out, signed(value)?.to_be_bytes());
    Ok(())
}

/// 0 and 1, and BIT(1).
pub(super) fn boolean(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let number = match value {
        ValueRef::Bytes(bits) => match bits[..] {
            [bit] => i64::from(bit),
            _ => return Err(ValueRefusal::unexpected()),
        },
        value => signed(value)?,
    };
    let truth = match number {
        0 => 0,
        1 => 1,
        _ => return Err(ValueRefusal::of_type("a number other than 0 and 1 in a boolean")),
    };
    out.extend_from_slice(&[0, 0, 0, 1, truth]);
    Ok(())
}

fn signed(value: ValueRef<'_>) -> Result<i64, ValueRefusal> {
    match value {
        ValueRef::Int(number) => Ok(number),
        ValueRef::UInt(number) => i64::try_from(number).map_err(|_| OUT_OF_RANGE),
        _ => Err(ValueRefusal::unexpected()),
    }
}
