//! A source table whose structure changes in the middle of its copy: never a mixed table.

use super::proxy::{Proxy, Trap};
use super::{Before, hasty, instead, mended, of_table};
use crate::etl::Done;
use handoff_testbed::Trio;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// More than one range of a table without transactions, so that an ALTER gets in between two.
fn long(engine: &str) -> String {
    format!(
        "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE={engine}; \
         INSERT INTO sick SELECT seq, REPEAT(MD5(seq), 3) FROM seq_1_to_200000; \
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

    if engine == "MyISAM" {
        before.fails_alone(&done, &["structure of `sick` was changed", "run the table again"]);
        before.replica_is_kept();
    } else {
        // The ALTER waits for the reader's transaction, which sees the table as it was.
        assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
        assert_ne!(of_table(&trio, "sick"), before.sick);
    }
    trio.sql_source("ALTER TABLE sick DROP COLUMN IF EXISTS more, MODIFY note VARCHAR(100)");
    mended(&etl);
}

const ADD: &str = "ALTER TABLE sick ADD COLUMN more INT NOT NULL DEFAULT 7 FIRST";
const NARROW: &str = "ALTER TABLE sick MODIFY note VARBINARY(100)";

#[test]
fn a_table_without_transactions_fails() {
    altered("altered_myisam", "MyISAM", true, ADD);
}

#[test]
fn a_table_without_transactions_fails_in_a_direct_load() {
    altered("altered_direct", "MyISAM", false, NARROW);
}

#[test]
fn a_table_with_transactions_arrives_as_it_was() {
    altered("altered_innodb", "InnoDB", true, ADD);
}
