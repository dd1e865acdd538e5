//! Places at which a test can have the process die or stand still.

use handoff_model::TableName;
#[cfg(any(test, feature = "fault-points"))]
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that arms one point.
#[cfg(feature = "fault-points")]
const VARIABLE: &str = "HANDOFF_FAULT_POINT";

/// The name of every point, in the order in which a table meets them.
pub const FAULT_POINTS: &[&str] = &[
    "objects.stood_aside",
    "structure.changed",
    "structure.committed",
    "replicator.opened",
    "replicator.begun",
    "replicator.filling",
    "replicator.filled",
    "replicator.indexed",
    "replicator.before_rename",
    "replicator.renamed",
    "replicator.sealed",
    "replicator.dropped_old",
    "replicator.before_commit",
    "replicator.committed",
    "replicator.keys_staged",
    "replicator.merge_staged",
    "replicator.merge_deleted",
    "replicator.merge_inserted",
    "replicator.merge_checked",
    "replicator.merge_sealed",
    "loader.opened",
    "loader.chunk_written",
    "loader.chunk_committed",
    "loader.moved",
    "loader.keys_staged",
    "loader.published",
    "loader.checked",
    "structure.finished",
    "loader.sealed",
    "loader.committed",
    "objects.described",
    "objects.unchecked",
    "objects.made",
];

/// Aborts the process here if a test asked for it: no destructor runs, no session is ended, as after
/// a `kill -9`. For tests only: without the feature `fault-points` this does nothing.
///
/// A point is armed by `HANDOFF_FAULT_POINT=name`, which may name a table and a hit as well:
/// `replicator.renamed:patient@2` is the second time that the table `patient` comes by. With `stop `
/// before the name the process is stopped instead, as by Ctrl-Z, until a SIGCONT: time for the test
/// to do something to a server. Unarmed it costs one look at a static, so it stands beside steps of a
/// table, never beside its rows.
///
/// Each name belongs into [`FAULT_POINTS`].
#[cfg(feature = "fault-points")]
pub fn fault_point(name: &str, table: &TableName) {
    use std::sync::OnceLock;
    static ARMED: OnceLock<Option<ArmedPoint>> = OnceLock::new();
    let armed =
        ARMED.get_or_init(|| std::env::var(VARIABLE).ok().map(|text| ArmedPoint::parse(&text)));
    if armed.as_ref().is_some_and(|armed| armed.is_due(name, table.as_str())) {
        if armed.as_ref().is_some_and(|armed| armed.stops) {
            stand_still();
            return;
        }
        log::error!("`{table}` meets the fault point {name}: the process is aborted");
        std::process::abort();
    }
}

/// Does nothing: fault points are for tests, and this build has none.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn fault_point(_: &str, _: &TableName) {}

#[cfg(feature = "fault-points")]
fn stand_still() {
    let id = std::process::id().to_string();
    let stopped = std::process::Command::new("kill").args(["-STOP", &id]).status();
    if !stopped.is_ok_and(|status| status.success()) {
        log::error!("a fault point cannot stop the process");
    }
}

/// The point at which to die.
#[cfg(any(test, feature = "fault-points"))]
#[derive(Debug)]
struct ArmedPoint {
    /// True if the process is stopped rather than aborted.
    #[cfg_attr(
        not(feature = "fault-points"),
        expect(dead_code, reason = "only parsed in unit tests")
    )]
    stops: bool,
    name: String,
    table: Option<String>,
    /// Counts down; due at 1.
    hits: AtomicU64,
}

#[cfg(any(test, feature = "fault-points"))]
impl ArmedPoint {
    /// Reads `[stop ]name[:table][@n]`.
    fn parse(text: &str) -> ArmedPoint {
        let (stops, text) = match text.strip_prefix("stop ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let nth = text.rsplit_once('@').and_then(|(rest, hit)| Some((rest, hit.parse().ok()?)));
        let (place, hit) = nth.unwrap_or((text, 1));
        let (name, table) = match place.split_once(':') {
            Some((name, table)) => (name, Some(table.to_owned())),
            None => (place, None),
        };
        ArmedPoint { stops, name: name.to_owned(), table, hits: AtomicU64::new(hit) }
    }

    /// Counts a hit, and returns true at the one that is meant.
    fn is_due(&self, name: &str, table: &str) -> bool {
        self.name == name
            && self.table.as_deref().is_none_or(|meant| meant == table)
            && self.hits.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn a_point_is_due_at_the_named_hit_of_the_named_table() {
        let due = |text: &str, hits: &[(&str, &str)]| -> Vec<bool> {
            let armed = ArmedPoint::parse(text);
            hits.iter().map(|(name, table)| armed.is_due(name, table)).collect()
        };
        assert_eq!(due("a.b", &[("a.c", "t"), ("a.b", "t"), ("a.b", "u")]), [false, true, false]);
        assert_eq!(due("a.b:u", &[("a.b", "t"), ("a.b", "u")]), [false, true]);
        let hits = [("a.b", "t"), ("a.b", "u"), ("a.b", "t")];
        assert_eq!(due("a.b@2", &hits), [false, true, false]);
        assert_eq!(due("a.b:t@2", &hits), [false, false, true]);
        assert_eq!(due("a.b:t@x", &[("a.b", "t@x")]), [true]);
        assert_eq!(due("stop a.b:u", &[("a.b", "t"), ("a.b", "u")]), [false, true]);
    }

    #[test]
    fn every_point_in_the_code_is_in_the_list_and_every_one_in_the_list_is_in_the_code() {
        let listed: BTreeSet<String> = FAULT_POINTS.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(listed.len(), FAULT_POINTS.len());
        let mut used = BTreeSet::new();
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for package in std::fs::read_dir(crates).unwrap() {
            collect(&package.unwrap().path().join("src"), &mut used);
        }
        assert_eq!(used, listed);
    }

    /// Gathers the names that follow `fault_point(` in a folder's sources.
    fn collect(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in text.split("fault_point(").skip(1) {
                let Some((name, _)) = call.trim_start()[1..].split_once('"') else { continue };
                if name.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '_')) {
                    names.insert(name.to_owned());
                }
            }
        }
    }
}
