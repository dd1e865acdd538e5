use std::{io, path::PathBuf};

/// A result whose error is this crate's [`TestbedError`].
pub type Result<T, E = TestbedError> = std::result::Result<T, E>;

/// The reason that a throwaway server, a test's databases or the sample practice could not be had.
///
/// The practice is invented, so unlike everywhere else in this workspace a message of a server may
/// be passed on whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestbedError {
    /// A server's programs are not installed.
    #[error("{server} is not installed ({program} not found); install it with: {install}")]
    NotInstalled {
        /// The server, as people call it.
        server: &'static str,
        /// The program that was looked for.
        program: &'static str,
        /// The one command that mends it.
        install: &'static str,
    },
    /// A server that is fetched on demand cannot be had on this machine today.
    #[error("not available: {0}")]
    NotAvailable(String),
    /// A file or folder of a server could not be made.
    #[error("cannot {action} {}", path.display())]
    Folder {
        /// The operation.
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A program could not be run at all.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A server, or the program that prepares its data folder, gave up.
    #[error("{server} does not start: {problem}\n{log}")]
    Start {
        /// The server, as people call it.
        server: &'static str,
        /// The value that was seen.
        problem: String,
        /// The last lines of its log.
        log: String,
    },
    /// A URL in the environment is of no use.
    #[error("{variable} is no URL of the form {form}")]
    Url {
        /// The variable, or where the URL came from.
        variable: String,
        /// The value that was expected.
        form: &'static str,
    },
    /// MySQL or MariaDB refused something.
    #[error("cannot {action}: {source}")]
    MySql {
        /// The operation.
        action: String,
        /// The driver's error. It has no `source()` of its own, so the message carries it.
        source: Box<mysql::Error>,
    },
    /// PostgreSQL refused something.
    #[error("cannot {action}")]
    Postgres {
        /// The operation.
        action: String,
        /// The driver's error.
        #[source]
        source: Box<postgres::Error>,
    },
}

impl TestbedError {
    /// Returns true if the server is missing on this machine, rather than broken: a test may then
    /// report itself as not run.
    pub fn is_missing(&self) -> bool {
        matches!(self, TestbedError::NotInstalled { .. } | TestbedError::NotAvailable(_))
    }

    /// Returns the message together with those of its causes.
    ///
    /// A driver's error alone often says no more than "db error".
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    pub(crate) fn folder(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> TestbedError {
        let path = path.into();
        move |source| TestbedError::Folder { action, path, source }
    }

    pub(crate) fn mysql(action: impl Into<String>) -> impl FnOnce(mysql::Error) -> TestbedError {
        let action = action.into();
        move |source| TestbedError::MySql { action, source: Box::new(source) }
    }

    pub(crate) fn postgres(
        action: impl Into<String>,
    ) -> impl FnOnce(postgres::Error) -> TestbedError {
        let action = action.into();
        move |source| TestbedError::Postgres { action, source: Box::new(source) }
    }
}
