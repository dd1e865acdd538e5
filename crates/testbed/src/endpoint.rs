//! The address of a server, and the accounts that a run uses there.

use crate::error::{Result, TestbedError};
use crate::system;
use mysql::prelude::Queryable;
use std::fmt;

/// A name and its password.
#[derive(Clone)]
pub struct Account {
    /// The user or role.
    pub user: String,
    /// Its password: hexadecimal digits where it is ours, so safe in any URL or statement.
    pub password: String,
}

impl Account {
    pub(crate) fn invent(user: &str) -> Result<Account> {
        let password =
            system::random_hex(12).map_err(TestbedError::folder("read", "/dev/urandom"))?;
        Ok(Account { user: user.to_owned(), password })
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The parts of a URL around the database's name.
#[derive(Clone)]
struct Address {
    scheme: &'static str,
    /// `user:password`, encoded as in the URL.
    login: String,
    host: String,
    query: String,
}

impl Address {
    fn local(scheme: &'static str, port: u16, admin: &Account) -> Address {
        let login = format!("{}:{}", admin.user, admin.password);
        Address { scheme, login, host: format!("127.0.0.1:{port}"), query: String::new() }
    }

    fn parse(url: &str, schemes: &[&str], scheme: &'static str) -> Option<Address> {
        let (found, rest) = url.split_once("://")?;
        if !schemes.contains(&found) {
            return None;
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, format!("?{query}")),
            None => (rest, String::new()),
        };
        let authority = rest.split('/').next()?;
        let (login, host) = authority.rsplit_once('@')?;
        Some(Address { scheme, login: login.to_owned(), host: host.to_owned(), query })
    }

    fn url(&self, database: &str) -> String {
        let Address { scheme, login, host, query } = self;
        format!("{scheme}://{login}@{host}/{database}{query}")
    }

    fn with(&self, account: &Account) -> Address {
        Address { login: format!("{}:{}", account.user, account.password), ..self.clone() }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)
    }
}

/// Accounts that a run uses; `None` where the administrator's own account has to do.
#[derive(Debug, Clone)]
struct Accounts {
    reader: Account,
    etl: Account,
}

/// A MariaDB or MySQL server that we may administer.
#[derive(Debug, Clone)]
pub struct MySqlEndpoint {
    address: Address,
    accounts: Option<Accounts>,
}

impl MySqlEndpoint {
    pub(crate) fn local(port: u16, admin: &Account) -> Result<MySqlEndpoint> {
        let accounts =
            Accounts { reader: Account::invent("reader")?, etl: Account::invent("etl")? };
        Ok(MySqlEndpoint {
            address: Address::local("mysql", port, admin),
            accounts: Some(accounts),
        })
    }

    /// Takes a server that somebody else runs, by a URL with an administrator's name and password.
    ///
    /// Its accounts are left alone: [`reader_url`](Self::reader_url) and
    /// [`etl_url`](Self::etl_url) are the administrator's.
    ///
    /// # Errors
    ///
    /// `variable`, which names where the URL came from, is part of the error about a useless one.
    pub fn from_url(variable: &str, url: &str) -> Result<MySqlEndpoint> {
        let form = "mysql://user:password@host:port/";
        let address = Address::parse(url, &["mysql", "mariadb"], "mysql")
            .ok_or_else(|| TestbedError::Url { variable: variable.to_owned(), form })?;
        Ok(MySqlEndpoint { address, accounts: None })
    }

    /// Returns the administrator's URL of a database (`""`: of none).
    pub fn url(&self, database: &str) -> String {
        self.address.url(database)
    }

    /// Returns the URL under which another account reaches a database.
    pub fn url_as(&self, account: &Account, database: &str) -> String {
        self.address.with(account).url(database)
    }

    /// Returns the URL of the read-only account that [`allow`](Self::allow) made.
    pub fn reader_url(&self, database: &str) -> String {
        self.accounts
            .as_ref()
            .map_or_else(|| self.url(database), |a| self.url_as(&a.reader, database))
    }

    /// Returns the URL of the writing account that [`allow`](Self::allow) made.
    pub fn etl_url(&self, database: &str) -> String {
        self.accounts.as_ref().map_or_else(|| self.url(database), |a| self.url_as(&a.etl, database))
    }

    /// Connects as the administrator, to no database.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin(&self) -> Result<mysql::Conn> {
        connect(&self.url(""))
    }

    /// Connects as the administrator, to a database.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin_in(&self, database: &str) -> Result<mysql::Conn> {
        connect(&self.url(database))
    }

    /// Makes an empty database (utf8mb4); one of that name is dropped first.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn create_database(&self, database: &str) -> Result<()> {
        let name = quoted(database);
        self.administer(
            "make a database",
            &[
                format!("DROP DATABASE IF EXISTS {name}"),
                format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
            ],
        )
    }

    /// Drops a database, if it is there.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn drop_database(&self, database: &str) -> Result<()> {
        self.administer(
            "drop a database",
            &[format!("DROP DATABASE IF EXISTS {}", quoted(database))],
        )
    }

    /// Makes the accounts of a run and lets `reader` read and `etl` do everything in a database.
    /// Does nothing on a server that somebody else runs.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn allow(&self, database: &str) -> Result<()> {
        let Some(Accounts { reader, etl }) = &self.accounts else { return Ok(()) };
        self.create_account(reader, "SELECT, SHOW VIEW", database)?;
        self.create_account(etl, "ALL PRIVILEGES", database)
    }

    /// Makes an account, unless it is there, and grants it `privileges` on a database.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn create_account(
        &self,
        account: &Account,
        privileges: &str,
        database: &str,
    ) -> Result<()> {
        let Account { user, password } = account;
        // In a GRANT the database is a pattern.
        let pattern = quoted(&database.replace('_', "\\_"));
        self.administer(
            "make an account",
            &[
                format!("CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{password}'"),
                format!("GRANT {privileges} ON {pattern}.* TO '{user}'@'%'"),
            ],
        )
    }

    fn administer(&self, action: &str, statements: &[String]) -> Result<()> {
        let mut conn = self.admin()?;
        statements
            .iter()
            .try_for_each(|sql| conn.query_drop(sql).map_err(TestbedError::mysql(action)))
    }
}

/// A PostgreSQL server that we may administer.
#[derive(Debug, Clone)]
pub struct PgEndpoint {
    address: Address,
    etl: Option<Account>,
}

impl PgEndpoint {
    pub(crate) fn local(port: u16, admin: &Account) -> Result<PgEndpoint> {
        let etl = Account::invent("etl")?;
        Ok(PgEndpoint { address: Address::local("postgres", port, admin), etl: Some(etl) })
    }

    /// Takes a server that somebody else runs, by a URL with a superuser's name and password.
    ///
    /// # Errors
    ///
    /// `variable`, which names where the URL came from, is part of the error about a useless one.
    pub fn from_url(variable: &str, url: &str) -> Result<PgEndpoint> {
        let form = "postgres://user:password@host:port/";
        let address = Address::parse(url, &["postgres", "postgresql"], "postgres")
            .ok_or_else(|| TestbedError::Url { variable: variable.to_owned(), form })?;
        Ok(PgEndpoint { address, etl: None })
    }

    /// Returns the administrator's URL of a database.
    pub fn url(&self, database: &str) -> String {
        self.address.url(database)
    }

    /// Returns the URL under which another role reaches a database.
    pub fn url_as(&self, account: &Account, database: &str) -> String {
        self.address.with(account).url(database)
    }

    /// Returns the URL of the role `etl`, which owns the databases made here.
    pub fn etl_url(&self, database: &str) -> String {
        self.etl.as_ref().map_or_else(|| self.url(database), |etl| self.url_as(etl, database))
    }

    /// Connects as the administrator, to the database `postgres`.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin(&self) -> Result<postgres::Client> {
        self.admin_in("postgres")
    }

    /// Connects as the administrator, to a database.
    ///
    /// # Errors
    ///
    /// Returns what the driver said.
    pub fn admin_in(&self, database: &str) -> Result<postgres::Client> {
        postgres::Client::connect(&self.url(database), postgres::NoTls)
            .map_err(TestbedError::postgres("connect to PostgreSQL"))
    }

    /// Makes an empty database (UTF8, collation C, `pg_stat_statements`) that the role `etl` owns;
    /// one of that name is dropped first.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn create_database(&self, database: &str) -> Result<()> {
        let mut client = self.admin()?;
        let name = quoted_pg(database);
        let owner = self.etl.as_ref().map_or_else(String::new, |etl| format!("OWNER {}", etl.user));
        let mut run = |sql: &str| {
            client.batch_execute(sql).map_err(TestbedError::postgres("make a database"))
        };
        if let Some(Account { user, password }) = &self.etl {
            // Two tests may get here together; whoever is second finds the role there.
            run(&format!(
                "DO $$ BEGIN CREATE ROLE {user} LOGIN PASSWORD '{password}'; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            ))?;
        }
        run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        run(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' \
             LC_COLLATE 'C' LC_CTYPE 'C' {owner}"
        ))
    }

    /// Drops a database, if it is there, whoever is connected to it.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn drop_database(&self, database: &str) -> Result<()> {
        self.admin()?
            .batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted_pg(database)))
            .map_err(TestbedError::postgres("drop a database"))
    }
}

fn connect(url: &str) -> Result<mysql::Conn> {
    let opts = mysql::Opts::from_url(url)
        .map_err(|error| TestbedError::mysql("read a URL")(mysql::Error::UrlError(error)))?;
    mysql::Conn::new(opts).map_err(TestbedError::mysql("connect to MySQL"))
}

/// Quotes a name for MySQL.
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Quotes a name for PostgreSQL.
pub fn quoted_pg(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
