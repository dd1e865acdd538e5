//! Servers, accounts, networks and values that fail: what the user reads, what is left as it was,
//! and that the next run makes good what the fault prevented.

mod accounts;
mod changed;
mod connecting;
mod cut;
pub mod disk;
mod locks;
mod packets;
mod poolers;
pub mod proxy;
mod starting;
mod stopped;
mod strangers;
mod values;

use crate::bad_input::contents;
use crate::etl::{Done, Etl};
use handoff_testbed::Trio;
use std::collections::BTreeMap;

/// Two tables, of which the fault is to meet `sick` alone.
const TWO: &str = "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=InnoDB; \
     INSERT INTO sick VALUES (1, 'a'), (2, 'b'); \
     CREATE TABLE well (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM; \
     INSERT INTO well VALUES (1, 'a'), (2, 'b')";

/// What a run without a fault would carry over.
const NEWS: &str = "UPDATE sick SET note = 'new'; UPDATE well SET note = 'new'";

/// Settings under which a fault that may pass is waited for as seldom as it can be.
fn hasty(toml: &str) -> Etl {
    Etl::with(&format!("{toml}\n[run]\nmax_retries = 0\n"))
}

/// The settings with another URL for one of the servers.
fn instead(toml: &str, url: &str, other: &str) -> String {
    assert!(toml.contains(url), "{url} is not in {toml}");
    toml.replacen(url, other, 1)
}

/// What a database holds of one table, and the unfinished tables of all.
fn of_table(trio: &Trio, table: &str) -> BTreeMap<String, String> {
    let ours = |name: &str| {
        name == format!("replica {table}")
            || name == format!("target raw.{table}")
            || name.contains("__handoff_")
    };
    contents(trio).into_iter().filter(|(name, _)| ours(name)).collect()
}

/// What both databases held before a fault.
struct Before<'a> {
    trio: &'a Trio,
    sick: BTreeMap<String, String>,
    well: BTreeMap<String, String>,
}

impl Before<'_> {
    fn of(trio: &Trio) -> Before<'_> {
        Before { trio, sick: of_table(trio, "sick"), well: of_table(trio, "well") }
    }

    /// Fails unless `sick` failed, saying all of `says`, and is in the target as it was, while
    /// `well` arrived.
    #[track_caller]
    fn fails_alone(&self, done: &Done, says: &[&str]) {
        let shown = format!("{}{}", done.stdout, done.stderr);
        assert_eq!(done.code, Some(1), "{shown}");
        for part in ["sick"].iter().chain(says) {
            assert!(shown.contains(part), "no `{part}` in: {shown}");
        }
        let now = of_table(self.trio, "sick");
        assert_eq!(in_target(&now), in_target(&self.sick), "the failed table was changed");
        assert_ne!(of_table(self.trio, "well"), self.well, "`well` did not arrive: {shown}");
    }

    /// Fails unless `sick` is in the replica as it was.
    #[track_caller]
    fn replica_is_kept(&self) {
        assert_eq!(of_table(self.trio, "sick"), self.sick, "the failed table was changed");
    }
}

fn in_target(of: &BTreeMap<String, String>) -> BTreeMap<&String, &String> {
    let target = |name: &str| !name.starts_with("replica ") || name.contains("__handoff_");
    of.iter().filter(|(name, _)| target(name)).collect()
}

/// A run in which `sick` fails, says so, and stays as it was in the target, while `well` arrives.
#[track_caller]
fn fails_alone(trio: &Trio, etl: &Etl, says: &[&str]) -> Done {
    let before = Before::of(trio);
    let done = etl.run(&["run"]);
    before.fails_alone(&done, says);
    done
}

/// Fails unless the next run carries everything, and proves it.
#[track_caller]
fn mended(etl: &Etl) {
    let done = etl.ok(&["run", "--prove"]);
    let equal = ["source = replica = raw", "source = raw"];
    assert!(equal.iter().any(|equal| done.stdout.contains(equal)), "{}", done.stdout);
}
