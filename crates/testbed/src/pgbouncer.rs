use crate::error::{Result, TestbedError};
use crate::folder::Folder;
use crate::process::{Process, Recipe, free_port, with_free_port};
use crate::{programs, system};
use std::net::TcpStream;
use std::path::Path;

const SERVER: &str = "PgBouncer";
const PROGRAM: &str = "pgbouncer";
const INSTALL: &str = "apt-get install --no-install-recommends pgbouncer";

/// A private PgBouncer before a PostgreSQL: stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct PgBouncer {
    process: Process,
    url: String,
}

/// The parts of a URL that a pooler is set up with.
struct BouncedServer<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
    database: &'a str,
}

impl PgBouncer {
    /// Starts one that leads to the database and the account of `url`, with these lines of its settings, such as
    /// `pool_mode = session`.
    ///
    /// # Errors
    ///
    /// Returns [`NotInstalled`](crate::TestbedError::NotInstalled) with the command that mends it, or what its log says.
    pub fn before(url: &str, settings: &[&str]) -> Result<PgBouncer> {
        with_free_port(|| PgBouncer::launch(url, settings))
    }

    fn launch(url: &str, settings: &[&str]) -> Result<PgBouncer> {
        let form = "postgres://user:password@host:port/database";
        let target = BouncedServer::parse(url);
        let target =
            target.ok_or_else(|| TestbedError::Url { variable: SERVER.to_owned(), form })?;
        let program = programs::find(SERVER, PROGRAM, None, &["/usr/sbin".into()]);
        let not_installed =
            |_| TestbedError::NotInstalled { server: SERVER, program: PROGRAM, install: INSTALL };
        let program = program.map_err(not_installed)?;
        // It refuses to run as root.
        let user = system::server_user("postgres");
        let folder = Folder::create(PROGRAM)?;
        let port = free_port()?;
        let users = folder.file("users", &target.account(), user.as_ref())?;
        let lines = target.settings(port, &users, settings);
        let file = folder.file("pgbouncer.ini", &lines, user.as_ref())?;
        let recipe = Recipe {
            server: SERVER,
            program,
            arguments: vec![file.into_os_string()],
            user,
            clean_stop: libc::SIGTERM,
            quick_stop: libc::SIGTERM,
        };
        let server = format!("{}:{}", target.host, target.port);
        let url = url.replacen(&server, &format!("127.0.0.1:{port}"), 1);
        let process = Process::new(folder, recipe);
        process.start(|| {
            let reached = TcpStream::connect(("127.0.0.1", port));
            reached.map(drop).map_err(TestbedError::folder("reach a port of", "127.0.0.1"))
        })?;
        Ok(PgBouncer { process, url })
    }

    /// Returns the URL that goes through it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns its log.
    pub fn log_path(&self) -> &Path {
        self.process.log_path()
    }
}

impl<'a> BouncedServer<'a> {
    fn parse(url: &'a str) -> Option<BouncedServer<'a>> {
        let (login, place) = url.split_once("://")?.1.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (server, database) = place.split_once('/')?;
        let (host, port) = server.rsplit_once(':')?;
        Some(BouncedServer { user, password, host, port, database })
    }

    fn account(&self) -> String {
        format!("\"{}\" \"{}\"\n", self.user, self.password)
    }

    fn settings(&self, port: u16, users: &Path, settings: &[&str]) -> String {
        format!(
            "[databases]\n{} = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n{}\n",
            self.database,
            self.host,
            self.port,
            users.display(),
            settings.join("\n")
        )
    }
}
