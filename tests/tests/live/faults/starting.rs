//! A connection that is lost while a run makes itself ready.

use super::proxy::{Proxy, Trap};
use super::{TWO, instead, mended};
use crate::etl::Etl;
use handoff_testbed::Trio;

/// Bytes of one connection after which it is cut: in the sign-in, the set-up, the catalogues, the tracking tables.
const BYTES: [u64; 9] = [40, 200, 600, 1_200, 2_500, 5_000, 9_000, 16_000, 30_000];
/// More connections than a start has to one server.
const MOST_CONNECTIONS: u64 = 40;

struct Side {
    name: &'static str,
    url: fn(&Trio) -> String,
}

const SIDES: [Side; 3] = [
    Side { name: "source", url: Trio::source_url },
    Side { name: "replica", url: Trio::replica_url },
    Side { name: "target", url: Trio::target_url },
];

/// Every run ends with 0, wherever its start was cut.
#[test]
fn a_connection_that_is_cut_during_the_start_costs_no_run() {
    for side in &SIDES {
        let trio = Trio::new(&format!("start_{}", side.name));
        trio.sql_source(TWO);
        let url = (side.url)(&trio);
        let proxy = Proxy::to(&url);
        let etl = Etl::with(&instead(&trio.settings_toml(), &url, proxy.url()));
        let bytes = BYTES.map(Trap::Cut);
        let sprung = bytes.into_iter().filter(|&trap| is_survived(&etl, &proxy, trap)).count();
        assert!(sprung >= 5, "{}: too few bytes went by", side.name);
        let nth = (1..MOST_CONNECTIONS).map(Trap::CutNth);
        let sprung = nth.take_while(|&trap| is_survived(&etl, &proxy, trap)).count();
        assert!((2..30).contains(&sprung), "{}: {sprung} connections", side.name);
        mended(&etl);
    }
}

/// Runs with a trap, fails unless that ends with 0, and returns true if the trap has sprung.
#[track_caller]
fn is_survived(etl: &Etl, proxy: &Proxy, trap: Trap) -> bool {
    proxy.lay(trap);
    let done = etl.run(&["run"]);
    let sprung = proxy.has_sprung();
    assert_eq!(done.code, Some(0), "{trap:?}\n{}\n{}", done.stdout, done.stderr);
    sprung
}
