//! A source account that may not read everything.

use super::{NEWS, TWO, fails_alone, hasty, instead, mended};
use crate::check::Own;
use handoff_testbed::Trio;

fn grant(own: &Own<'_>, trio: &Trio, verb: &str, what: &str, table: &str) {
    let to = if verb == "GRANT" { "TO" } else { "FROM" };
    let (database, user) = (trio.source_name(), &own.account.user);
    own.run(&format!("{verb} {what} ON `{database}`.`{table}` {to} '{user}'@'%'"));
}

fn check(user: &str, replicated: bool) {
    let trio = Trio::new(user);
    trio.sql_source(TWO);
    let own = Own::new(trio.source_server(), user, "f1");
    for table in ["sick", "well"] {
        grant(&own, &trio, "GRANT", "SELECT", table);
    }
    let toml = if replicated { trio.settings_toml() } else { trio.direct_settings_toml() };
    let etl = hasty(&instead(&toml, &trio.source_url(), &own.url(&trio.source_name())));
    etl.ok(&["run"]);

    // The catalogue hides a table from an account without any privilege on it.
    trio.sql_source(NEWS);
    let statement = format!("GRANT SELECT ON `{}`.`sick` TO", trio.source_name());
    grant(&own, &trio, "REVOKE", "SELECT", "sick");
    fails_alone(&trio, &etl, &["may not read `sick`", &statement]);
    let verified = etl.exits(1, &["verify"]).stdout;
    assert!(verified.contains("sick: the source's account may not read it"), "{verified}");
    assert!(verified.contains("1 table equal, 1 failed"), "{verified}");

    // It shows those columns that the account may read.
    trio.sql_source("UPDATE well SET note = 'newer'");
    grant(&own, &trio, "GRANT", "SELECT (id)", "sick");
    fails_alone(&trio, &etl, &["may not read", "`sick`", &statement]);
    trio.sql_target("DROP TABLE raw.sick");
    trio.sql_source("UPDATE well SET note = 'newest'");
    fails_alone(&trio, &etl, &["may not read", "`sick`", &statement]);
    grant(&own, &trio, "REVOKE", "SELECT (id)", "sick");

    // Or it shows the table and none of its columns.
    trio.sql_source("UPDATE well SET note = 'newest of all'");
    grant(&own, &trio, "GRANT", "SHOW VIEW", "sick");
    fails_alone(&trio, &etl, &["may not read", "`sick`", &statement]);

    grant(&own, &trio, "GRANT", "SELECT", "sick");
    mended(&etl);
}

#[test]
fn a_table_that_the_account_may_not_read_any_more() {
    check("fault_reader", true);
}

#[test]
fn a_table_that_the_account_may_not_read_any_more_without_a_replica() {
    check("fault_direct", false);
}

#[test]
fn a_table_that_is_gone_from_the_source_is_said_and_kept() {
    let trio = Trio::new("source_gone");
    trio.sql_source(TWO);
    let etl = hasty(&trio.settings_toml());
    etl.ok(&["run"]);
    let kept = trio.rows("sick");
    trio.sql_source("DROP TABLE sick");
    let done = etl.ok(&["run", "--prove"]);
    let shown = done.stdout + &done.stderr;
    assert!(shown.contains("`sick` is gone from the source"), "{shown}");
    let verified = etl.ok(&["verify"]).stdout;
    assert!(verified.contains("`sick` is gone from the source"), "{verified}");
    assert_eq!(trio.rows("sick"), kept);
}
