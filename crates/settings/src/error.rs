//! What is wrong with a configuration.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a fault stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In settings made in code.
    Code,
    /// In a file, at a line counted from 1.
    File(Arc<Path>, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Code => f.write_str("code"),
            Place::File(file, line) => write!(f, "{}:{line}", file.display()),
        }
    }
}

/// One fault of a configuration: where it stands, what is wrong, and what mends it.
///
/// Holds no password, whatever was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    place: Place,
    message: String,
}

impl Problem {
    pub(crate) fn new(place: Place, message: impl Into<String>) -> Problem {
        Problem { place, message: message.into() }
    }

    /// Returns the file, or [`None`] for settings made in code.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::Code => None,
            Place::File(file, _) => Some(file),
        }
    }

    /// Returns the line in the file, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match &self.place {
            Place::Code => None,
            Place::File(_, line) => Some(*line),
        }
    }

    /// Returns what is wrong and what mends it, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Code => f.write_str(&self.message),
            place => write!(f, "{place}: {}", self.message),
        }
    }
}

/// Why there are no [`Settings`](crate::Settings).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no configuration file.
    #[error("no configuration file at {}\n{MAKE_ONE}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A configuration file cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The files were read and something in them is wrong.
    #[error("{}", listed(problems))]
    Invalid {
        /// Everything that is wrong, by file and line.
        problems: Vec<Problem>,
    },
}

impl SettingsError {
    /// Returns every fault found in the files, none if they could not be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            SettingsError::Invalid { problems } => problems,
            SettingsError::Missing { .. } | SettingsError::Unreadable { .. } => &[],
        }
    }
}

const MAKE_ONE: &str = r#"  name another with --config PATH, or make this one; it needs no more than

    [source]                    # the application's database, only read
    url = "mysql://USER@HOST:3306/DATABASE"
    password_env = "SOURCE_PASSWORD"

    [replica]                   # optional: a MySQL of your own in between
    url = "mysql://USER@HOST:3306/DATABASE"
    password_env = "REPLICA_PASSWORD"

    [target]
    url = "postgres://USER@HOST:5432/DATABASE"
    password_env = "TARGET_PASSWORD""#;

fn listed(problems: &[Problem]) -> String {
    match problems {
        [one] => one.to_string(),
        many => {
            let lines = many.iter().map(|problem| format!("\n  {problem}")).collect::<String>();
            format!("the configuration has {} faults{lines}", many.len())
        }
    }
}
