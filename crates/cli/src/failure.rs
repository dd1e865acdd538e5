//! The errors that end a command early, and their printing.

use crate::exit::Exit;
use handoff_pipeline::SessionError;
use handoff_settings::SettingsError;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// The reason that a command could not do its work.
///
/// A table that fails is none of these: it is a line of the report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The run could not start.
    #[error(transparent)]
    Run(#[from] handoff_pipeline::Error),
    /// The servers or the practice of the demo cannot be had.
    #[cfg(feature = "demo")]
    #[error("the demo cannot continue")]
    Demo(#[from] handoff_testbed::TestbedError),
    /// The variable that is to hold the source's password is not set.
    #[error("{option} names the variable {variable}, which is not set: export it")]
    Unset {
        /// The option.
        option: &'static str,
        /// The variable.
        variable: String,
    },
    /// The shell that is to complete lines is none that is known.
    #[error("{}; write etl completions bash, or zsh, fish, elvish or powershell", match name {
        Some(name) => format!("etl cannot complete the lines of `{name}`"),
        None => "SHELL does not name a shell".to_owned(),
    })]
    UnknownShell {
        /// Its name, if one was given.
        name: Option<String>,
    },
    /// A file that is to be written is there already.
    #[error("{} already exists: read it, or replace it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// A driver or Handoff itself panicked outside of any table.
    #[error(
        "a server sent an answer that cannot be read, or Handoff has a bug: does each url name a database \
         server?"
    )]
    Panic,
    /// The handlers of signals cannot be set up.
    #[error("cannot listen for Ctrl-C")]
    Signals(#[source] io::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Failure {
        Failure::Run(error.into())
    }
}

impl Failure {
    /// Returns the failure that a file cannot be written, for an error of the system.
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Failure {
        let path = path.to_owned();
        move |source| Failure::Write { path, source }
    }

    /// Returns the exit code that it ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Settings(_)
            | Failure::Unset { .. }
            | Failure::UnknownShell { .. }
            | Failure::Exists { .. }
            | Failure::Write { .. } => Exit::Usage,
            Failure::Run(error) if error.is_usage() => Exit::Usage,
            Failure::Run(handoff_pipeline::Error::Cancelled(_)) => Exit::Interrupted,
            #[cfg(feature = "demo")]
            Failure::Demo(error) if error.is_missing() => Exit::Usage,
            #[cfg(feature = "demo")]
            Failure::Demo(_) => Exit::Unavailable,
            Failure::Run(_) | Failure::Panic => Exit::Unavailable,
            Failure::Output(_) | Failure::Signals(_) => Exit::Incomplete,
        }
    }
}

/// Prints an error and its causes, one a line:
///
/// ```text
/// etl: `procedurelog` failed while loading
///   caused by: cannot write `procedurelog` (after 1250000 rows)
///   caused by: target: 53100 disk full
/// ```
pub fn chain(program: &str, error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut text = format!("{program}: {said}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some errors repeat their cause.
        if !said.ends_with(&message) {
            text.push_str(&format!("  caused by: {message}\n"));
        }
        (said, cause) = (message, error.source());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_line() {
        let full = io::Error::new(io::ErrorKind::StorageFull, "no space left");
        assert_eq!(
            chain("etl", &Failure::Output(full)),
            "etl: cannot write to standard output\n  caused by: no space left\n"
        );
    }

    #[test]
    fn a_configuration_says_all_its_faults() {
        let error = handoff_settings::Settings::new("x", None, "y").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.exit().code(), 2);
        assert_eq!(
            chain("etl-load", &failure),
            "etl-load: the configuration has 2 faults\n  \
             source.url: the URL does not begin with mysql:// or mariadb://; write \
             mysql://USER@HOST:3306/DATABASE\n  \
             target.url: the URL does not begin with postgres:// or postgresql://; write \
             postgres://USER@HOST:5432/DATABASE\n"
        );
    }

    #[test]
    fn each_failure_ends_with_the_code_of_its_kind() {
        let path = PathBuf::from("handoff.toml");
        assert_eq!(Failure::Exists { path: path.clone() }.exit(), Exit::Usage);
        let variable = "V".to_owned();
        assert_eq!(Failure::Unset { option: "--x", variable }.exit(), Exit::Usage);
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(Failure::Write { path, source }.exit(), Exit::Usage);
        assert_eq!(Failure::Panic.exit(), Exit::Unavailable);
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::Output(pipe).exit(), Exit::Incomplete);
    }
}
