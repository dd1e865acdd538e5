//! The Unix socket that the driver is led to.

use std::env;
use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A Unix socket in a folder that nobody else may enter; gone with this.
pub(super) struct DriverDoor {
    listener: UnixListener,
    path: PathBuf,
    _folder: TempDir,
}

impl DriverDoor {
    /// # Errors
    ///
    /// Returns an error if no folder for temporary files can be written.
    pub(super) fn open() -> io::Result<DriverDoor> {
        // A long path is none for a socket, and some machines have no folder but memory.
        let folders = [env::temp_dir(), "/tmp".into(), "/dev/shm".into(), "/run".into()];
        let mut first = None;
        for folder in folders {
            match DriverDoor::open_in(&folder) {
                Ok(door) => return Ok(door),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let why = first.map(|error| error.to_string()).unwrap_or_default();
        let text = format!("no folder for temporary files can be written, set TMPDIR: {why}");
        Err(io::Error::new(ErrorKind::PermissionDenied, text))
    }

    fn open_in(folder: &Path) -> io::Result<DriverDoor> {
        let ours = Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix("handoff-").permissions(ours).tempdir_in(folder)?;
        let path = folder.path().join("line");
        let listener = UnixListener::bind(&path)?;
        Ok(DriverDoor { listener, path, _folder: folder })
    }

    pub(super) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Waits for the driver, which comes at once, and shuts the door.
    ///
    /// # Errors
    ///
    /// Returns an error if it does not come.
    pub(super) fn driver(self, until: Instant) -> io::Result<UnixStream> {
        wait_to_read(&self.listener, until)?;
        let (driver, _) = self.listener.accept()?;
        Ok(driver)
    }
}

/// Waits until a socket has something to read.
fn wait_to_read(socket: &impl AsFd, until: Instant) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    let mut asked = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let millis = left.min(Duration::from_secs(60)).as_millis();
        // SAFETY: it is one entry, and lives across the call.
        let ready = unsafe { libc::poll(&raw mut asked, 1, i32::try_from(millis).unwrap_or(0)) };
        match ready {
            1 => return Ok(()),
            0 if left.is_zero() => return Err(ErrorKind::TimedOut.into()),
            0 => {}
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn nobody_else_may_enter_and_nothing_is_left() {
        let door = DriverDoor::open().unwrap();
        let folder = Path::new(&door.path()).parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let path = door.path();
        let _driver = UnixStream::connect(&path).unwrap();
        door.driver(Instant::now() + Duration::from_secs(5)).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_driver_that_does_not_come_is_not_waited_for() {
        let late = DriverDoor::open().unwrap().driver(Instant::now() + Duration::from_millis(20));
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
