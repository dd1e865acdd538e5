//! Servers, accounts, networks and values that fail: what the user reads, what is left as it was,
//! and that the next run makes good what the fault prevented.

mod accounts;
mod changed;
mod connecting;
mod cut;
mod disk;
mod locks;
mod packets;
mod proxy;
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

/// A run in which `sick` fails, says so, and stays as it was in the target, while `well` arrives.
#[track_caller]
fn fails_alone(trio: &Trio, etl: &Etl, says: &[&str]) -> Done {
    let (sick, well) = (of_table(trio, "sick"), of_table(trio, "well"));
    let done = etl.exits(1, &["run"]);
    let shown = format!("{}{}", done.stdout, done.stderr);
    for part in ["sick"].iter().chain(says) {
        assert!(shown.contains(part), "no `{part}` in: {shown}");
    }
    let target = |of: &BTreeMap<String, String>| {
        let mut of = of.clone();
        of.retain(|name, _| !name.starts_with("replica ") || name.contains("__handoff_"));
        of
    };
    assert_eq!(target(&of_table(trio, "sick")), target(&sick), "the failed table was changed");
    assert_ne!(of_table(trio, "well"), well, "the other table did not arrive: {shown}");
    done
}

/// Fails unless the next run carries everything, and proves it.
#[track_caller]
fn mended(etl: &Etl) {
    let done = etl.ok(&["run", "--prove"]);
    assert!(
        done.stdout.contains("source = replica = raw") || done.stdout.contains("source = raw"),
        "{}",
        done.stdout
    );
}
