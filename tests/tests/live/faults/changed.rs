//! A source table whose structure changes in the middle of its copy: never a mixed table.

use super::proxy::{Proxy, Trap};
use super::{Before, hasty, instead, mended};
use crate::etl::Done;
use handoff_testbed::Trio;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// More than one range of a table without transactions, so that an ALTER gets in between two. In
/// another character set each note would have other bytes.
fn long(engine: &str) -> String {
    format!(
        "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(100) CHARACTER SET latin1) \
         ENGINE={engine}; \
         INSERT INTO sick SELECT seq, CONCAT(X'E9', REPEAT(MD5(seq), 3)) FROM seq_1_to_200000; \
         CREATE TABLE well (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM; \
         INSERT INTO well VALUES (1, 'a')"
    )
}

const NEWS: &str = "UPDATE sick SET note = REVERSE(note); UPDATE well SET note = 'b'";
const SECOND_RANGE: u64 = 10_000_000;

/// Alters `sick` while it is read, and returns what the run said of it.
fn altered(name: &str, engine: &str, replicated: bool, alter: &'static str) {
    let trio = Trio::new(name);
    trio.sql_source(&long(engine));
    let url = trio.source_url();
    let proxy = Proxy::to(&url);
    let toml = if replicated { trio.settings_toml() } else { trio.direct_settings_toml() };
    let etl = hasty(&instead(&toml, &url, proxy.url()));
    etl.ok(&["run"]);

    trio.sql_source(NEWS);
    let before = Before::of(&trio);
    proxy.lay(Trap::Hold(SECOND_RANGE));
    let mut command = etl.command(&["run"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    proxy.wait();
    let done = thread::scope(|scope| {
        scope.spawn(|| trio.sql_source(alter));
        // It is under way, or waits for the statement that is.
        thread::sleep(Duration::from_millis(500));
        proxy.release();
        Done::from(run.wait_with_output().unwrap())
    });

    let garbled =
        "SELECT count(*) FROM raw.sick WHERE note !~ '^(\u{e9}[0-9a-f]+|[0-9a-f]+\u{e9})$'";
    let garbled: i64 = trio.target().query_one(garbled, &[]).unwrap().get(0);
    assert_eq!(garbled, 0, "{}{}", done.stdout, done.stderr);
    before.fails_alone(&done, &["structure of `sick` was changed", "run the table again"]);
    before.replica_is_kept();
    trio.sql_source("ALTER TABLE sick DROP COLUMN IF EXISTS more, MODIFY note VARCHAR(100) CHARACTER SET latin1",
    );
    mended(&etl);
}

const ADD: &str = "ALTER TABLE sick ADD COLUMN more INT NOT NULL DEFAULT 7 FIRST";
const CONVERT: &str = "ALTER TABLE sick MODIFY note VARCHAR(100) CHARACTER SET utf8mb4";

#[test]
fn a_table_without_transactions_fails() {
    altered("altered_myisam", "MyISAM", true, ADD);
}

#[test]
fn a_table_without_transactions_fails_in_a_direct_load() {
    altered("altered_direct", "MyISAM", false, CONVERT);
}

#[test]
fn a_table_with_transactions_fails() {
    altered("altered_innodb", "InnoDB", true, ADD);
}
