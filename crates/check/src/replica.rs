//! The checks of the replica.

use crate::findings::Findings;
use crate::grants::Grants;
use crate::mysql::{MySide, ServerFacts};
use crate::report::CheckSubject as S;
use handoff_connect::{PoolOptions, Side, quote_my};
use handoff_model::human::bytes;
use handoff_settings::MySqlServer;

/// The privileges that hop 1 needs in the replica: shadows are made, filled, indexed, renamed into place, and the
/// old tables dropped.
const NEEDS: &[&str] =
    &["ALTER", "CREATE", "DELETE", "DROP", "INDEX", "INSERT", "SELECT", "UPDATE"];

/// Rows up to this size are common; a smaller packet is a server that was set up long ago.
const SMALL_PACKET: usize = 16 << 20;
const GOOD_PACKET: usize = 64 << 20;

/// Looks at the replica. [`None`] if it can't be reached.
pub(crate) fn look(server: &MySqlServer, options: &PoolOptions) -> (Option<MySide>, Findings) {
    let mut findings = Findings::of(Side::Replica);
    let my = MySide::look(server, options, &mut findings);
    if let Some(my) = &my {
        judge(&ReplicaFacts::of(my), &mut findings);
    }
    (my, findings)
}

/// The facts that decide whether a server can hold the copies.
struct ReplicaFacts<'a> {
    database: &'a str,
    /// The account, quoted.
    account: &'a str,
    /// True if the database is not there, or may not be used.
    is_closed: bool,
    grants: Option<&'a Grants>,
    server: Option<&'a ServerFacts>,
    max_allowed_packet: usize,
}

impl<'a> ReplicaFacts<'a> {
    fn of(my: &'a MySide) -> ReplicaFacts<'a> {
        ReplicaFacts {
            database: &my.database,
            account: &my.account,
            is_closed: my.closed.is_some(),
            grants: my.grants.as_ref(),
            server: my.server.as_ref(),
            max_allowed_packet: my.pool.max_allowed_packet(),
        }
    }
}

fn judge(facts: &ReplicaFacts<'_>, findings: &mut Findings) {
    if let Some(grants) = facts.grants {
        database(facts, grants, findings);
    }
    if let (Some(server), Some(grants)) = (facts.server, facts.grants) {
        read_only(server, grants, findings);
    }
    if let Some(server) = facts.server {
        local_infile(server, findings);
    }
    packet(facts.max_allowed_packet, findings);
}

/// Says whether the database is there or can be made, and whether the account may work in it.
fn database(facts: &ReplicaFacts<'_>, grants: &Grants, findings: &mut Findings) {
    let (name, account) = (quote_my(facts.database), facts.account);
    let lacking = grants.lacking(NEEDS, facts.database);
    if facts.is_closed && !lacking.contains(&"CREATE") {
        findings.ok(S::Schema, format!("there is no database {name} yet: the first run makes it"));
    } else if facts.is_closed {
        let what = format!("there is no database {name}, or none that {account} may use or create");
        findings
            .fault(S::Schema, what)
            .statement(format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4"))
            .statement(format!("GRANT ALL ON {name}.* TO {account}"));
        return;
    }
    if lacking.is_empty() {
        findings.ok(S::Grants, format!("{account} has the rights that a run needs in {name}"));
    } else {
        let rights = lacking.join(", ");
        findings
            .fault(S::Grants, format!("{account} lacks {rights} on {name}"))
            .statement(format!("GRANT {rights} ON {name}.* TO {account}"));
    }
}

fn read_only(server: &ServerFacts, grants: &Grants, findings: &mut Findings) {
    let exempt = ["SUPER", "READ_ONLY ADMIN", "READ ONLY ADMIN", "CONNECTION_ADMIN"];
    if server.read_only && !exempt.iter().any(|right| grants.allow_everywhere(right)) {
        findings
            .fault(S::Grants, "the server is read-only: it takes no rows from this account")
            .statement("SET GLOBAL read_only = OFF");
    }
}

fn local_infile(server: &ServerFacts, findings: &mut Findings) {
    if server.local_infile {
        findings.ok(S::LocalInfile, "the server takes LOAD DATA LOCAL");
    } else {
        let what = "the server refuses LOAD DATA LOCAL: rows go in by INSERT, which is slower";
        findings.warning(S::LocalInfile, what).statement("SET GLOBAL local_infile = ON");
    }
}

/// Says how long the rows may be. A server sends rows of any size and takes only what its packet allows, so that this
/// is the replica's matter alone.
fn packet(most: usize, findings: &mut Findings) {
    let size = bytes(u64::try_from(most).unwrap_or(u64::MAX));
    if most >= SMALL_PACKET {
        findings.ok(S::MaxAllowedPacket, format!("it takes rows up to {size}"));
        return;
    }
    let what = format!("it takes no row of more than {size}: the table of such a row fails");
    findings.warning(S::MaxAllowedPacket, what).statement(packet_statement(GOOD_PACKET));
}

/// Returns the findings about a packet that is smaller than the source's.
pub(crate) fn smaller_packet(of_source: usize, of_replica: usize, findings: &mut Findings) {
    if of_replica < of_source {
        let what = format!(
            "max_allowed_packet is {of_replica}, and {of_source} in the source: a row that fits there may not \
             fit here"
        );
        findings.warning(S::MaxAllowedPacket, what).statement(packet_statement(of_source));
    }
}

fn packet_statement(size: usize) -> String {
    format!("SET GLOBAL max_allowed_packet = {size}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CheckFinding, CheckVerdict};

    fn server() -> ServerFacts {
        ServerFacts { local_infile: true, ..ServerFacts::default() }
    }

    /// Judges a replica of which these grants and facts are known, and returns the findings about `subject`.
    fn judged(facts: &ReplicaFacts<'_>, subject: S) -> Vec<CheckFinding> {
        let mut findings = Findings::of(Side::Replica);
        judge(facts, &mut findings);
        findings.into_vec().into_iter().filter(|found| found.subject == subject).collect()
    }

    fn facts<'a>(grants: &'a Grants, server: &'a ServerFacts) -> ReplicaFacts<'a> {
        ReplicaFacts {
            database: "d",
            account: "`a`@`%`",
            is_closed: false,
            grants: Some(grants),
            server: Some(server),
            max_allowed_packet: GOOD_PACKET,
        }
    }

    fn all() -> Grants {
        Grants::parsed(&["GRANT ALL PRIVILEGES ON `d`.* TO `a`@`%`"])
    }

    #[track_caller]
    fn parts(found: &[CheckFinding]) -> (CheckVerdict, String, Vec<String>) {
        let (verdict, what, fixes) = only(found);
        (verdict, what.to_owned(), fixes)
    }

    #[track_caller]
    fn only(found: &[CheckFinding]) -> (CheckVerdict, &str, Vec<String>) {
        let [one] = found else { panic!("{found:?}") };
        (one.verdict, &one.what, one.fixes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_account_with_every_right_is_good() {
        let found = judged(&facts(&all(), &server()), S::Grants);
        let expected = (CheckVerdict::Ok, "`a`@`%` has the rights that a run needs in `d`", vec![]);
        assert_eq!(only(&found), expected);
    }

    #[test]
    fn the_rights_that_are_lacking_are_granted_by_one_statement() {
        let some = Grants::parsed(&["GRANT SELECT, INSERT, UPDATE, DELETE ON `d`.* TO `a`@`%`"]);
        let found = judged(&facts(&some, &server()), S::Grants);
        let (verdict, what, fixes) = only(&found);
        assert_eq!(
            (verdict, what),
            (CheckVerdict::Fault, "`a`@`%` lacks ALTER, CREATE, DROP, INDEX on `d`")
        );
        assert_eq!(fixes, ["GRANT ALTER, CREATE, DROP, INDEX ON `d`.* TO `a`@`%`;"]);
    }

    #[test]
    fn a_database_that_can_be_made_is_no_fault() {
        let (all, server) = (all(), server());
        let found = judged(&ReplicaFacts { is_closed: true, ..facts(&all, &server) }, S::Schema);
        let (verdict, what, _) = only(&found);
        assert_eq!(verdict, CheckVerdict::Ok);
        assert_eq!(what, "there is no database `d` yet: the first run makes it");
    }

    #[test]
    fn a_database_that_cannot_be_made_is_made_by_the_administrator() {
        let (none, server) = (Grants::default(), server());
        let closed = ReplicaFacts { is_closed: true, ..facts(&none, &server) };
        let (verdict, _, fixes) = parts(&judged(&closed, S::Schema));
        assert_eq!(verdict, CheckVerdict::Fault);
        assert_eq!(
            fixes,
            [
                "CREATE DATABASE IF NOT EXISTS `d` CHARACTER SET utf8mb4;",
                "GRANT ALL ON `d`.* TO `a`@`%`;",
            ]
        );
        // Of its rights nothing is said: it can have none there yet.
        assert_eq!(judged(&closed, S::Grants), []);
    }

    #[test]
    fn a_server_that_takes_no_writes_is_a_fault_unless_the_account_is_exempt() {
        let read_only = ServerFacts { read_only: true, ..server() };
        let (all, root) = (
            all(),
            Grants::parsed(&[
                "GRANT SUPER ON *.* TO `a`@`%`",
                "GRANT ALL PRIVILEGES ON `d`.* TO `a`@`%`",
            ]),
        );
        let found = judged(&facts(&all, &read_only), S::Grants);
        assert_eq!(found.last().map(|found| found.verdict), Some(CheckVerdict::Fault));
        assert_eq!(only(&judged(&facts(&root, &read_only), S::Grants)).0, CheckVerdict::Ok);
    }

    #[test]
    fn a_server_without_load_data_is_slower_and_no_worse() {
        let slow = ServerFacts { local_infile: false, ..server() };
        let found = judged(&facts(&all(), &slow), S::LocalInfile);
        let (verdict, _, fixes) = only(&found);
        assert_eq!(
            (verdict, fixes),
            (CheckVerdict::Warning, vec!["SET GLOBAL local_infile = ON;".to_owned()])
        );
        assert_eq!(only(&judged(&facts(&all(), &server()), S::LocalInfile)).0, CheckVerdict::Ok);
    }

    #[test]
    fn a_small_packet_is_warned_of() {
        let (all, server) = (all(), server());
        for (size, expected) in
            [(SMALL_PACKET, CheckVerdict::Ok), (SMALL_PACKET - 1, CheckVerdict::Warning)]
        {
            let small = ReplicaFacts { max_allowed_packet: size, ..facts(&all, &server) };
            assert_eq!(only(&judged(&small, S::MaxAllowedPacket)).0, expected, "{size}");
        }
    }

    #[test]
    fn a_packet_below_the_sources_is_warned_of() {
        let found = |of_source, of_replica| {
            let mut findings = Findings::of(Side::Replica);
            smaller_packet(of_source, of_replica, &mut findings);
            findings.into_vec()
        };
        assert_eq!(found(7, 7), []);
        let smaller = found(9, 7);
        assert_eq!(only(&smaller).2, ["SET GLOBAL max_allowed_packet = 9;"]);
    }

    #[test]
    fn a_server_that_tells_nothing_is_judged_by_what_is_known() {
        let unknown = ReplicaFacts {
            database: "d",
            account: "a",
            is_closed: false,
            grants: None,
            server: None,
            max_allowed_packet: GOOD_PACKET,
        };
        for subject in [S::Grants, S::Schema, S::LocalInfile] {
            assert_eq!(judged(&unknown, subject), []);
        }
        assert_eq!(judged(&unknown, S::MaxAllowedPacket).len(), 1);
    }
}
