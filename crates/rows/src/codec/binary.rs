//! Types that are bytes in disguise: bits, UUIDs, addresses, geometries.

use super::cell::{close, length, open, put};
use crate::refusal::ValueRefusal;
use std::net::{Ipv4Addr, Ipv6Addr};
use uuid::Uuid;

/// Appends a BIT(n): MySQL has the number at the right of its bytes, PostgreSQL at the left.
pub(super) fn bits(bytes: &[u8], count: u8, out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    if bytes.is_empty() || bytes.len() > 8 || bytes.len() != usize::from(count).div_ceil(8) {
        return Err(ValueRefusal::unexpected());
    }
    let number = bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    let left = number << (64 - count);
    let start = open(out);
    out.extend_from_slice(&i32::from(count).to_be_bytes());
    out.extend_from_slice(&left.to_be_bytes()[..bytes.len()]);
    close(out, start);
    Ok(())
}

/// Appends MariaDB's UUID, which comes as text.
pub(super) fn uuid_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    let uuid = Uuid::try_parse_ascii(text).map_err(|_| ValueRefusal::unexpected())?;
    put(out, uuid.as_bytes());
    Ok(())
}

/// Appends a BINARY(16) as a UUID.
pub(super) fn uuid_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    if bytes.len() != 16 {
        return Err(ValueRefusal::of_type("a value of other than 16 bytes in a uuid"));
    }
    put(out, bytes);
    Ok(())
}

/// Appends MariaDB's INET4 or INET6, which come as text: family, bits of the mask, "is no
/// network", length, address.
pub(super) fn inet(text: &[u8], out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    const IPV4: u8 = 2;
    const IPV6: u8 = 3;
    let text = std::str::from_utf8(text).map_err(|_| ValueRefusal::unexpected())?;
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        out.extend_from_slice(&[0, 0, 0, 8, IPV4, 32, 0, 4]);
        out.extend_from_slice(&address.octets());
    } else {
        let address: Ipv6Addr = text.parse().map_err(|_| ValueRefusal::unexpected())?;
        out.extend_from_slice(&[0, 0, 0, 20, IPV6, 128, 0, 16]);
        out.extend_from_slice(&address.octets());
    }
    Ok(())
}

/// Appends a geometry as EWKB. MySQL keeps four bytes of SRID before plain little-endian WKB; EWKB
/// has the SRID, where it isn't 0, behind the type of the outermost geometry, and a flag for it.
pub(super) fn ewkb(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueRefusal> {
    const LITTLE_ENDIAN: u8 = 1;
    const HAS_SRID: u32 = 0x2000_0000;
    let Some((srid, wkb)) = bytes.split_first_chunk::<4>() else {
        return Err(ValueRefusal::unexpected());
    };
    let Some((&[LITTLE_ENDIAN, t0, t1, t2, t3], rest)) = wkb.split_first_chunk::<5>() else {
        return Err(ValueRefusal::unexpected());
    };
    if *srid == [0; 4] {
        put(out, wkb);
        return Ok(());
    }
    let kind = u32::from_le_bytes([t0, t1, t2, t3]) | HAS_SRID;
    out.extend_from_slice(&length(wkb.len() + srid.len()));
    out.push(LITTLE_ENDIAN);
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(srid);
    out.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_at_the_left() {
        let mut out = Vec::new();
        bits(&[0b0000_0010, 0b1010_1010], 10, &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 6, 0, 0, 0, 10, 0b1010_1010, 0b1000_0000]);
    }

    #[test]
    fn an_srid_goes_behind_the_outermost_type() {
        let point = [1, 1, 0, 0, 0];
        let mut out = Vec::new();
        ewkb(&[&[0; 4], &point[..]].concat(), &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 5, 1, 1, 0, 0, 0]);
        out.clear();
        ewkb(&[&[0xe6, 0x10, 0, 0], &point[..]].concat(), &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 9, 1, 1, 0, 0, 0x20, 0xe6, 0x10, 0, 0]);
    }
}
