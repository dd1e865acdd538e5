//! Keys of rows, in any number.

use crate::error::{Error, Result};
use crate::key_value::{has_key_values, key_value};
use handoff_model::{KeyValue, RowFilter, TableName};
use handoff_schema::{MappedColumn, TableMapping};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

/// Bytes kept in memory; older keys lie in a temporary file.
const MEMORY: usize = 1 << 20;

/// The number of rows looked up by one statement.
const BATCH: usize = 500;

/// Keys of rows of one table, in the order in which they came. One may come more than once.
///
/// A key is the canonical values of its columns, in the order of [`TableMapping::key`]. Memory is bounded,
/// however many there are: most of them lie in a temporary file, which has no name and is gone
/// with the process.
pub struct KeyList {
    table: TableName,
    columns: Vec<MappedColumn>,
    count: u64,
    /// The youngest keys: each its length, then its fields.
    memory: Vec<u8>,
    /// The keys before.
    file: Option<Mutex<File>>,
    keeps_gone: bool,
}

impl KeyList {
    /// Makes an empty list; [`None`] for a table whose rows MySQL cannot look up by their keys
    /// ([`has_key_values`]).
    pub fn new(mapping: &TableMapping) -> Option<KeyList> {
        has_key_values(mapping).then(|| KeyList {
            table: mapping.table.clone(),
            columns: mapping.key.iter().map(|&index| mapping.columns[index].clone()).collect(),
            count: 0,
            memory: Vec::new(),
            file: None,
            keeps_gone: false,
        })
    }

    /// Lets rows stay that are not found by their keys where rows are read: by default they are
    /// deleted where rows are written.
    #[must_use]
    pub fn keeping_gone(self, keeps_gone: bool) -> KeyList {
        KeyList { keeps_gone, ..self }
    }

    /// Returns true if rows that are not found where rows are read stay where they are written.
    pub fn keeps_gone(&self) -> bool {
        self.keeps_gone
    }

    /// Adds a key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Keys`] if the temporary file cannot be written.
    ///
    /// # Panics
    ///
    /// Panics if `key` has not as many values as the table's key has columns.
    pub fn push(&mut self, key: &[&[u8]]) -> Result<()> {
        assert_eq!(key.len(), self.columns.len(), "a key has a value for each of its columns");
        let length: usize = key.iter().map(|value| 4 + value.len()).sum();
        self.memory.extend_from_slice(&size(length));
        for value in key {
            self.memory.extend_from_slice(&size(value.len()));
            self.memory.extend_from_slice(value);
        }
        self.added()
    }

    /// Adds a key that PostgreSQL sent as a COPY BINARY tuple of its columns.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Keys`] if the temporary file cannot be written, or the tuple is of another
    /// width.
    pub fn push_tuple(&mut self, tuple: &[u8]) -> Result<()> {
        let width = i16::try_from(self.columns.len()).expect("a key has 32 columns at most");
        let Some(fields) = tuple.strip_prefix(&width.to_be_bytes()[..]) else {
            let problem = "the server sent a key of another width".to_owned();
            return Err(Error::Keys { table: self.table.clone(), problem });
        };
        // The fields of a tuple are spelled as the list keeps them.
        self.memory.extend_from_slice(&size(fields.len()));
        self.memory.extend_from_slice(fields);
        self.added()
    }

    /// Counts the key that was appended, and makes room for more.
    fn added(&mut self) -> Result<()> {
        self.count += 1;
        if self.memory.len() >= MEMORY {
            self.spill().map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// Returns the number of keys.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Returns true if there is no key.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Hands the keys to `each`, a few hundred at a time. One caller at a time is served.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Keys`] if the temporary file cannot be read, and the errors of `each`.
    pub fn batches<E: From<Error>>(
        &self,
        mut each: impl FnMut(&KeyBatch<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(file) = &self.file {
            let mut held = file.lock().unwrap_or_else(PoisonError::into_inner);
            held.rewind().map_err(|error| self.failed(&error))?;
            self.batches_of(&mut BufReader::with_capacity(256 * 1024, &mut *held), &mut each)?;
        }
        self.batches_of(&mut &self.memory[..], &mut each)
    }

    fn batches_of<E: From<Error>>(
        &self,
        from: &mut impl Read,
        each: &mut impl FnMut(&KeyBatch<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(BATCH));
        loop {
            let more = read_key(from, &mut bytes).map_err(|error| self.failed(&error))?;
            if more {
                ends.push(bytes.len());
            }
            if ends.len() == BATCH || !more && !ends.is_empty() {
                each(&KeyBatch { columns: &self.columns, bytes: &bytes, ends: &ends })?;
                bytes.clear();
                ends.clear();
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(Mutex::new(tempfile::tempfile()?));
        }
        if let Some(file) = &mut self.file {
            let held = file.get_mut().unwrap_or_else(PoisonError::into_inner);
            held.seek(SeekFrom::End(0))?;
            held.write_all(&self.memory)?;
        }
        self.memory.clear();
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::Keys { table: self.table.clone(), problem: error.to_string() }
    }
}

/// Some keys of a list.
pub struct KeyBatch<'a> {
    columns: &'a [MappedColumn],
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl KeyBatch<'_> {
    /// Appends each key as a COPY BINARY tuple.
    pub fn write_tuples(&self, out: &mut Vec<u8>) {
        let count = i16::try_from(self.columns.len()).expect("a key has 32 columns at most");
        for key in self.keys() {
            out.extend_from_slice(&count.to_be_bytes());
            out.extend_from_slice(key);
        }
    }

    /// Returns each key as MySQL compares it; [`None`] for one that the table cannot hold there.
    pub fn key_values(&self) -> impl Iterator<Item = Option<Vec<KeyValue>>> {
        self.keys().map(|mut fields| {
            self.columns.iter().map(|column| next_value(column, &mut fields)).collect()
        })
    }

    /// Returns the filter that selects the rows of these keys in MySQL; [`None`] if it can have none.
    pub fn filter(&self) -> Option<RowFilter> {
        let keys: Vec<_> = self.key_values().flatten().collect();
        (!keys.is_empty()).then_some(RowFilter::Keys(keys))
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns true if there is no key.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

/// Takes the next value from `fields`, as MySQL compares it with `column`.
fn next_value(column: &MappedColumn, fields: &mut &[u8]) -> Option<KeyValue> {
    let (&length, rest) = fields.split_first_chunk::<4>()?;
    let (value, behind) = rest.split_at_checked(u32::from_be_bytes(length) as usize)?;
    *fields = behind;
    key_value(column, value)
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a key is far shorter than 4 GiB").to_be_bytes()
}

/// Appends the fields of the next key; false at the end.
fn read_key(from: &mut impl Read, out: &mut Vec<u8>) -> io::Result<bool> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        done => done?,
    }
    let start = out.len();
    out.resize(start + u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut out[start..])?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableSchema};
    use handoff_settings::{TableSettings, ValuePolicies};

    fn mapping(kinds: [&str; 2]) -> TableMapping {
        let column = |(name, kind)| ColumnSchema {
            nullable: false,
            ..ColumnSchema::of_type(name, kind).unwrap()
        };
        let columns: Vec<_> = [("a", kinds[0]), ("b", kinds[1])].map(column).into();
        // The key's order is not the table's.
        let parts = [1, 0]
            .map(|column| IndexPart { column: Some(column), prefix: None, descending: false })
            .into();
        let indexes = vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }];
        let table = TableSchema { columns, indexes, ..TableSchema::empty("t") };
        TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default()).unwrap()
    }

    #[test]
    fn what_was_put_in_comes_out_however_much_it_is() {
        let mapping = mapping(["int", "varchar(200)"]);
        let mut list = KeyList::new(&mapping).unwrap();
        let text = "x".repeat(100);
        for number in 0..20_000_i32 {
            list.push(&[text.as_bytes(), &number.to_be_bytes()]).unwrap();
        }
        assert!(list.file.is_some() && list.memory.len() < MEMORY);
        for _ in 0..2 {
            let mut next = 0_i64;
            let done: Result<()> = list.batches(|batch| {
                assert!(batch.len() <= BATCH && !batch.is_empty());
                for key in batch.key_values() {
                    let expected =
                        vec![KeyValue::Bytes(text.clone().into_bytes()), KeyValue::Int(next)];
                    assert!(key == Some(expected));
                    next += 1;
                }
                let mut tuples = Vec::new();
                batch.write_tuples(&mut tuples);
                assert_eq!(tuples.len(), batch.len() * (2 + 4 + 100 + 4 + 4));
                Ok(())
            });
            done.unwrap();
            assert_eq!((next, list.len()), (20_000, 20_000));
        }
    }

    #[test]
    fn a_key_that_mysql_cannot_hold_is_looked_up_nowhere() {
        let mut list = KeyList::new(&mapping(["int", "date"])).unwrap();
        list.push(&[&i32::MAX.to_be_bytes(), &1_i32.to_be_bytes()]).unwrap();
        let done: Result<()> = list.batches(|batch| {
            assert!(batch.filter().is_none());
            Ok(())
        });
        done.unwrap();
        for kind in ["time", "float", "enum('a')"] {
            assert!(KeyList::new(&mapping(["int", kind])).is_none(), "{kind}");
        }
    }
}
