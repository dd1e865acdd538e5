//! Private folders that never outlive their process for long.

use crate::error::{Result, TestbedError};
use crate::system;
use std::{
    fs::{self, File, Permissions},
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

const PREFIX: &str = "handoff-testbed-";

/// Held open and locked by the process that owns the folder, so that the next process can tell a
/// leftover from a folder in use. A pid would not do: pids are used again.
const LOCK: &str = "owner.lock";

/// A folder under `TMPDIR` that is removed on drop, and by the next process where that fails.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes a folder whose name tells which server lives in it.
    pub(crate) fn create(server: &str) -> Result<Folder> {
        static SWEEP: Once = Once::new();
        SWEEP.call_once(sweep);

        let path = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{server}-"))
            .tempdir()
            .map_err(TestbedError::folder("make a folder in", std::env::temp_dir()))?
            .keep();
        // The server may run as another user, who has to get through to its data.
        fs::set_permissions(&path, Permissions::from_mode(0o711))
            .map_err(TestbedError::folder("open up", &path))?;
        let lock_path = path.join(LOCK);
        let lock = File::create(&lock_path).map_err(TestbedError::folder("make", &lock_path))?;
        system::try_lock(lock.as_raw_fd()).map_err(TestbedError::folder("lock", &lock_path))?;
        Ok(Folder { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in this one and gives it to the user the server will run as.
    pub(crate) fn subfolder(&self, name: &str, owner: Option<&system::User>) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path).map_err(TestbedError::folder("make", &path))?;
        fs::set_permissions(&path, Permissions::from_mode(0o700))
            .map_err(TestbedError::folder("close", &path))?;
        give(&path, owner)?;
        Ok(path)
    }

    /// Writes a file that only its owner may read: it may hold a password.
    pub(crate) fn file(
        &self,
        name: &str,
        text: &str,
        owner: Option<&system::User>,
    ) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(TestbedError::folder("write", &path))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(TestbedError::folder("close", &path))?;
        give(&path, owner)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn give(path: &Path, owner: Option<&system::User>) -> Result<()> {
    match owner {
        Some(user) => std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
            .map_err(TestbedError::folder("give away", path)),
        None => Ok(()),
    }
}

/// Removes a folder whose server may still be writing its last files.
pub(crate) fn remove(path: &Path) {
    for _ in 0..20 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                std::thread::sleep(Duration::from_millis(50));
            }
            _ => return,
        }
    }
    log::warn!("cannot remove {}", path.display());
}

/// Removes the folders of processes that ended without doing so, and ends what still runs in them.
fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ours = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(PREFIX));
        if ours && is_abandoned(&path) {
            log::info!("removing {}, left by an earlier process", path.display());
            system::end_processes_of(&path);
            remove(&path);
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    match File::open(path.join(LOCK)) {
        Ok(lock) => system::try_lock(lock.as_raw_fd()).is_ok(),
        // Its owner may be about to make the lock; only an old folder without one is a leftover.
        Err(_) => fs::metadata(path)
            .and_then(|data| data.modified())
            .is_ok_and(|made| made.elapsed().is_ok_and(|age| age > Duration::from_secs(60))),
    }
}
