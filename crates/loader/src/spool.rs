//! A table's rows in a CSV file.

use crate::copy_in::CopyIn;
use crate::csv::{CsvLines, header};
use crate::error::{Error, Result};
use crate::tuple;
use handoff_model::{CancelToken, TableName, TableSum};
use handoff_rows::TupleBuffer;
use handoff_schema::TableMapping;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Bytes that go from the file to the server at once.
const PIECE: usize = 256 * 1024;

/// The folder of spool files, and their fate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpoolSettings {
    /// The folder; the system's for temporary files if [`None`]. It must be there.
    pub folder: Option<PathBuf>,
    /// True if the file of a load stays, to be loaded again. It is then named after the table, its
    /// rows and their sum, and nobody but its owner may read it.
    pub keep: bool,
}

/// A file that rows are written to. Unless it is kept, it has no name: it is gone with this value
/// and with the process.
pub(crate) struct SpoolFile<'a> {
    file: SpoolHandle,
    place: SpoolPlace<'a>,
    lines: CsvLines<'a>,
    /// The text that was not yet written.
    text: Vec<u8>,
}

enum SpoolHandle {
    Not(File),
    ForNow(NamedTempFile),
}

/// The table and folder of a file, for errors.
#[derive(Clone, Copy)]
struct SpoolPlace<'a> {
    table: &'a TableName,
    folder: &'a Path,
}

impl SpoolPlace<'_> {
    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        let (table, folder) = (self.table.clone(), self.folder.to_owned());
        move |error| Error::Spool {
            table,
            doing,
            folder,
            remedy: remedy(&error),
            problem: error.to_string(),
        }
    }

    /// Refuses a kept file, which is the place itself.
    fn refused(&self, problem: &str) -> Error {
        let (table, path) = (self.table.clone(), self.folder.to_owned());
        Error::NotThisSpool { table, path, problem: problem.to_owned() }
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some room there, or name another folder with spool_dir under [run]"
        }
        ErrorKind::NotFound | ErrorKind::PermissionDenied => {
            "; name a folder that this account may write to with spool_dir under [run]"
        }
        _ => "",
    }
}

impl<'a> SpoolFile<'a> {
    /// Makes a file in `folder` that has no row yet, and the line that names the columns.
    pub(crate) fn create(
        folder: &'a Path,
        keep: bool,
        mapping: &'a TableMapping,
    ) -> Result<SpoolFile<'a>> {
        let place = SpoolPlace { table: &mapping.table, folder };
        let made = if keep {
            tempfile::Builder::new()
                .prefix(".handoff-")
                .tempfile_in(folder)
                .map(SpoolHandle::ForNow)
        } else {
            tempfile::tempfile_in(folder).map(SpoolHandle::Not)
        };
        let file = made.map_err(place.failed("make"))?;
        let mut text = Vec::new();
        header(mapping, &mut text);
        file.as_file().write_all(&text).map_err(place.failed("write"))?;
        text.clear();
        Ok(SpoolFile { file, place, lines: CsvLines::new(mapping), text })
    }

    /// Appends the gathered tuples.
    pub(crate) fn append(&mut self, tuples: &TupleBuffer) -> Result<()> {
        let mut rest = tuples.bytes();
        while let Some((row, behind)) = tuple::split(rest) {
            self.lines.append(row, &mut self.text);
            rest = behind;
        }
        let written = self.file.as_file().write_all(&self.text);
        self.text.clear();
        written.map_err(self.place.failed("write"))
    }

    /// Gives a file that is to be kept its name, and returns where it is.
    pub(crate) fn keep(&mut self, sum: TableSum) -> Result<Option<PathBuf>> {
        let SpoolHandle::ForNow(_) = &self.file else { return Ok(None) };
        let again = self.file.as_file().try_clone().map_err(self.place.failed("keep"))?;
        let SpoolHandle::ForNow(file) = std::mem::replace(&mut self.file, SpoolHandle::Not(again))
        else {
            return Ok(None);
        };
        let path = self.place.folder.join(file_name(self.place.table, sum));
        match file.persist(&path) {
            Ok(_) => Ok(Some(path)),
            Err(error) => Err(self.place.failed("keep")(error.error)),
        }
    }

    /// Sends the lines to the server.
    pub(crate) fn send(
        &mut self,
        mapping: &TableMapping,
        copy: &mut CopyIn<'_>,
        cancel: &CancelToken,
    ) -> Result<()> {
        let mut names = Vec::new();
        header(mapping, &mut names);
        let mut file = self.file.as_file();
        file.seek(SeekFrom::Start(names.len() as u64)).map_err(self.place.failed("read"))?;
        send(&mut file, self.place, copy, cancel).map(drop)
    }
}

impl SpoolHandle {
    fn as_file(&self) -> &File {
        match self {
            SpoolHandle::Not(file) => file,
            SpoolHandle::ForNow(file) => file.as_file(),
        }
    }
}

/// A kept file that is to be loaded again.
pub(crate) struct KeptSpool<'a> {
    file: File,
    place: SpoolPlace<'a>,
    /// The sum of the file's rows, by its name.
    pub(crate) sum: TableSum,
}

impl<'a> KeptSpool<'a> {
    /// Opens a file and sees that it has the columns of `mapping`.
    pub(crate) fn open(path: &'a Path, mapping: &'a TableMapping) -> Result<KeptSpool<'a>> {
        let place = SpoolPlace { table: &mapping.table, folder: path };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(sum) = sum_of(&name) else {
            return Err(place.refused(
                "its name does not end in its rows and their sum, as the one it was kept under",
            ));
        };
        if name != file_name(&mapping.table, sum) {
            return Err(place.refused("by its name it holds the rows of another table"));
        }
        let mut file = File::open(path).map_err(place.failed("read"))?;
        let mut names = Vec::new();
        header(mapping, &mut names);
        let mut found = vec![0; names.len()];
        match file.read_exact(&mut found) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                Err(place.failed("read")(error))
            }
            done if done.is_err() || found != names => {
                Err(place.refused("its first line does not name the columns of the table"))
            }
            _ => Ok(KeptSpool { file, place, sum }),
        }
    }

    /// Sends the lines to the server and returns their bytes.
    pub(crate) fn send(&mut self, copy: &mut CopyIn<'_>, cancel: &CancelToken) -> Result<u64> {
        send(&mut self.file, self.place, copy, cancel)
    }
}

fn send(
    file: &mut impl Read,
    place: SpoolPlace<'_>,
    copy: &mut CopyIn<'_>,
    cancel: &CancelToken,
) -> Result<u64> {
    let mut piece = vec![0; PIECE];
    let mut sent = 0;
    loop {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled { table: place.table.clone() });
        }
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(place.failed("read"))?,
        };
        if read == 0 {
            return Ok(sent);
        }
        copy.put(&piece[..read])?;
        sent += read as u64;
    }
}

/// Names a kept file: the table, as far as a file may be named so, its rows and their sum.
fn file_name(table: &TableName, sum: TableSum) -> String {
    let name: String = table.as_str().chars().map(file_char).take(100).collect();
    format!("{name}.{}-{:032x}.csv", sum.rows, sum.hash)
}

/// Returns a character that may stand in a file's name: `_` for any but the plainest.
fn file_char(c: char) -> char {
    if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }
}

fn sum_of(name: &str) -> Option<TableSum> {
    let (_, sum) = name.strip_suffix(".csv")?.rsplit_once('.')?;
    let (rows, hash) = sum.split_once('-')?;
    let hash = u128::from_str_radix(hash, 16).ok().filter(|_| hash.len() == 32)?;
    Some(TableSum { rows: rows.parse().ok()?, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_kept_file_says_what_it_holds() {
        let sum = TableSum { rows: 12, hash: 0xabc };
        let name = file_name(&TableName::new("or/der.s").unwrap(), sum);
        assert_eq!(name, "or_der_s.12-00000000000000000000000000000abc.csv");
        assert_eq!(sum_of(&name), Some(sum));
        assert_eq!(sum_of("patient.csv"), None);
        assert_eq!(sum_of("patient.12-abc.csv"), None);
    }

    #[test]
    fn a_full_disk_and_a_closed_folder_have_a_remedy() {
        for (kind, part) in [
            (ErrorKind::StorageFull, "free some room"),
            (ErrorKind::PermissionDenied, "name a folder"),
            (ErrorKind::NotFound, "name a folder"),
        ] {
            assert!(remedy(&kind.into()).contains(part), "{kind}");
        }
        assert_eq!(remedy(&ErrorKind::InvalidData.into()), "");
    }
}
