//! The few system calls that the standard library lacks, each behind a safe function.

use std::{
    fs, io,
    os::{
        fd::RawFd,
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// A user that a server runs as where we are root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Returns the user to run a server as: nobody else unless we are root.
///
/// The server's package makes the user; where it didn't, `nobody` serves as well.
pub(crate) fn server_user(name: &str) -> Option<User> {
    is_root().then(|| find_user(name).unwrap_or(User { uid: 65534, gid: 65534 }))
}

pub(crate) fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

fn find_user(name: &str) -> Option<User> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User { uid, gid })
    })
}

/// Takes a lock that ends with the process.
pub(crate) fn try_lock(file: RawFd) -> io::Result<()> {
    // SAFETY: flock takes any descriptor and only reports an error on a bad one.
    match unsafe { libc::flock(file, libc::LOCK_EX | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes a command run as `user`, apart from the terminal's Ctrl-C, and end with `signal` when the
/// thread that spawns it ends.
pub(crate) fn prepare(command: &mut Command, user: Option<User>, signal: i32) {
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command.process_group(0);
    let parent = std::process::id();
    // SAFETY: between fork and exec the closure calls prctl and getppid only, both of which are
    // async-signal-safe. The standard library changes the user before it, which matters: a change
    // of user clears the death signal.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, signal);
            if libc::getppid() as u32 == parent {
                Ok(())
            } else {
                Err(io::Error::other("the parent is gone"))
            }
        });
    }
}

/// Returns true if this process handles or ignores a signal already.
pub(crate) fn is_handled(signal: i32) -> bool {
    // SAFETY: `sigaction` is plain data, for which zeros are a value; nothing is changed.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the buffer lives across the call.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    asked == 0 && action.sa_sigaction != libc::SIG_DFL
}

/// Sends a signal; a process that is gone already is no error.
pub(crate) fn kill(pid: u32, signal: i32) {
    if let Ok(pid) = i32::try_from(pid) {
        // SAFETY: kill has no memory effects; an unknown pid is an error we don't need.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Waits for a child without its handle; true once it is gone.
pub(crate) fn reap(pid: u32, limit: Duration) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return true };
    let end = Instant::now() + limit;
    loop {
        // SAFETY: a null status is allowed. Another thread may have reaped it: then -1.
        let seen = unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
        if seen != 0 {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a function when the process exits in an orderly way.
pub(crate) fn at_exit(function: extern "C" fn()) {
    // SAFETY: the function is 'static and doesn't unwind (it is `extern "C"`).
    unsafe { libc::atexit(function) };
}

/// Returns true if a process is there and has not ended.
pub(crate) fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Returns the processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    processes().filter(|&child| parent(child) == Some(pid)).collect()
}

/// Ends every process that has a path below `folder` among its arguments.
pub(crate) fn end_processes_of(folder: &Path) {
    let needle = folder.as_os_str().as_bytes();
    for pid in processes().filter(|&pid| pid != std::process::id()) {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if arguments.windows(needle.len()).any(|window| window == needle) {
            for child in children(pid) {
                kill(child, libc::SIGKILL);
            }
            kill(pid, libc::SIGKILL);
        }
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in parentheses, may hold anything; the state and the parent follow it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Returns when a process began, in clock ticks since the machine did: with the pid it names one
/// process for good.
pub(crate) fn started_at(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// Returns `bytes` random bytes in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> io::Result<String> {
    use io::Read;
    let mut buffer = vec![0; bytes];
    fs::File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns a few letters that tell this machine (or container) from another.
pub(crate) fn machine() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // FNV-1a: short, stable, and nothing depends on its quality.
    let hash = id
        .trim()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}
