use crate::endpoint::{Account, PgEndpoint};
use crate::error::Result;
use crate::folder::Folder;
use crate::mariadb::argument;
use crate::options::{Durability, ServerOptions};
use crate::private::Private;
use crate::process::{Process, Recipe, free_port, prepare_data, with_free_port};
use crate::{fetched, programs, system};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// A private PostgreSQL server: stopped, and its data removed, when dropped.
pub type Postgres = Private<PgEndpoint>;

/// Says that PostgreSQL 18 can't be had, and why, so that not every test tries anew.
pub const NO_POSTGRES18: &str = "HANDOFF_TEST_NO_POSTGRES18";

const SERVER: &str = "PostgreSQL";

const FAST: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "shared_preload_libraries=pg_stat_statements",
    // Tests that share a server run more statements than the 5,000 that are kept, and read their own.
    "pg_stat_statements.max=50000",
    "timezone=UTC",
    "logging_collector=off",
];

impl Postgres {
    /// Starts a server and waits until it answers (about two seconds).
    ///
    /// # Errors
    ///
    /// Returns [`NotInstalled`](crate::TestbedError::NotInstalled) with the command that mends it, or what
    /// the server's log says.
    pub fn start(options: &ServerOptions) -> Result<Postgres> {
        let server = with_free_port(|| Self::launch_new(options))?;
        let mut client = server.admin()?;
        // In template1 as well as here would not do: databases are made from template0.
        client
            .batch_execute("CREATE EXTENSION pg_stat_statements")
            .map_err(crate::error::TestbedError::postgres("add pg_stat_statements"))?;
        Ok(server)
    }

    /// Starts PostgreSQL 18, whose programs `scripts/pg18.sh` fetches once.
    ///
    /// # Errors
    ///
    /// Returns [`NotAvailable`](crate::TestbedError::NotAvailable) with the reason if they can't be had on
    /// this machine; a test then reports itself as not run.
    pub fn start_18(options: &ServerOptions) -> Result<Postgres> {
        let programs = fetched::programs("PostgreSQL 18", "pg18.sh", NO_POSTGRES18)?;
        Postgres::start(&ServerOptions { programs: Some(programs), ..options.clone() })
    }

    fn launch_new(options: &ServerOptions) -> Result<Postgres> {
        let usual = programs::postgres_folders();
        let named = options.programs.as_deref();
        let program = programs::find(SERVER, "postgres", named, &usual)?;
        let installer = programs::find(SERVER, "initdb", named, &usual)?;

        let user = system::server_user("postgres");
        let folder = Folder::create("postgres")?;
        let data = folder.subfolder("data", user.as_ref())?;
        let admin = Account::invent("postgres")?;
        let port = free_port()?;
        let recipe = |program: PathBuf, arguments: Vec<OsString>| Recipe {
            server: SERVER,
            program,
            arguments,
            user,
            clean_stop: libc::SIGINT,
            // The immediate shutdown, which also removes the shared memory.
            quick_stop: libc::SIGQUIT,
        };
        let password = folder.file("password", &admin.password, user.as_ref())?;
        prepare_data(&recipe(installer, install_arguments(&data, &password)), &folder)?;

        let mut arguments = server_arguments(&data, port, options.durability);
        arguments.extend(options.arguments.iter().map(OsString::from));
        let endpoint = PgEndpoint::local(port, &admin)?;
        Private::launch(Process::new(folder, recipe(program, arguments)), endpoint)
    }

    /// Returns the administrator's URL of a database.
    pub fn url(&self, database: &str) -> String {
        self.endpoint().url(database)
    }

    /// Connects as the administrator, to the database `postgres`.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin(&self) -> Result<postgres::Client> {
        self.endpoint().admin()
    }
}

fn install_arguments(data: &Path, password: &Path) -> Vec<OsString> {
    vec![
        argument("--pgdata=", data),
        argument("--pwfile=", password),
        "--username=postgres".into(),
        "--auth=scram-sha-256".into(),
        "--encoding=UTF8".into(),
        "--locale=C".into(),
        "--no-sync".into(),
    ]
}

fn server_arguments(data: &Path, port: u16, durability: Durability) -> Vec<OsString> {
    let fast = match durability {
        Durability::Fast => FAST,
        Durability::Durable => &[],
    };
    let port = format!("port={port}");
    let settings = SETTINGS.iter().chain(fast).copied().chain([port.as_str()]);
    let mut arguments = vec!["-D".into(), data.into()];
    arguments.extend(settings.flat_map(|setting| ["-c".into(), setting.into()]));
    arguments
}
