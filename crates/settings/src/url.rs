//! Taking server URLs apart.

use crate::secret::Secret;
use crate::server::{MySqlServer, PgServer, RequireAuth, TlsSettings};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::net::Ipv6Addr;
use url::Url;

/// The reason that a server's URL cannot be used, and the fix. Holds nothing of the URL but the
/// names of its parameters, since a URL may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The URL begins with another scheme, or with none.
    #[error("the URL does not begin with {}; write {example}", .schemes.join(" or "))]
    Scheme {
        /// The schemes that would do.
        schemes: &'static [&'static str],
        /// An example of a whole URL.
        example: &'static str,
    },
    /// The URL holds white space or a control character.
    #[error("white space in the URL; write a space as %20")]
    Space,
    /// The host cannot be told from the rest, or the port is no number.
    #[error(
        "the host or port in the URL cannot be read; in user and password write / as %2F, ? as \
         %3F, # as %23, : as %3A, @ as %40 and % as %25, or name the password with password_env"
    )]
    Malformed,
    /// The URL names no host.
    #[error("no host in the URL; write it after the @, as in {example}")]
    Host {
        /// An example of a whole URL.
        example: &'static str,
    },
    /// The URL names no account.
    #[error("no user in the URL; write it before the host, as in {example}")]
    User {
        /// An example of a whole URL.
        example: &'static str,
    },
    /// The URL names no database.
    #[error("no database in the URL; end it with one, as in {example}")]
    Database {
        /// An example of a whole URL.
        example: &'static str,
    },
    /// More than the name of a database follows the host.
    #[error(
        "more than a database after the host in the URL; write / as %2F, @ as %40 and # as %23 \
         where they belong to a name or password"
    )]
    Path,
    /// The URL carries parameters.
    #[error("the URL has the parameter {}; {}", backticked(names), parameter_fix(names))]
    Parameters {
        /// Their names, without the values.
        names: Vec<String>,
    },
    /// Something percent-encoded is not UTF-8, or holds a NUL.
    #[error("the %-encoded bytes of the URL are no text; write each byte of its UTF-8 as %XX")]
    Encoding,
}

const MYSQL_EXAMPLE: &str = "mysql://USER@HOST:3306/DATABASE";
const POSTGRES_EXAMPLE: &str = "postgres://USER@HOST:5432/DATABASE";

impl MySqlServer {
    /// Reads a URL such as `mysql://USER:PASSWORD@HOST:3306/DATABASE`, with `mariadb://` as well.
    ///
    /// User, password and database may be percent-encoded; the port is 3306 unless given. TLS is
    /// the default, `prefer`.
    ///
    /// # Errors
    ///
    /// Returns [`UrlError`] if the URL is anything else.
    pub fn from_url(url: &str) -> Result<MySqlServer, UrlError> {
        let parts = UrlParts::parse(url, &["mysql://", "mariadb://"], MYSQL_EXAMPLE)?;
        Ok(MySqlServer {
            host: parts.host,
            port: parts.port.unwrap_or(3306),
            user: parts.user,
            password: parts.password,
            database: parts.database,
            tls: TlsSettings::default(),
            public_key: None,
        })
    }
}

impl PgServer {
    /// Reads a URL such as `postgres://USER:PASSWORD@HOST:5432/DATABASE`, with `postgresql://` as
    /// well.
    ///
    /// User, password, host and database may be percent-encoded, so that `%2Frun%2Fpostgresql`
    /// is a host that is the folder of a Unix socket. The port is 5432 unless given. TLS is the
    /// default, `prefer`.
    ///
    /// # Errors
    ///
    /// Returns [`UrlError`] if the URL is anything else.
    pub fn from_url(url: &str) -> Result<PgServer, UrlError> {
        let parts = UrlParts::parse(url, &["postgres://", "postgresql://"], POSTGRES_EXAMPLE)?;
        Ok(PgServer {
            host: parts.host,
            port: parts.port.unwrap_or(5432),
            user: parts.user,
            password: parts.password,
            database: parts.database,
            tls: TlsSettings::default(),
            require_auth: RequireAuth::default(),
        })
    }
}

impl MySqlServer {
    /// Writes its URL, which never holds the password.
    pub fn url(&self) -> String {
        url("mysql", &self.user, &self.host, self.port, &self.database)
    }
}

impl PgServer {
    /// Writes its URL, which never holds the password.
    pub fn url(&self) -> String {
        url("postgres", &self.user, &self.host, self.port, &self.database)
    }
}

fn url(scheme: &str, user: &str, host: &str, port: u16, database: &str) -> String {
    let host = match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => encoded(host),
    };
    format!("{scheme}://{}@{host}:{port}/{}", encoded(user), encoded(database))
}

/// Writes everything as %XX that could mean something else in a URL, or in the settings.
fn encoded(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

/// The parts that URLs of both kinds have.
struct UrlParts {
    host: String,
    port: Option<u16>,
    user: String,
    password: Secret,
    database: String,
}

impl UrlParts {
    fn parse(
        text: &str,
        schemes: &'static [&'static str],
        example: &'static str,
    ) -> Result<UrlParts, UrlError> {
        if !schemes.iter().any(|scheme| has_scheme(text, scheme)) {
            return Err(UrlError::Scheme { schemes, example });
        }
        // `Url::parse` would leave line breaks and tabs out without a word.
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(UrlError::Space);
        }
        let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
        refuse_parameters(&url)?;
        Ok(UrlParts {
            host: host(&url, example)?,
            port: port(&url)?,
            user: non_empty(decoded(url.username())?, UrlError::User { example })?,
            password: Secret::new(decoded(url.password().unwrap_or_default())?),
            database: database(&url, example)?,
        })
    }
}

fn host(url: &Url, example: &'static str) -> Result<String, UrlError> {
    let host = url.host_str().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    non_empty(decoded(bare)?, UrlError::Host { example })
}

fn port(url: &Url) -> Result<Option<u16>, UrlError> {
    if url.port() == Some(0) { Err(UrlError::Malformed) } else { Ok(url.port()) }
}

fn database(url: &Url, example: &'static str) -> Result<String, UrlError> {
    let path = url.path().strip_prefix('/').unwrap_or_default();
    if url.fragment().is_some() || path.contains(['/', '@']) {
        return Err(UrlError::Path);
    }
    non_empty(decoded(path)?, UrlError::Database { example })
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

fn refuse_parameters(url: &Url) -> Result<(), UrlError> {
    let query = url.query().unwrap_or_default();
    if query.is_empty() {
        return Ok(());
    }
    // A `?` in a password that was not encoded lands here, and its text must not be shown.
    let names = query.split('&').map(|pair| pair.split_once('=').map(|(name, _)| name));
    match names.collect::<Option<Vec<_>>>() {
        Some(names) if names.iter().all(|name| is_plain(name)) && !query.contains('@') => {
            Err(UrlError::Parameters { names: names.into_iter().map(str::to_owned).collect() })
        }
        _ => Err(UrlError::Malformed),
    }
}

fn decoded(text: &str) -> Result<String, UrlError> {
    let bytes = text.as_bytes();
    let whole_escapes = bytes.iter().enumerate().filter(|(_, b)| **b == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    let text = percent_decode_str(text).decode_utf8().map_err(|_| UrlError::Encoding)?;
    if !whole_escapes || text.contains('\0') {
        return Err(UrlError::Encoding);
    }
    Ok(text.into_owned())
}

fn non_empty(text: String, error: UrlError) -> Result<String, UrlError> {
    if text.is_empty() { Err(error) } else { Ok(text) }
}

fn backticked(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn parameter_fix(names: &[String]) -> &'static str {
    let named = |word: &str| names.iter().any(|name| name.to_ascii_lowercase().contains(word));
    if named("ssl") || named("tls") {
        "leave it out and write the keys tls and tls_ca beside the URL"
    } else if named("host") {
        "leave it out and write the folder of the socket as the host, with %2F for /"
    } else if named("user") || named("password") {
        "leave it out and write the account before the host, the password with password_env"
    } else {
        "leave it out, parameters are not taken"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mysql(url: &str, expected: (&str, u16, &str, &str, &str)) {
        let server = MySqlServer::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let MySqlServer { host, port, user, password, database, .. } = &server;
        assert_eq!((&**host, *port, &**user, password.expose(), &**database), expected, "{url}");
    }

    #[track_caller]
    fn fails(url: &str, expected: &str) {
        let mysql = MySqlServer::from_url(url).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(mysql, Err(expected.to_owned()), "{url}");
    }

    #[test]
    fn urls_are_taken_apart() {
        mysql("mysql://etl@db/app", ("db", 3306, "etl", "", "app"));
        mysql("mariadb://etl:pw@db:3307/app", ("db", 3307, "etl", "pw", "app"));
        mysql("MySQL://etl@DB.example/app", ("DB.example", 3306, "etl", "", "app"));
        mysql("mysql://etl@[::1]:3307/app", ("::1", 3307, "etl", "", "app"));
        mysql("mysql://etl@127.0.0.1/app", ("127.0.0.1", 3306, "etl", "", "app"));
        mysql("mysql://e%40l:p%2F%3F%23%25@db/a%20b", ("db", 3306, "e@l", "p/?#%", "a b"));
        mysql("mysql://etl:p@ss@db/app", ("db", 3306, "etl", "p@ss", "app"));
        mysql("mysql://j%C3%BCrgen@db/app?", ("db", 3306, "jürgen", "", "app"));
    }

    #[test]
    fn a_url_is_written_without_its_password() {
        for (given, written) in [
            ("mariadb://etl:pw@DB.example/app", "mysql://etl@DB.example:3306/app"),
            ("mysql://etl:pw@[::1]:3307/app", "mysql://etl@[::1]:3307/app"),
            ("mysql://e%40l:p%2F@db/a%20b%24%7BX%7D", "mysql://e%40l@db:3306/a%20b%24%7BX%7D"),
            ("mysql://j%C3%BCrgen@db/app", "mysql://j%C3%BCrgen@db:3306/app"),
        ] {
            let server = MySqlServer::from_url(given).unwrap();
            assert_eq!(server.url(), written);
            let again = MySqlServer::from_url(written).unwrap();
            assert_eq!(again, MySqlServer { password: Secret::default(), ..server });
        }
        let server = PgServer::from_url("postgresql://etl:pw@%2Frun%2Fpostgresql/raw").unwrap();
        assert_eq!(server.url(), "postgres://etl@%2Frun%2Fpostgresql:5432/raw");
    }

    #[test]
    fn a_postgres_host_may_be_a_folder() {
        let server = PgServer::from_url("postgresql://etl@%2Frun%2Fpostgresql/raw").unwrap();
        assert_eq!((&*server.host, server.port), ("/run/postgresql", 5432));
    }

    #[test]
    fn each_fault_says_what_mends_it() {
        let scheme = "the URL does not begin with mysql:// or mariadb://; \
                      write mysql://USER@HOST:3306/DATABASE";
        fails("postgres://etl@db/app", scheme);
        fails("etl:secret@db/app", scheme);
        fails("mysql:etl@db/app", scheme);
        fails("", scheme);
        fails("mysql://etl@db/my app", "white space in the URL; write a space as %20");
        fails(
            "mysql:///app",
            "no host in the URL; write it after the @, as in mysql://USER@HOST:3306/DATABASE",
        );
        fails(
            "mysql://db/app",
            "no user in the URL; write it before the host, as in mysql://USER@HOST:3306/DATABASE",
        );
        let database = "no database in the URL; end it with one, as in \
                        mysql://USER@HOST:3306/DATABASE";
        fails("mysql://etl@db", database);
        fails("mysql://etl@db:3306/", database);
        fails(
            "mysql://etl@db/app?ssl-mode=REQUIRED",
            "the URL has the parameter `ssl-mode`; leave it out and write the keys tls and tls_ca \
             beside the URL",
        );
        fails(
            "mysql://etl@db/app?charset=latin1",
            "the URL has the parameter `charset`; leave it out, parameters are not taken",
        );
        fails(
            "mysql://etl:%ff@db/app",
            "the %-encoded bytes of the URL are no text; write each byte of its UTF-8 as %XX",
        );
        fails(
            "mysql://etl:100%@db/app",
            "the %-encoded bytes of the URL are no text; write each byte of its UTF-8 as %XX",
        );
    }

    #[test]
    fn no_error_shows_a_password() {
        for url in [
            "mysql://etl:S3cret/x@db/app",
            "mysql://etl:S3cret?x@db/app",
            "mysql://etl:S3cret?x=S3cret@db/app",
            "mysql://etl:S3cret#x@db/app",
            "mysql://etl:33/S3cret@db/app",
            "mysql://etl:33?S3cret@db/app",
            "mysql://etl:33?S3cret=1@db/app",
            "mysql://etl:33#S3cret@db/app",
            "mysql://etl:S3cret@db:port/app",
            "mysql://etl:S3cret@db:0/app",
            "mysql://etl:S3cret@/app",
            "mysql://etl:S3cret@[::1/app",
            "mysql://etl:S3cret@db/app?password=S3cret",
            "mysql//etl:S3cret@db/app",
        ] {
            let error = MySqlServer::from_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("S3cret"), "{url}: {error}");
        }
        let server = MySqlServer::from_url("mysql://etl:S3cret@db/app").unwrap();
        assert!(!format!("{server:?}").contains("S3cret"));
    }
}
