//! Comparing tables that differ in more rows than a sketch can name.
//!
//! The elements of each side are written to a temporary file, in buckets of about 50,000 rows by the
//! hash of their key, and then compared bucket by bucket. So memory stays bounded and the counts are
//! exact, however much differs. The file has no name and is gone with the process; it holds
//! hashes and short keys.

use crate::element::RowElement;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use xxhash_rust::xxh3::xxh3_64;

/// The approximate number of rows of a side that are in memory at once.
const BUCKET_ROWS: u64 = 50_000;
/// More files than this would meet the limit of open files.
const MOST_BUCKETS: u64 = 64;
/// The most sides: source, replica and target.
const MOST_SIDES: usize = 3;
/// The bytes of an element in a file.
const WIDTH: usize = 32;

/// The elements of one side, in buckets.
pub(crate) struct SpillFiles {
    buckets: Vec<BufWriter<File>>,
    /// The first failure to write; everything after it counts for nothing.
    failed: Option<io::Error>,
}

/// The rows that a side has of one key: their number, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeySum {
    pub(crate) rows: u64,
    pub(crate) sum: u128,
}

impl KeySum {
    pub(crate) fn add(&mut self, row: u128) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(row);
    }
}

impl SpillFiles {
    /// Makes the files of a side with about so many rows.
    pub(crate) fn new(rows: u64) -> io::Result<SpillFiles> {
        let count = (rows / BUCKET_ROWS + 1).min(MOST_BUCKETS);
        let buckets = (0..count)
            .map(|_| Ok(BufWriter::with_capacity(16 * 1024, tempfile::tempfile()?)))
            .collect::<io::Result<_>>()?;
        Ok(SpillFiles { buckets, failed: None })
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, element: RowElement) {
        if self.failed.is_some() {
            return;
        }
        // A short key is no hash.
        let hash = u128::from(xxh3_64(&element.key.to_le_bytes()));
        let bucket = usize::try_from((hash * self.buckets.len() as u128) >> 64)
            .expect("less than the number of buckets");
        let mut bytes = [0; WIDTH];
        bytes[..16].copy_from_slice(&element.key.to_le_bytes());
        bytes[16..].copy_from_slice(&element.row.to_le_bytes());
        self.failed = self.buckets[bucket].write_all(&bytes).err();
    }

    fn finish(self) -> io::Result<Vec<File>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.buckets.into_iter().map(|bucket| Ok(bucket.into_inner()?)).collect()
    }
}

/// Hands every key that is not the same on all sides to `each`, with the rows of each side.
pub(crate) fn compare(
    sides: Vec<SpillFiles>,
    mut each: impl FnMut(u128, &[KeySum]),
) -> io::Result<()> {
    let count = sides.len();
    let files = sides.into_iter().map(SpillFiles::finish).collect::<io::Result<Vec<_>>>()?;
    let buckets = files.iter().map(Vec::len).max().unwrap_or(0);
    for bucket in 0..buckets {
        let mut held: HashMap<u128, [KeySum; MOST_SIDES]> = HashMap::new();
        for (side, files) in files.iter().enumerate() {
            read(&files[bucket], |element| {
                held.entry(element.key).or_default()[side].add(element.row);
            })?;
        }
        for (key, sums) in held {
            let all = &sums[..count];
            if all.iter().any(|one| *one != all[0]) {
                each(key, all);
            }
        }
    }
    Ok(())
}

fn read(file: &File, mut each: impl FnMut(RowElement)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    reader.rewind()?;
    let mut bytes = [0; WIDTH];
    loop {
        match reader.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let (key, row) = bytes.split_at(16);
        each(RowElement { key: number(key), row: number(row) });
    }
}

fn number(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes.try_into().expect("half of an element has 16 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_128;

    #[test]
    fn counts_are_exact_however_much_differs() {
        let element = |key: u32, row: u128| RowElement { key: xxh3_128(&key.to_le_bytes()), row };
        let mut sides = [(); 3].map(|()| SpillFiles::new(120_000).unwrap());
        for key in 0..120_000 {
            sides[0].add(element(key, 1));
            sides[1].add(element(key, 1 + u128::from(key % 2)));
            if key % 3 > 0 {
                sides[2].add(element(key, 1));
            }
        }
        let mut counts = [0; 3];
        compare(sides.into(), |_, held| {
            counts[0] += u32::from(held[0] != held[1]);
            counts[1] += u32::from(held[2].rows == 0);
            counts[2] += 1;
        })
        .unwrap();
        assert_eq!(counts, [60_000, 40_000, 80_000]);
    }
}
