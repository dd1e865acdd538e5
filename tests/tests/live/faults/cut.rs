//! A connection that is cut in the middle of each hop.

use super::proxy::{Proxy, Trap};
use super::{Before, hasty, instead, mended};
use crate::etl::Etl;
use handoff_testbed::Trio;

/// Two megabytes, so that half of one is in the middle of them.
const LONG: &str = "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=InnoDB; \
     INSERT INTO sick SELECT seq, REPEAT(MD5(seq), 3) FROM seq_1_to_20000; \
     CREATE TABLE well (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM; \
     INSERT INTO well VALUES (1, 'a')";
const NEWS: &str = "UPDATE sick SET note = REVERSE(note); UPDATE well SET note = CONCAT(note, 'a')";
const MIDDLE: u64 = 500_000;

#[derive(Clone, Copy, PartialEq)]
enum Hop {
    First,
    Second,
}

#[track_caller]
fn check(trio: &Trio, toml: &str, url: &str, hop: Hop, says: &[&str]) {
    trio.sql_source(LONG);
    let proxy = Proxy::to(url);
    let toml = instead(toml, url, proxy.url());
    let (once, patient) = (hasty(&toml), Etl::with(&toml));
    once.ok(&["run"]);

    trio.sql_source(NEWS);
    let before = Before::of(trio);
    proxy.lay(Trap::Cut(MIDDLE));
    let done = once.run(&["run"]);
    proxy.wait();
    before.fails_alone(&done, says);
    if hop == Hop::First {
        before.replica_is_kept();
    }
    mended(&once);

    trio.sql_source(NEWS);
    proxy.lay(Trap::Cut(MIDDLE));
    let done = patient.ok(&["run", "--prove"]);
    proxy.wait();
    assert!(done.stdout.contains("= raw"), "{}", done.stdout);
    mended(&patient);
}

#[test]
fn the_source_is_cut_off_in_hop_1() {
    let trio = Trio::new("cut_source");
    let says = ["cannot read `sick`", "source: the connection was lost"];
    check(&trio, &trio.settings_toml(), &trio.source_url(), Hop::First, &says);
}

#[test]
fn the_replica_is_cut_off_in_hop_1() {
    let trio = Trio::new("cut_replica");
    let says = ["cannot write `sick`", "replica: the connection was lost"];
    check(&trio, &trio.settings_toml(), &trio.replica_url(), Hop::First, &says);
}

#[test]
fn the_target_is_cut_off_in_hop_2() {
    let trio = Trio::new("cut_target");
    let says = ["failed while loading", "target: the connection was lost"];
    check(&trio, &trio.settings_toml(), &trio.target_url(), Hop::Second, &says);
}

#[test]
fn the_source_is_cut_off_in_a_direct_load() {
    let trio = Trio::new("cut_direct");
    let says = ["failed while loading", "source: the connection was lost"];
    check(&trio, &trio.direct_settings_toml(), &trio.source_url(), Hop::Second, &says);
}

#[test]
fn the_replica_is_cut_off_in_hop_2() {
    let trio = Trio::new("cut_load");
    trio.sql_source(LONG);
    let url = trio.replica_url();
    let proxy = Proxy::to(&url);
    let etl = hasty(&instead(&trio.settings_toml(), &url, proxy.url()));
    etl.ok(&["run"]);
    trio.sql_source(NEWS);
    etl.ok(&["replicate"]);
    let before = Before::of(&trio);
    proxy.lay(Trap::Cut(MIDDLE));
    let done = etl.run(&["load"]);
    proxy.wait();
    before.fails_alone(&done, &["failed while loading", "replica: the connection was lost"]);
    before.replica_is_kept();
    etl.ok(&["load"]);
    mended(&etl);
}
