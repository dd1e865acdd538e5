//! The servers that Handoff works with, by their versions.

use handoff_connect::{ServerFlavor, ServerVersion};

/// The oldest PostgreSQL, as `server_version_num` gives it.
const OLDEST_POSTGRES: u32 = 130_000;

/// Returns the problem of a MySQL or MariaDB of this version, if it is too old.
pub fn too_old_my(version: &ServerVersion) -> Option<String> {
    let (oldest, name) = match version.flavor {
        ServerFlavor::MariaDb => ((10, 4, 0), "MariaDB 10.4"),
        ServerFlavor::MySql => ((5, 7, 0), "MySQL 5.7"),
    };
    (version.number < oldest)
        .then(|| format!("{version} is too old: {name} is the oldest that works"))
}

/// Returns the problem of a PostgreSQL of this `server_version_num`, if it is too old.
pub fn too_old_pg(version: u32) -> Option<String> {
    (version < OLDEST_POSTGRES).then(|| {
        format!("{} is too old: PostgreSQL 13 is the oldest that works", postgres_version(version))
    })
}

/// Writes a `server_version_num` as people do.
pub fn postgres_version(version: u32) -> String {
    format!("PostgreSQL {}.{}", version / 10_000, version % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_oldest_is_refused_by_name() {
        let my = |text: &str| too_old_my(&ServerVersion::parse(text).unwrap());
        for good in ["5.7.44-log", "8.0.36", "9.7.1", "10.4.0-MariaDB", "11.8.2-MariaDB"] {
            assert_eq!(my(good), None, "{good}");
        }
        assert_eq!(
            my("5.6.51").unwrap(),
            "MySQL 5.6.51 is too old: MySQL 5.7 is the oldest that works"
        );
        assert_eq!(
            my("5.5.5-10.3.39-MariaDB").unwrap(),
            "MariaDB 10.3.39 is too old: MariaDB 10.4 is the oldest that works"
        );
        assert_eq!(too_old_pg(130_000), None);
        assert_eq!(
            too_old_pg(120_022).unwrap(),
            "PostgreSQL 12.22 is too old: PostgreSQL 13 is the oldest that works"
        );
    }
}
