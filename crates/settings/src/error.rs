//! The faults of a configuration.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The place of a fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FilePlace {
    /// In settings made in code.
    Code,
    /// In a file, at a line counted from 1.
    File(Arc<Path>, usize),
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilePlace::Code => f.write_str("code"),
            FilePlace::File(file, line) => write!(f, "{}:{line}", file.display()),
        }
    }
}

/// One fault of a configuration: where it stands, what is wrong, and what mends it.
///
/// Holds no password, whatever was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingsProblem {
    place: FilePlace,
    message: String,
}

impl SettingsProblem {
    pub(crate) fn new(place: FilePlace, message: impl Into<String>) -> SettingsProblem {
        SettingsProblem { place, message: message.into() }
    }

    /// Returns the file, or [`None`] for settings made in code.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            FilePlace::Code => None,
            FilePlace::File(file, _) => Some(file),
        }
    }

    /// Returns the line in the file, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match &self.place {
            FilePlace::Code => None,
            FilePlace::File(_, line) => Some(*line),
        }
    }

    /// Returns what is wrong and what mends it, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            FilePlace::Code => f.write_str(&self.message),
            place => write!(f, "{place}: {}", self.message),
        }
    }
}

/// The reason that there are no [`Settings`](crate::Settings).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no configuration file.
    #[error("no configuration file at {}\n{MAKE_ONE}", path.display())]
    Missing {
        /// The path that was tried.
        path: PathBuf,
    },
    /// A configuration file cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The files were read and something in them is wrong.
    #[error("{}", listed(problems))]
    Invalid {
        /// Everything that is wrong, by file and line.
        problems: Vec<SettingsProblem>,
    },
}

impl SettingsError {
    /// Returns every fault found in the files, none if they could not be read.
    pub fn problems(&self) -> &[SettingsProblem] {
        match self {
            SettingsError::Invalid { problems } => problems,
            SettingsError::Missing { .. } | SettingsError::Unreadable { .. } => &[],
        }
    }
}

const MAKE_ONE: &str = r#"  name another with --config PATH, let `etl init mysql://USER@HOST/DATABASE --target postgres://USER@HOST/DATABASE`
  write one from what the source holds, or make this one; it needs no more than

    [source]                    # the application's database, only read
    url = "mysql://USER@HOST:3306/DATABASE"
    password_env = "SOURCE_PASSWORD"

    [replica]                   # optional: a MySQL of your own in between
    url = "mysql://USER@HOST:3306/DATABASE"
    password_env = "REPLICA_PASSWORD"

    [target]
    url = "postgres://USER@HOST:5432/DATABASE"
    password_env = "TARGET_PASSWORD""#;

fn listed(problems: &[SettingsProblem]) -> String {
    match problems {
        [one] => one.to_string(),
        many => {
            let lines = many.iter().map(|problem| format!("\n  {problem}")).collect::<String>();
            format!("the configuration has {} faults{lines}", many.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: usize, message: &str) -> SettingsProblem {
        SettingsProblem::new(FilePlace::File(Path::new("handoff.toml").into(), line), message)
    }

    #[test]
    fn one_fault_is_a_line_and_several_are_counted() {
        let one = SettingsError::Invalid { problems: vec![problem(3, "no jobs")] };
        assert_eq!(one.to_string(), "handoff.toml:3: no jobs");
        let problems = vec![problem(3, "no jobs"), SettingsProblem::new(FilePlace::Code, "no url")];
        let two = SettingsError::Invalid { problems };
        let text = two.to_string();
        assert_eq!(text, "the configuration has 2 faults\n  handoff.toml:3: no jobs\n  no url");
        assert_eq!(two.problems().len(), 2);
    }

    #[test]
    fn a_fault_of_settings_made_in_code_has_no_line() {
        let fault = SettingsProblem::new(FilePlace::Code, "no url");
        assert_eq!((fault.file(), fault.line()), (None, None));
        let written = problem(7, "no jobs");
        assert_eq!((written.file(), written.line()), (Some(Path::new("handoff.toml")), Some(7)));
    }
}
