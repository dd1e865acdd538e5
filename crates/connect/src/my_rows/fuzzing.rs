//! The entry for fuzzers of what a MySQL server sends: behind the feature `fuzzing`.

use super::answer;
use super::packets::Buffer;
use super::row::{Sent, values};
use std::cell::RefCell;
use std::io::{self, Read};

/// The kinds of the columns that a row is read with.
const COLUMNS: [Sent; 8] = [
    Sent::Int8,
    Sent::UInt16,
    Sent::Int32,
    Sent::UInt64,
    Sent::Double,
    Sent::Date,
    Sent::Time,
    Sent::Bytes,
];

/// A server that has sent some bytes and hangs up.
#[derive(Clone, Copy)]
struct SentBytes<'a>(&'a RefCell<&'a [u8]>);

impl Read for SentBytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(into)
    }
}

/// Reads bytes as packets, and each packet as every kind of answer and as a row. Returns the number of packets.
pub fn packets(bytes: &[u8]) -> usize {
    let sent = RefCell::new(bytes);
    let (mut buffer, mut count) = (Buffer::of_at_most(1 << 20), 0);
    let mut read = |packet: &[u8]| {
        count += 1;
        answer::ok(packet);
        answer::end(packet);
        answer::error(packet);
        for columns in 0..=COLUMNS.len() {
            let mut row = Vec::new();
            let is_row = values(packet, &COLUMNS[..columns], &mut row).is_some();
            assert!(!is_row || row.len() == columns, "a row has a value a column");
        }
        None::<()>
    };
    while buffer.some(SentBytes(&sent), &mut read).is_ok() {}
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_packets_are_read_and_a_torn_one_is_not() {
        assert_eq!(packets(&[1, 0, 0, 0, 7, 2, 0, 0, 1, 7, 7]), 2);
        assert_eq!(packets(&[1, 0, 0, 0, 7, 2, 0, 0, 1, 7]), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_server_make_us_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            packets(&bytes);
        }

        #[test]
        fn no_packet_makes_us_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..9)) {
            let header = |part: &Vec<u8>| [u8::try_from(part.len()).unwrap(), 0, 0, 0];
            let stream: Vec<u8> = parts.iter().flat_map(|part| [&header(part)[..], part].concat()).collect();
            prop_assert_eq!(packets(&stream), parts.len());
        }
    }
}
