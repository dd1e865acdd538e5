use crate::endpoint::{Account, MySqlEndpoint};
use crate::error::Result;
use crate::fetched;
use crate::folder::Folder;
use crate::mariadb::{argument, make_admin};
use crate::options::{Durability, ServerOptions};
use crate::process::{Process, Recipe, free_port, prepare_data, with_free_port};
use std::{env, ffi::OsString, path::Path};

/// A URL of a MySQL 9 administrator, to use that server instead of a fetched one.
pub const MYSQL9_URL: &str = "HANDOFF_TEST_MYSQL9_URL";

/// Says that MySQL 9 can't be had, and why: set by `scripts/test`, so that not every test tries anew.
pub const NO_MYSQL9: &str = "HANDOFF_TEST_NO_MYSQL9";

const SERVER: &str = "MySQL 9";

const FAST: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=OFF",
    "--innodb-redo-log-capacity=256M",
];

const DURABLE: &[&str] = &["--innodb-redo-log-capacity=512M"];

/// A real MySQL 9 server, fetched once by `scripts/mysql9.sh`: stopped, and its data removed, when
/// dropped.
#[derive(Debug)]
pub struct MySql9 {
    process: Option<Process>,
    endpoint: MySqlEndpoint,
}

impl MySql9 {
    /// Fetches the programs if they aren't there yet, starts a server and waits until it answers;
    /// or takes the server that `HANDOFF_TEST_MYSQL9_URL` names.
    ///
    /// # Errors
    ///
    /// Returns [`NotAvailable`](crate::TestbedError::NotAvailable) with the reason if the programs can't be had on this
    /// machine; a test then reports itself as not run.
    pub fn start(options: &ServerOptions) -> Result<MySql9> {
        if let Ok(url) = env::var(MYSQL9_URL) {
            let endpoint = MySqlEndpoint::from_url(MYSQL9_URL, &url)?;
            return Ok(MySql9 { process: None, endpoint });
        }
        let root = match &options.programs {
            Some(root) => root.clone(),
            None => fetched::programs("MySQL 9", "mysql9.sh", NO_MYSQL9)?,
        };
        with_free_port(|| {
            let server = Self::prepare(&root, options)?;
            server.wait()?;
            Ok(server)
        })
    }

    fn prepare(root: &Path, options: &ServerOptions) -> Result<MySql9> {
        let folder = Folder::create("mysql9")?;
        let data = folder.subfolder("data", None)?;
        let temporary = folder.subfolder("tmp", None)?;
        let admin = Account::invent("admin")?;
        let port = free_port()?;

        let mut common = common_arguments(root, &data, &temporary);
        let speed = match options.durability {
            Durability::Fast => FAST,
            Durability::Durable => DURABLE,
        };
        common.extend(speed.iter().map(OsString::from));
        let mut first_start = common.clone();
        first_start.push("--initialize-insecure".into());
        // What the data is made for cannot be changed later (lower_case_table_names).
        first_start.extend(options.arguments.iter().map(OsString::from));
        prepare_data(&recipe(root, first_start), &folder)?;

        let first = folder.file("first.sql", &make_admin(&admin), None)?;
        common.extend([
            format!("--port={port}").into(),
            "--bind-address=127.0.0.1".into(),
            "--socket=server.sock".into(),
            "--mysqlx=OFF".into(),
            "--skip-name-resolve".into(),
            "--skip-log-bin".into(),
            "--max-connections=500".into(),
            "--max-allowed-packet=64M".into(),
            "--local-infile=ON".into(),
            argument("--init-file=", &first),
        ]);
        common.extend(options.arguments.iter().map(OsString::from));
        let endpoint = MySqlEndpoint::local(port, &admin)?;
        Ok(MySql9 { process: Some(Process::new(folder, recipe(root, common))), endpoint })
    }

    fn wait(&self) -> Result<()> {
        match &self.process {
            Some(process) => process.start(|| self.endpoint.admin().map(drop)),
            None => Ok(()),
        }
    }

    /// Returns where the server answers.
    pub fn endpoint(&self) -> &MySqlEndpoint {
        &self.endpoint
    }

    /// Returns the administrator's URL of a database.
    pub fn url(&self, database: &str) -> String {
        self.endpoint.url(database)
    }

    /// Connects as the administrator.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin(&self) -> Result<mysql::Conn> {
        self.endpoint.admin()
    }

    /// Shuts the server down and starts it again with the same data and port. Does nothing to a
    /// server that somebody else runs.
    ///
    /// # Errors
    ///
    /// Returns what the server's log says.
    pub fn restart(&self) -> Result<()> {
        let Some(process) = &self.process else { return Ok(()) };
        process.stop();
        self.wait()
    }

    /// Kills the server as a power cut would, if it is ours.
    pub fn kill9(&self) {
        if let Some(process) = &self.process {
            process.kill9();
        }
    }

    /// Returns the server's process id, if it is ours and runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::pid)
    }

    /// Returns the server's log, if it is ours.
    pub fn log_path(&self) -> Option<&Path> {
        self.process.as_ref().map(Process::log_path)
    }

    /// Returns the folder that holds everything of this server, if it is ours.
    pub fn folder(&self) -> Option<&Path> {
        self.process.as_ref().map(Process::folder)
    }
}

/// The programs need a newer C library than the host's, so their own loader starts them.
fn recipe(root: &Path, arguments: Vec<OsString>) -> Recipe {
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let program = root.join("usr/sbin/mysqld");
    let loader = libraries.join("ld-linux-x86-64.so.2");
    let mut all = vec!["--library-path".into(), libraries.into()];
    all.extend(["--argv0".into(), program.clone().into(), program.into()]);
    all.extend(arguments);
    Recipe {
        server: SERVER,
        program: loader,
        arguments: all,
        user: None,
        clean_stop: libc::SIGTERM,
        quick_stop: libc::SIGKILL,
    }
}

fn common_arguments(root: &Path, data: &Path, temporary: &Path) -> Vec<OsString> {
    let mut arguments = vec![
        "--no-defaults".into(),
        argument("--basedir=", &root.join("usr")),
        argument("--lc-messages-dir=", &root.join("usr/share/mysql")),
        argument("--character-sets-dir=", &root.join("usr/share/mysql/charsets")),
        argument("--plugin-dir=", &root.join("usr/lib/mysql/plugin")),
        argument("--datadir=", data),
        argument("--tmpdir=", temporary),
        "--secure-file-priv=".into(),
        "--innodb-buffer-pool-size=128M".into(),
    ];
    if crate::system::is_root() {
        // MySQL asks for it in so many words.
        arguments.push("--user=root".into());
    }
    arguments
}
