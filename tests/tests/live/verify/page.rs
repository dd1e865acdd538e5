//! The report as a page.

use crate::etl::Etl;
use handoff_testbed::Trio;
use handoff_testbed::practice::{self, Practice};
use std::path::Path;

#[test]
fn a_page_names_what_differs_and_holds_no_value() {
    let trio = Trio::new("verify page");
    practice::create(&mut trio.source(), &Practice::at_scale(0.002)).unwrap();
    let etl = Etl::new(&trio);
    etl.ok(&["run", "--prove"]);
    trio.sql_target(
        "UPDATE raw.patient SET \"LName\" = 'Changed' WHERE \"PatNum\" % 40 = 1; \
         DELETE FROM raw.procedurelog WHERE \"ProcNum\" % 9 = 1; \
         INSERT INTO raw.commlog SELECT (jsonb_populate_record(c, \
             jsonb_build_object('CommlogNum', \"CommlogNum\" + 10000000))).* \
             FROM raw.commlog c LIMIT 77",
    );
    trio.sql_replica("UPDATE document SET Note = 'Changed' LIMIT 5; DROP TABLE provider");
    let page = etl.folder().join("drift.html");
    let done = etl.exits(1, &["verify", "--html", "drift.html"]);
    let html = std::fs::read_to_string(&page).unwrap();
    for name in ["patient", "procedurelog", "commlog", "document", "provider", "LName"] {
        assert!(html.contains(name), "{name} is not on the page\n{}", done.stdout);
    }
    assert!(
        !html.contains(practice::PLANTED) && !html.contains("Changed"),
        "a value is on the page"
    );
    assert!(!html.contains("http"), "the page asks the network");
    // To be looked at.
    std::fs::copy(&page, Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift.html")).unwrap();
}

#[test]
fn a_page_that_cannot_be_written_costs_no_comparison() {
    let trio = Trio::new("verify page nowhere");
    let done = Etl::new(&trio).exits(2, &["verify", "--html", "no/such/folder/drift.html"]);
    assert!(done.stderr.contains("no/such/folder/drift.html"), "{}", done.stderr);
}
