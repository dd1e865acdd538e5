//! Priorities, then sizes.

use super::{Begun, run, settings, table};
use handoff_model::Priority;
use handoff_pipeline::Pipeline;
use handoff_testbed::Trio;
use std::sync::Arc;

#[test]
fn high_comes_before_medium_before_low_and_large_before_small() {
    let trio = Trio::new("order");
    for (name, rows) in
        [("huge_low", 5_000), ("large", 3_000), ("small", 10), ("tiny_high", 5), ("urgent", 100)]
    {
        table(&trio, name, "MyISAM", rows);
    }
    let toml = trio.settings_toml()
        + "[run]\njobs = 1\n[tables.huge_low]\npriority = \"low\"\n\
           [tables.tiny_high]\npriority = \"high\"\n[tables.urgent]\npriority = \"high\"\n";
    let begun = Arc::new(Begun::default());
    let report = run(&Pipeline::new(settings(&toml)).observer(Arc::clone(&begun) as _));
    assert!(report.ok, "{}", report.conclusion());
    let order = begun.0.lock().unwrap().clone();
    assert_eq!(order, ["urgent", "tiny_high", "large", "small", "huge_low"]);
    let priority = |at: usize| report.tables[at].plan.as_ref().unwrap().priority;
    assert_eq!(
        [0, 1, 3].map(priority),
        [Priority::Low, Priority::Medium, Priority::High],
        "of huge_low, large, tiny_high"
    );
}
