//! The versions of the servers.

use crate::findings::Findings;
use crate::report::CheckSubject as S;
use handoff_connect::ServerVersion;
use handoff_session::{postgres_version, too_old_my, too_old_pg};

/// Says whether a MySQL or MariaDB is new enough.
pub(crate) fn my(version: &ServerVersion, findings: &mut Findings) {
    match too_old_my(version) {
        None => findings.ok(S::Version, version.to_string()),
        Some(fault) => {
            findings.fault(S::Version, fault);
        }
    }
}

/// Says whether a PostgreSQL is new enough.
pub(crate) fn pg(version: u32, findings: &mut Findings) {
    match too_old_pg(version) {
        None => findings.ok(S::Version, postgres_version(version)),
        Some(fault) => {
            findings.fault(S::Version, fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::tests::{check, version};
    use crate::report::CheckVerdict::{Fault, Ok};

    #[test]
    fn old_servers_are_refused() {
        for (text, expected) in [
            ("10.3.39-MariaDB", Fault),
            ("10.4.0-MariaDB", Ok),
            ("11.8.2-MariaDB-log", Ok),
            ("5.6.51", Fault),
            ("5.7.44-log", Ok),
            ("9.7.1", Ok),
        ] {
            check(|findings| my(&version(text), findings), expected);
        }
        check(|findings| pg(120_022, findings), Fault);
        check(|findings| pg(130_000, findings), Ok);
    }
}
