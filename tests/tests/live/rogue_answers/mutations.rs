//! Changes of one packet of a conversation.

use super::Random;
use super::proxy::Change;
use std::sync::Arc;

/// A kind of change.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Bits are other ones.
    Flip,
    /// Bytes are other ones.
    Bytes,
    /// The length that it tells is another one.
    Length,
    /// It breaks off, and what follows comes at once.
    Cut,
    /// It comes several times.
    Repeat,
    /// Something is in its middle, with the right length around it.
    Insert,
    /// Its middle is missing, with the right length around it.
    Remove,
    /// Another one of before comes in its place.
    Splice,
    /// Another one of before comes first.
    Echo,
    /// It is followed by bytes of no meaning.
    Noise,
    /// The connection ends.
    Hangup,
}

pub const KINDS: [Kind; 11] = [
    Kind::Flip,
    Kind::Bytes,
    Kind::Length,
    Kind::Cut,
    Kind::Repeat,
    Kind::Insert,
    Kind::Remove,
    Kind::Splice,
    Kind::Echo,
    Kind::Noise,
    Kind::Hangup,
];

/// Returns the change of this kind and seed.
pub fn changed(kind: Kind, seed: u64) -> Change {
    Arc::new(move |packet, before| change(kind, &mut Random::new(seed), packet, before))
}

fn change(kind: Kind, random: &mut Random, packet: &[u8], before: &[Vec<u8>]) -> Vec<u8> {
    let other = before.get(random.below(before.len())).cloned().unwrap_or_default();
    let is_postgres = is_postgres(packet);
    let header = if is_postgres { 5 } else { 4 };
    let (head, body) = packet.split_at(header);
    let at = random.below(body.len() + 1);
    let to = (at + 1 + random.below(20)).min(body.len());
    let mut changed = packet.to_vec();
    match kind {
        Kind::Flip => {
            for _ in 0..=random.below(4) {
                let index = header + random.below(body.len());
                if let Some(byte) = changed.get_mut(index) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
        Kind::Bytes => {
            for _ in 0..=random.below(4) {
                let index = random.below(changed.len());
                changed[index] = [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfe, 0xff][random.below(8)];
            }
        }
        Kind::Length => {
            let first = usize::from(is_postgres);
            let bytes = random.bytes(header);
            changed[first..header].copy_from_slice(&bytes[first..]);
        }
        Kind::Cut => changed.truncate(header + at),
        Kind::Repeat => changed = packet.repeat(2 + random.below(3)),
        Kind::Insert => {
            let count = 1 + random.below(300);
            let inserted = random.bytes(count);
            changed = framed(head, &[&body[..at], &inserted, &body[at..]].concat());
        }
        Kind::Remove => changed = framed(head, &[&body[..at], &body[to.max(at)..]].concat()),
        Kind::Splice if !other.is_empty() => changed = other,
        Kind::Splice => {}
        Kind::Echo => changed = [&other[..], packet].concat(),
        Kind::Noise => changed.extend(random.bytes(200)),
        Kind::Hangup => changed.clear(),
    }
    changed
}

/// Returns true for a message of PostgreSQL, whose tag is a letter and whose length is its own.
fn is_postgres(packet: &[u8]) -> bool {
    let length = packet.get(1..5).map(|length| u32::from_be_bytes(length.try_into().unwrap()));
    length.is_some_and(|length| length as usize == packet.len() - 1)
}

/// Puts the length of a body before it.
fn framed(head: &[u8], body: &[u8]) -> Vec<u8> {
    match *head {
        [tag, _, _, _, _] => {
            let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
            [&[tag], &length[..], body].concat()
        }
        [_, _, _, number] => {
            let length = u32::try_from(body.len()).unwrap().to_le_bytes();
            [&length[..3], &[number], body].concat()
        }
        _ => unreachable!("a header has four bytes or five"),
    }
}
