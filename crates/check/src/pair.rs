//! The fit of source and replica.

use crate::findings::Findings;
use crate::mysql::MySide;
use crate::replica::smaller_packet;
use crate::report::CheckSubject as S;
use handoff_connect::ServerVersion;

/// Says whether a byte-exact copy of the source fits into the replica.
pub(crate) fn finding(source: &MySide, replica: &MySide, findings: &mut Findings) {
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
    smaller_packet(from, to, findings);
}

fn kinds(source: &ServerVersion, replica: &ServerVersion, findings: &mut Findings) {
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

fn series(version: &ServerVersion) -> (u16, u16) {
    (version.number.0, version.number.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::tests::{check, version};
    use crate::report::CheckVerdict::{Fault, Ok};

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
