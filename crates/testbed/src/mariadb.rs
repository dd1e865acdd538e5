use crate::endpoint::{Account, MySqlEndpoint};
use crate::error::Result;
use crate::folder::Folder;
use crate::options::{Durability, ServerOptions};
use crate::private::Private;
use crate::process::{Process, Recipe, free_port, prepare_data, with_free_port};
use crate::{programs, system};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// A private MariaDB server: stopped, and its data removed, when dropped.
pub type MariaDb = Private<MySqlEndpoint>;

const SERVER: &str = "MariaDB";

/// Options that make a test server fast: nothing is flushed, and the redo logs are small since each
/// server writes its own anew. The redo log is not smaller: InnoDB stops for ever where a few rows
/// of 16 MB fill most of it.
const FAST: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-log-file-size=256M",
    "--aria-log-file-size=16M",
    "--aria-checkpoint-log-activity=16M",
];

const DURABLE: &[&str] = &["--innodb-log-file-size=256M"];

impl MariaDb {
    /// Starts a server and waits until it answers (about two seconds).
    ///
    /// # Errors
    ///
    /// Returns [`NotInstalled`](crate::TestbedError::NotInstalled) with the command that mends it, or what the server's log
    /// says.
    pub fn start(options: &ServerOptions) -> Result<MariaDb> {
        with_free_port(|| Self::launch_new(options))
    }

    fn launch_new(options: &ServerOptions) -> Result<MariaDb> {
        let usual = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(PathBuf::from);
        let named = options.programs.as_deref();
        let program = programs::find(SERVER, "mariadbd", named, &usual)?;
        let installer = programs::find(SERVER, "mariadb-install-db", None, &usual)?;

        let user = system::server_user("mysql");
        let folder = Folder::create("mariadb")?;
        let data = folder.subfolder("data", user.as_ref())?;
        let temporary = folder.subfolder("tmp", user.as_ref())?;
        let admin = Account::invent("admin")?;
        let port = free_port()?;
        let recipe = |program: PathBuf, arguments: Vec<OsString>| Recipe {
            server: SERVER,
            program,
            arguments,
            user,
            clean_stop: libc::SIGTERM,
            quick_stop: libc::SIGKILL,
        };
        prepare_data(&recipe(installer, install_arguments(&data, &temporary)), &folder)?;

        let first = folder.file("first.sql", &make_admin(&admin), user.as_ref())?;
        let mut arguments = server_arguments(&data, &temporary, port, options.durability);
        arguments.push(argument("--init-file=", &first));
        arguments.extend(options.arguments.iter().map(OsString::from));
        let endpoint = MySqlEndpoint::local(port, &admin)?;
        Private::launch(Process::new(folder, recipe(program, arguments)), endpoint)
    }

    /// Returns the administrator's URL of a database.
    pub fn url(&self, database: &str) -> String {
        self.endpoint().url(database)
    }

    /// Connects as the administrator.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin(&self) -> Result<mysql::Conn> {
        self.endpoint().admin()
    }
}

fn install_arguments(data: &Path, temporary: &Path) -> Vec<OsString> {
    let mut arguments = vec![
        "--no-defaults".into(),
        argument("--datadir=", data),
        argument("--tmpdir=", temporary),
        "--auth-root-authentication-method=socket".into(),
        "--skip-test-db".into(),
        "--skip-name-resolve".into(),
    ];
    arguments.extend(FAST.iter().map(OsString::from));
    arguments
}

fn server_arguments(
    data: &Path,
    temporary: &Path,
    port: u16,
    durability: Durability,
) -> Vec<OsString> {
    let speed = match durability {
        Durability::Fast => FAST,
        Durability::Durable => DURABLE,
    };
    let mut arguments = vec![
        "--no-defaults".into(),
        argument("--datadir=", data),
        argument("--tmpdir=", temporary),
        format!("--port={port}").into(),
        "--bind-address=127.0.0.1".into(),
        // Relative to the data folder: a long TMPDIR would not fit into a socket's address.
        "--socket=server.sock".into(),
        "--skip-name-resolve".into(),
        "--character-set-server=utf8mb4".into(),
        "--max-connections=500".into(),
        "--max-allowed-packet=64M".into(),
        "--innodb-buffer-pool-size=128M".into(),
        "--key-buffer-size=64M".into(),
        "--local-infile=1".into(),
    ];
    arguments.extend(speed.iter().map(OsString::from));
    arguments
}

pub(crate) fn make_admin(admin: &Account) -> String {
    let Account { user, password } = admin;
    // One statement a line, as an init file wants it; it is read at every start.
    format!(
        "CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL PRIVILEGES ON *.* TO '{user}'@'%' WITH GRANT OPTION;\n"
    )
}

pub(crate) fn argument(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}
