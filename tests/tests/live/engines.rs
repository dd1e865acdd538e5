//! Engines that are not storage: nothing of a run reaches another server or another database, and such
//! a table is carried as rows, or named with the reason by `check`, `plan` and `run` alike.

use crate::etl::Etl;
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use mysql::prelude::Queryable;

/// Makes the tables that both families know. `remote` is another database, on the source's server.
fn make(trio: &Trio, remote: &Trio) {
    let url = remote.source_server().url(&remote.source_name());
    let (there, here) = (remote.source_name(), remote.source_name());
    remote.sql_source(
        "CREATE TABLE far (id INT PRIMARY KEY); INSERT INTO far VALUES (1), (2);
         CREATE TABLE near (id INT, KEY (id)) ENGINE=MyISAM; INSERT INTO near VALUES (1)",
    );
    trio.sql_source(&format!(
        "CREATE TABLE plain (id INT PRIMARY KEY); INSERT INTO plain VALUES (1);
         CREATE TABLE fed (id INT PRIMARY KEY) ENGINE=FEDERATED CONNECTION='{url}/far';
         CREATE TABLE part (id INT, KEY (id)) ENGINE=MyISAM; INSERT INTO part VALUES (1), (5);
         CREATE TABLE merged (id INT, KEY (id)) ENGINE=MERGE UNION=(part, {here}.near) INSERT_METHOD=LAST;
         CREATE TABLE mem (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(9)) ENGINE=MEMORY;
         INSERT INTO mem (a) VALUES ('x'), ('y');
         CREATE TABLE csv (id INT NOT NULL) ENGINE=CSV; INSERT INTO csv VALUES (3), (3);
         CREATE TABLE arch (id INT AUTO_INCREMENT PRIMARY KEY, a INT) ENGINE=ARCHIVE;
         INSERT INTO arch (a) VALUES (7), (8);
         CREATE TABLE hole (id INT PRIMARY KEY) ENGINE=BLACKHOLE; INSERT INTO hole VALUES (1)"
    ));
    assert_eq!(rows(remote, "far"), 2, "{there}");
}

fn rows(trio: &Trio, table: &str) -> u64 {
    let counted = trio.source().query_first(format!("SELECT COUNT(*) FROM {table}"));
    counted.unwrap().unwrap()
}

fn engines(trio: &Trio) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{}' \
         ORDER BY ENGINE",
        trio.replica_name()
    );
    trio.replica().query(sql).unwrap()
}

#[track_caller]
fn check(trio: &Trio, remote: &Trio) {
    let etl = Etl::new(trio);
    let named = |text: &str| {
        for table in ["fed", "hole"] {
            assert!(text.contains(table), "{table}: {text}");
        }
        assert!(text.contains("FEDERATED") && text.contains("it keeps no rows"), "{text}");
    };
    named(&etl.run(&["check"]).stdout);
    named(&etl.ok(&["plan"]).stdout);
    for _ in 0..3 {
        named(&etl.ok(&["run", "--prove"]).stdout);
        assert_eq!((rows(remote, "far"), rows(remote, "near"), rows(trio, "part")), (2, 1, 2));
    }
    assert_eq!(trio.rows("merged").len(), 3);
    assert_eq!(
        (trio.rows("mem").len(), trio.rows("csv").len(), trio.rows("arch").len()),
        (2, 2, 2)
    );
    assert_eq!(engines(trio), ["InnoDB", "MyISAM"]);
    etl.ok(&["verify"]);
    let done = etl.exits(2, &["run", "fed"]);
    assert!(done.stderr.contains("fed"), "{}", done.stderr);
}

/// A replica of an older version may hold a table that writes to another server.
#[track_caller]
fn check_old(trio: &Trio, remote: &Trio) {
    let url = remote.source_server().url(&remote.source_name());
    trio.sql_replica(&format!(
        "DROP TABLE plain; CREATE TABLE plain (id INT PRIMARY KEY) ENGINE=FEDERATED CONNECTION='{url}/far';
         CREATE TABLE child (id INT, KEY (id)) ENGINE=MyISAM; INSERT INTO child VALUES (4), (5);
         DROP TABLE merged; CREATE TABLE merged (id INT, KEY (id)) ENGINE=MERGE UNION=(child) INSERT_METHOD=LAST"
    ));
    let etl = Etl::new(trio);
    let statement = format!("DROP TABLE `{}`.`plain`", trio.replica_name());
    assert!(etl.run(&["check"]).stdout.contains(&statement));
    assert!(etl.run(&["plan"]).stdout.contains(&statement));
    let done = etl.exits(1, &["run", "--prove"]);
    assert!(done.stdout.contains(&statement), "{}", done.stdout);
    let children: Vec<u32> = trio.replica().query("SELECT id FROM child ORDER BY id").unwrap();
    assert_eq!((children, rows(remote, "far")), (vec![4, 5], 2));
    trio.sql_replica(&statement);
    etl.ok(&["run", "--prove"]);
    assert_eq!((rows(remote, "far"), trio.rows("merged").len()), (2, 3));
    trio.sql_replica("DROP TABLE child");
    assert_eq!(engines(trio), ["InnoDB", "MyISAM"]);
}

#[test]
fn engines_of_mariadb_reach_no_other_server() {
    let (trio, remote) = (Trio::new("engines"), Trio::new("engines remote"));
    for plugin in ["ha_federatedx", "ha_archive", "ha_blackhole"] {
        trio.sql_source(&format!("INSTALL SONAME '{plugin}'"));
    }
    trio.sql_replica("INSTALL SONAME 'ha_federatedx'");
    make(&trio, &remote);
    check(&trio, &remote);
    check_old(&trio, &remote);
}

#[test]
fn engines_of_mysql_9_reach_no_other_server() {
    let arguments = vec!["--federated".to_owned()];
    let Ok(nine) = MySql9::start(&ServerOptions { arguments, ..ServerOptions::default() }) else {
        return;
    };
    let on = |name| Trio::on(name, nine.endpoint(), nine.endpoint(), Bed::shared().target());
    let (trio, remote) = (on("engines 9"), on("engines 9 remote"));
    make(&trio, &remote);
    check(&trio, &remote);
    check_old(&trio, &remote);
}
