//! Both hops take their rows from one plan: the slices of hop 1 are the window of hop 2, without a gap.

use crate::table::attempt::{Attempt, WindowSlice};
use crate::table::probe::Probe;
use crate::table::steps::Stages;
use handoff_model::{Extraction, LoadMode, ProofBy, Reason, RowFilter};
use handoff_plan::Hops;
use handoff_plan::testing::{SampleTable, bounds, sample_tables};
use proptest::prelude::*;

/// The slices that a run would cut: the first column's window in two, or one slice.
fn slices(attempt: &Attempt<'_>, world: &SampleTable) -> Vec<WindowSlice> {
    let whole = vec![attempt.whole(None)];
    let (Extraction::IncrementalChunked, [end]) = (world.extraction, &world.marks[..]) else {
        return whole;
    };
    let window = attempt.plan.window.as_ref().unwrap();
    let next = vec![(window.columns[0].clone(), end.clone())];
    let probe = Probe { rows: 0, changed: None, next };
    let mut cut = attempt.cut(Some(&probe)).unwrap();
    vec![cut.slice(Some(end.clone())), cut.slice(None)]
}

proptest! {
    #[test]
    fn both_hops_take_the_same_rows(world in sample_tables()) {
        let context = world.planned();
        let attempt = Attempt::planned(&context);
        let slices = slices(&attempt, &world);
        let stages = Stages { hops: Hops::Both, has_replica: true, proof: ProofBy::Sums };
        let mode = |attempt: &Attempt<'_>| attempt.route(stages).load_mode();
        // Hop 2 takes the window of the plan, and the slices of hop 1 are that, without a gap.
        prop_assert_eq!(mode(&attempt), LoadMode::Incremental);
        prop_assert_eq!(attempt.rows_to_load(LoadMode::Incremental), &context.filter);
        let starts = bounds(&slices[0].filter)[0].from.clone();
        prop_assert_eq!(&starts, &bounds(&context.filter)[0].from);
        // What is moved beside it comes first.
        prop_assert_eq!(&bounds(&slices[0].filter)[1..], &bounds(&context.filter)[1..]);
        for pair in slices.windows(2) {
            let (one, next) = (&bounds(&pair[0].filter)[0], &bounds(&pair[1].filter)[0]);
            prop_assert_eq!(one.below.as_ref(), Some(&next.from));
            prop_assert_eq!(&one.column, &next.column);
        }
        prop_assert_eq!(&bounds(&slices.last().unwrap().filter)[0].below, &None);
        let attempt = attempt.in_full(Reason::RowsDeleted);
        prop_assert_eq!(&attempt.whole(None).filter, &RowFilter::All);
        prop_assert_eq!(mode(&attempt), LoadMode::Full);
        prop_assert_eq!(attempt.rows_to_load(LoadMode::Full), &RowFilter::All);
    }
}
