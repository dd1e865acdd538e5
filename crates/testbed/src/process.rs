//! One server process in its folder: started, stopped, killed, started again.

use crate::error::{Result, TestbedError};
use crate::folder::Folder;
use crate::{keeper, system};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The longest that a server may take to answer its first query. Generous, since a test machine may
/// be busy.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The longest that a clean stop may take before the server is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A program to run, and the signals that stop it.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) server: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) user: Option<system::User>,
    /// The signal for a shutdown that keeps the data.
    pub(crate) clean_stop: i32,
    /// The signal for the fastest end that leaves nothing behind, the data not being needed.
    pub(crate) quick_stop: i32,
}

impl Recipe {
    fn command(&self, log: &Path) -> Result<Command> {
        let output = open_log(log)?;
        let errors = output.try_clone().map_err(TestbedError::folder("open", log))?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir("/").env_remove("LD_LIBRARY_PATH");
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        system::prepare(&mut command, self.user, self.quick_stop);
        Ok(command)
    }
}

/// A running (or killed, or stopped) server and the folder it lives in.
#[derive(Debug)]
pub(crate) struct Process {
    recipe: Recipe,
    log: PathBuf,
    child: Mutex<Option<Child>>,
    folder: Folder,
}

impl Process {
    pub(crate) fn new(folder: Folder, recipe: Recipe) -> Process {
        let log = folder.path().join("server.log");
        Process { recipe, log, child: Mutex::new(None), folder }
    }

    /// Starts the server and waits until `probe` succeeds.
    pub(crate) fn start(&self, probe: impl Fn() -> Result<()>) -> Result<()> {
        let mut child = self.child();
        let spawned = keeper::spawn(self.recipe.command(&self.log)?).map_err(|source| {
            TestbedError::Run { program: self.recipe.program.display().to_string(), source }
        })?;
        keeper::register(spawned.id(), self.recipe.quick_stop, self.folder.path().to_owned());
        let spawned = child.insert(spawned);

        let end = Instant::now() + START_LIMIT;
        loop {
            let Err(refused) = probe() else { return Ok(()) };
            if let Ok(Some(status)) = spawned.try_wait() {
                keeper::unregister(spawned.id());
                *child = None;
                return Err(self.failed(format!("it ended with {status}")));
            }
            if Instant::now() > end {
                return Err(self.failed(format!("no answer in {START_LIMIT:?} ({refused})")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Shuts the server down so that it keeps its data.
    pub(crate) fn stop(&self) {
        self.end(self.recipe.clean_stop, STOP_LIMIT);
    }

    /// Kills the server and every process it started, as a power cut would.
    pub(crate) fn kill9(&self) {
        let mut children = Vec::new();
        if let Some(pid) = self.pid() {
            // Stopped first, so that it starts no further process while we look.
            system::kill(pid, libc::SIGSTOP);
            children = system::children(pid);
            for &child in &children {
                system::kill(child, libc::SIGKILL);
            }
        }
        self.end(libc::SIGKILL, STOP_LIMIT);
        // PostgreSQL does not start while one of them holds the shared memory.
        let end = Instant::now() + STOP_LIMIT;
        while children.iter().any(|&child| system::lives(child)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    pub(crate) fn log_path(&self) -> &Path {
        &self.log
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn end(&self, signal: i32, limit: Duration) {
        let Some(mut child) = self.child().take() else { return };
        system::kill(child.id(), signal);
        let end = Instant::now() + limit;
        while let Ok(None) = child.try_wait() {
            if Instant::now() > end {
                system::kill(child.id(), libc::SIGKILL);
                let _ = child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        keeper::unregister(child.id());
    }

    fn failed(&self, problem: String) -> TestbedError {
        TestbedError::Start { server: self.recipe.server, problem, log: tail(&self.log) }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        // A panic elsewhere leaves the handle as good as it was.
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(self.recipe.quick_stop, Duration::from_secs(10));
    }
}

/// Runs a program that prepares a data folder, to its end.
pub(crate) fn prepare_data(recipe: &Recipe, folder: &Folder) -> Result<()> {
    let log = folder.path().join("init.log");
    let mut child = keeper::spawn(recipe.command(&log)?).map_err(|source| TestbedError::Run {
        program: recipe.program.display().to_string(),
        source,
    })?;
    let status = child.wait().map_err(TestbedError::folder("wait for", &recipe.program))?;
    if status.success() {
        return Ok(());
    }
    let problem = format!("preparing its data folder ended with {status}");
    Err(TestbedError::Start { server: recipe.server, problem, log: tail(&log) })
}

/// Returns a TCP port of the loopback interface that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let port =
        || -> io::Result<u16> { Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port()) };
    port().map_err(TestbedError::folder("find a free port on", "127.0.0.1"))
}

/// Starts a server, again on another port where somebody else took ours in the meantime.
pub(crate) fn with_free_port<T>(start: impl Fn() -> Result<T>) -> Result<T> {
    let mut result = start();
    for _ in 0..3 {
        match &result {
            Err(TestbedError::Start { log, .. }) if log.contains("in use") => result = start(),
            _ => break,
        }
    }
    result
}

fn open_log(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(TestbedError::folder("open", path))
}

fn tail(log: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
