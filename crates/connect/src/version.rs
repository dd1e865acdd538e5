//! Kinds and versions of MySQL servers.

use std::fmt;

/// The family that a server belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerFlavor {
    /// MariaDB.
    MariaDb,
    /// MySQL (Oracle's and Percona's).
    MySql,
}

/// The kind and version of a MySQL or MariaDB server, from `SELECT VERSION()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    /// The family.
    pub flavor: ServerFlavor,
    /// Major, minor, patch.
    pub number: (u16, u16, u16),
}

impl ServerVersion {
    /// Reads what `SELECT VERSION()` answers, such as `10.11.19-MariaDB-0+deb12u1` or `9.7.1`.
    pub fn parse(text: &str) -> Option<ServerVersion> {
        let flavor = if text.to_ascii_lowercase().contains("mariadb") {
            ServerFlavor::MariaDb
        } else {
            ServerFlavor::MySql
        };
        // Old MariaDB servers put a fake version in front, for old clients.
        let real = text.strip_prefix("5.5.5-").unwrap_or(text);
        let mut parts = real.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let mut part = || parts.next()?.ok();
        let number = (part()?, part()?, part().unwrap_or(0));
        Some(ServerVersion { flavor, number })
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            ServerFlavor::MariaDb => "MariaDB",
            ServerFlavor::MySql => "MySQL",
        };
        let (major, minor, patch) = self.number;
        write!(f, "{name} {major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_told_apart() {
        let maria = ServerVersion::parse("5.5.5-10.11.19-MariaDB-0+deb12u1").unwrap();
        assert_eq!(maria.to_string(), "MariaDB 10.11.19");
        let mysql = ServerVersion::parse("9.7.1").unwrap();
        assert_eq!(mysql.to_string(), "MySQL 9.7.1");
        assert_eq!(ServerVersion::parse("eleven"), None);
    }

    #[test]
    fn a_fake_version_in_front_is_left_out_and_text_without_numbers_is_none() {
        let old = ServerVersion::parse("5.5.5-10.3.39-MariaDB").unwrap();
        assert_eq!((old.flavor, old.number), (ServerFlavor::MariaDb, (10, 3, 39)));
        let short = ServerVersion::parse("8.0").unwrap();
        assert_eq!((short.flavor, short.number), (ServerFlavor::MySql, (8, 0, 0)));
        assert_eq!(ServerVersion::parse("unknown"), None);
    }
}
