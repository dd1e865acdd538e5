//! What is looked at in the replica.

use super::findings::Findings;
use super::mysql::MySide;
use super::report::CheckSubject as S;
use crate::wording::bytes;
use handoff_connect::{PoolOptions, Side, quote_my};
use handoff_settings::MySqlServer;

/// What hop 1 does in the replica: shadows are made, filled, indexed, renamed into place, and the
/// old tables dropped.
const NEEDS: &[&str] =
    &["ALTER", "CREATE", "DELETE", "DROP", "INDEX", "INSERT", "SELECT", "UPDATE"];

/// Rows up to this size are common; a smaller packet is a server that was set up long ago.
const SMALL_PACKET: usize = 16 << 20;
const GOOD_PACKET: usize = 64 << 20;

/// Looks at the replica. [`None`] if it can't be reached.
pub(super) fn look(server: &MySqlServer, options: &PoolOptions) -> (Option<MySide>, Findings) {
    let mut findings = Findings::of(Side::Replica);
    let my = MySide::look(server, options, &mut findings);
    if let Some(my) = &my {
        database(my, &mut findings);
        read_only(my, &mut findings);
        local_infile(my, &mut findings);
        packet(my, &mut findings);
    }
    (my, findings)
}

/// Says whether the database is there or can be made, and whether the account may work in it.
fn database(my: &MySide, findings: &mut Findings) {
    let Some(grants) = &my.grants else { return };
    let (name, account) = (quote_my(my.database.as_str()), &my.account);
    let lacking = grants.lacking(NEEDS, &my.database);
    if my.closed.is_some() && !lacking.contains(&"CREATE") {
        findings.ok(S::Schema, format!("there is no database {name} yet: the first run makes it"));
    } else if my.closed.is_some() {
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
        let lacking = lacking.join(", ");
        findings
            .fault(S::Grants, format!("{account} lacks {lacking} on {name}"))
            .statement(format!("GRANT {lacking} ON {name}.* TO {account}"));
    }
}

fn read_only(my: &MySide, findings: &mut Findings) {
    let (Some(server), Some(grants)) = (&my.server, &my.grants) else { return };
    let exempt = ["SUPER", "READ_ONLY ADMIN", "READ ONLY ADMIN", "CONNECTION_ADMIN"];
    if server.read_only && !exempt.iter().any(|right| grants.allow_everywhere(right)) {
        findings
            .fault(S::Grants, "the server is read-only: it takes no rows from this account")
            .statement("SET GLOBAL read_only = OFF");
    }
}

fn local_infile(my: &MySide, findings: &mut Findings) {
    match &my.server {
        Some(server) if server.local_infile => {
            findings.ok(S::LocalInfile, "the server takes LOAD DATA LOCAL");
        }
        Some(_) => {
            let what = "the server refuses LOAD DATA LOCAL: rows go in by INSERT, which is slower";
            findings.warning(S::LocalInfile, what).statement("SET GLOBAL local_infile = ON");
        }
        None => {}
    }
}

/// A server sends rows of any size and takes only what its packet allows, so that this is the
/// replica's matter alone.
fn packet(my: &MySide, findings: &mut Findings) {
    let packet = my.pool.max_allowed_packet();
    let size = bytes(u64::try_from(packet).unwrap_or(u64::MAX));
    if packet >= SMALL_PACKET {
        findings.ok(S::MaxAllowedPacket, format!("it takes rows up to {size}"));
        return;
    }
    let what = format!("it takes no row of more than {size}: the table of such a row fails");
    findings.warning(S::MaxAllowedPacket, what).statement(packet_statement(GOOD_PACKET));
}

pub(super) fn packet_statement(size: usize) -> String {
    format!("SET GLOBAL max_allowed_packet = {size}")
}
