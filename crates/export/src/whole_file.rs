//! A file that a reader finds whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// Writes `text` to `path` so that a reader finds the old file or the new one, after a power cut too: into a temporary
/// file of the same folder, which then takes the name.
///
/// The file gets the rights of any new file, and through a link the file behind it is written. A device or pipe,
/// such as `/dev/stdout`, is written to as it is.
///
/// # Errors
///
/// Returns the system's error.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let Some(place) = file_place(path)? else {
        return OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    };
    let folder = folder_of(&place);
    let mut file = temporary(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&place).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Tries whether [`write_whole`] can write to `path`, and leaves nothing behind.
///
/// # Errors
///
/// Returns the system's error.
pub fn try_place(path: &Path) -> io::Result<()> {
    match file_place(path)? {
        Some(place) => temporary(folder_of(&place)).map(drop),
        None => OpenOptions::new().write(true).open(path).map(drop),
    }
}

/// Returns the path of the file that is to be replaced or made; [`None`] if something else than a file is there.
fn file_place(path: &Path) -> io::Result<Option<PathBuf>> {
    match path.metadata() {
        Ok(there) if there.is_file() => path.canonicalize().map(Some),
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(path.to_owned())),
        Err(error) => Err(error),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a temporary file that gets the rights of any new file: a collector runs under another account.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new().prefix(".etl-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("etl.prom");
        try_place(&path).unwrap();
        assert!(names(folder.path()).is_empty());
        write_whole(&path, "one\n").unwrap();
        let mut reader = File::open(&path).unwrap();
        write_whole(&path, "two, which is longer\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two, which is longer\n");
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "one\n", "whoever reads goes on");
        assert_eq!(names(folder.path()), ["etl.prom"]);
    }

    #[test]
    fn others_may_read_the_file_as_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let path = folder.path().join("etl.prom");
        write_whole(&path, "one\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("etl.prom"), folder.path().join("link"));
        fs::write(&path, "one\n").unwrap();
        symlink(&path, &link).unwrap();
        write_whole(&link, "two\n").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        write_whole(Path::new("/dev/null"), "one\n").unwrap();
        try_place(Path::new("/dev/null")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone/etl.prom");
        assert_eq!(try_place(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(try_place(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
