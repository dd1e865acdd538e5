//! Which servers a run works with.

use super::findings::Findings;
use super::mysql::MySide;
use super::replica::packet_statement;
use super::report::CheckSubject as S;
use crate::versions::{postgres, too_old_my, too_old_pg};
use handoff_connect::ServerVersion;

/// Says whether a MySQL or MariaDB is new enough.
pub(super) fn my(version: &ServerVersion, findings: &mut Findings) {
    match too_old_my(version) {
        None => findings.ok(S::Version, version.to_string()),
        Some(fault) => {
            findings.fault(S::Version, fault);
        }
    }
}

/// Says whether a PostgreSQL is new enough.
pub(super) fn pg(version: u32, findings: &mut Findings) {
    match too_old_pg(version) {
        None => findings.ok(S::Version, postgres(version)),
        Some(fault) => {
            findings.fault(S::Version, fault);
        }
    }
}

/// Says whether a byte-exact copy of the source fits into the replica.
pub(super) fn pair(source: &MySide, replica: &MySide, findings: &mut Findings) {
    kinds(source.pool.version(), replica.pool.version(), findings);
    findings.look(S::Pair, |findings| {
        let same = source.closed.is_none()
            && replica.closed.is_none()
            && source.pool.is_same_database(&replica.pool)?;
        if same {
            findings.fault(
                S::Pair,
                "the replica is the source itself, which is never written to: give [replica] a \
                 database of its own, or leave [replica] out to load from the source",
            );
        }
        Ok(())
    });
    let (from, to) = (source.pool.max_allowed_packet(), replica.pool.max_allowed_packet());
    if to < from {
        let what = format!(
            "max_allowed_packet is {to}, and {from} in the source: a row that fits there may not \
             fit here"
        );
        findings.warning(S::MaxAllowedPacket, what).statement(packet_statement(from));
    }
}

fn kinds(source: &ServerVersion, replica: &ServerVersion, findings: &mut Findings) {
    let series = |version: &ServerVersion| (version.number.0, version.number.1);
    if source.flavor != replica.flavor {
        let what = format!(
            "the source is {source} and the replica is {replica}, which cannot hold a byte-exact \
             copy of it: use a server of the source's kind, or leave [replica] out to load from \
             the source"
        );
        findings.fault(S::Pair, what);
    } else if series(replica) < series(source) {
        let what = format!(
            "the replica's {replica} is older than the source's {source}: use the source's version \
             or a newer one, or leave [replica] out to load from the source"
        );
        findings.fault(S::Pair, what);
    } else {
        findings.ok(S::Pair, format!("{source} goes into {replica}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckVerdict::{self, Fault, Ok};
    use handoff_connect::Side;

    fn version(text: &str) -> ServerVersion {
        ServerVersion::parse(text).unwrap()
    }

    #[track_caller]
    fn check(look: impl FnOnce(&mut Findings), expected: CheckVerdict) {
        let mut findings = Findings::of(Side::Source);
        look(&mut findings);
        let found = findings.into_vec().remove(0);
        assert_eq!(found.verdict, expected, "{found:?}");
    }

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

    #[test]
    fn like_goes_to_like_and_never_to_an_older_one() {
        for (source, replica, expected) in [
            ("10.11.4-MariaDB", "10.11.2-MariaDB", Ok),
            ("10.6.1-MariaDB", "11.4.2-MariaDB", Ok),
            ("10.11.4-MariaDB", "10.6.2-MariaDB", Fault),
            ("10.11.4-MariaDB", "9.7.1", Fault),
            ("8.4.1", "9.7.1", Ok),
        ] {
            check(|findings| kinds(&version(source), &version(replica), findings), expected);
        }
    }
}
