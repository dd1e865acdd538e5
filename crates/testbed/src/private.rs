//! A private server: what one can do with it, whatever its kind.

use crate::endpoint::{MySqlEndpoint, PgEndpoint};
use crate::error::Result;
use crate::process::Process;
use std::path::Path;

/// A private server: stopped, and its data removed, when dropped.
#[derive(Debug)]
pub struct Private<E> {
    process: Process,
    endpoint: E,
}

/// The address of a server.
pub trait Answers {
    /// Connects as the administrator, to see whether it does.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    fn probe(&self) -> Result<()>;
}

impl Answers for MySqlEndpoint {
    fn probe(&self) -> Result<()> {
        self.admin().map(drop)
    }
}

impl Answers for PgEndpoint {
    fn probe(&self) -> Result<()> {
        self.admin().map(drop)
    }
}

impl<E: Answers> Private<E> {
    /// Starts a server and waits until it answers.
    pub(crate) fn launch(process: Process, endpoint: E) -> Result<Private<E>> {
        let server = Private { process, endpoint };
        server.wait()?;
        Ok(server)
    }

    fn wait(&self) -> Result<()> {
        self.process.start(|| self.endpoint.probe())
    }

    /// Shuts the server down, if it runs, and starts it again with the same data and port.
    ///
    /// # Errors
    ///
    /// Returns what the server's log says.
    pub fn restart(&self) -> Result<()> {
        self.process.stop();
        self.wait()
    }
}

impl<E> Private<E> {
    /// Returns where the server answers.
    pub fn endpoint(&self) -> &E {
        &self.endpoint
    }

    /// Shuts the server down and keeps its data.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Kills the server and every process of it as a power cut would; [`restart`](Self::restart)
    /// brings it back.
    pub fn kill9(&self) {
        self.process.kill9();
    }

    /// Returns the server's process id, if it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Returns the server's log.
    pub fn log_path(&self) -> &Path {
        self.process.log_path()
    }

    /// Returns the folder that holds everything of this server.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }
}
