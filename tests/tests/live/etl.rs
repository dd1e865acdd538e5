//! Runs the binaries as a user does.

use handoff_testbed::Trio;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A folder with a `handoff.toml`, to run `etl` in.
pub struct Etl {
    folder: TempDir,
}

/// What a run of a binary left.
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Etl {
    /// Settings with source, replica and target of `trio`.
    pub fn new(trio: &Trio) -> Etl {
        Etl::with(&trio.settings_toml())
    }

    /// Settings with the source and the target of `trio`.
    pub fn direct(trio: &Trio) -> Etl {
        Etl::with(&trio.direct_settings_toml())
    }

    /// Settings of the test's own, [`in_full`].
    pub fn with(toml: &str) -> Etl {
        Etl::exactly(&in_full(toml))
    }

    /// Settings of the test's own, to the letter.
    pub fn exactly(toml: &str) -> Etl {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("handoff.toml");
        std::fs::write(&file, toml).unwrap();
        // It holds passwords.
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        Etl { folder }
    }

    /// Lets others than the owner read the settings.
    pub fn readable_by_others(&self) {
        let file = self.folder().join("handoff.toml");
        std::fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    }

    /// The folder that `etl` runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Prepares `etl` with arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("etl"));
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        command.env_remove("RUST_LOG");
        hears_signals(&mut command);
        command
    }

    /// Runs `etl` to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        Done::from(self.command(arguments).output().unwrap())
    }

    /// Starts `etl` and leaves it running, its output thrown away.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs `etl` and fails the test unless it ends with exit code 0.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> Done {
        self.exits(0, arguments)
    }

    /// Runs `etl` and fails the test unless it ends with `code`.
    #[track_caller]
    pub fn exits(&self, code: i32, arguments: &[&str]) -> Done {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(code), "etl {arguments:?}\n{}\n{}", done.stdout, done.stderr);
        done
    }
}

/// Returns settings under which tables of which nothing is said are moved in full: most tests are about such moves,
/// and not about the choice that each run has by default.
pub fn in_full(toml: &str) -> String {
    const LINE: &str = "extraction = \"full_table\"\n";
    match toml.split_once("[run]\n") {
        Some((before, after)) => format!("{before}[run]\n{LINE}{after}"),
        None => format!("{toml}\n[run]\n{LINE}"),
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Finds a program of this workspace beside the running test.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is missing: run `{BUILD}`", path.display());
    path
}

/// Has a program hear the signals that end it. A shell starts its background jobs with Ctrl-C ignored, `nohup`
/// with SIGHUP, and children inherit that.
pub fn hears_signals(command: &mut Command) {
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        });
    }
}

/// Builds the programs as the live tests need them.
const BUILD: &str = "cargo build --workspace --bins --examples --features handoff-etl/fault-points";

/// Arms a fault point in a run of a binary of this workspace.
pub fn arm(command: &mut Command, point: impl AsRef<str>) -> &mut Command {
    static HAS_POINTS: OnceLock<bool> = OnceLock::new();
    let has_points = HAS_POINTS.get_or_init(|| {
        let program = std::fs::read(binary("etl")).unwrap();
        program.windows(VARIABLE.len()).any(|window| window == VARIABLE.as_bytes())
    });
    assert!(has_points, "`etl` was built without fault points: run `{BUILD}`");
    command.env(VARIABLE, point.as_ref())
}

const VARIABLE: &str = "HANDOFF_FAULT_POINT";
