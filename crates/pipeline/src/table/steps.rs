//! The steps of a table, as data.
//!
//! [`Route`] has all that decides which steps a table takes, and [`steps`] says which: a function without
//! side effects. A window that is moved in slices adds steps on its way ([`slice_steps`]), since the source is
//! asked for the end of each slice when the one before it has arrived.
//!
//! A publication is one step: the window, the keys that a sweep found and the counts that are asked inside
//! the publishing transaction belong to one [`Step::CopyRows`] or [`Step::LoadRows`].

use handoff_connect::Side;
use handoff_loader::LoadMode;
use handoff_model::{Deletes, ProofBy, TablePhase};
use handoff_plan::Hops;

/// The conditions that are the same for all tables of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stages {
    pub(crate) hops: Hops,
    pub(crate) has_replica: bool,
    pub(crate) proof: ProofBy,
}

/// The rows that an attempt is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// None: nothing was written to the table.
    Nothing,
    /// The rows that a comparison names.
    Differing,
    /// The rows that may have changed since a watermark.
    Window,
    /// All of them.
    Everything,
}

impl Goal {
    /// Returns true if the rows of a watermark's window are moved.
    pub(crate) fn is_window(self) -> bool {
        self == Goal::Window
    }
}

/// All that decides which steps an attempt takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) goal: Goal,
    pub(crate) stages: Stages,
    pub(crate) deletes: Deletes,
    /// True if the table has watermark columns.
    pub(crate) has_window: bool,
    /// True if hop 1 takes a window in slices.
    pub(crate) is_cut: bool,
    /// True if hop 2 loads everything although hop 1 copies some rows.
    pub(crate) loads_all: bool,
    /// True if hop 1 has anything to do: false if the replica holds a copy that is only to be loaded.
    pub(crate) copies: bool,
    /// True if the table is moved as configured, and had no row when it was last moved.
    pub(crate) was_empty: bool,
    pub(crate) is_repair: bool,
    /// True if the attempt takes the place of one that turned out not to do.
    pub(crate) is_second: bool,
    /// True if the attempt was made once already.
    pub(crate) is_again: bool,
}

/// The first and the last of the databases to compare, in the order of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Between {
    pub(crate) first: Side,
    pub(crate) last: Side,
}

/// The numbers of rows that are compared before a load is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// None: every row was read, and the target took as many.
    Nothing,
    /// Those of replica and target, to which nobody else writes.
    Ours,
    /// Those of the database that was read and of the target, as far as writes since the probe do not explain
    /// a difference.
    SinceProbe,
}

/// One thing that is done to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Asks whether no database has a row, as when the table was last moved: then nothing is left to do.
    AskEmpty,
    /// Asks the source for the end of the window. Nothing is left to do if no row is in it and the counts are
    /// those that were recorded.
    Probe,
    /// Compares every row, and refuses if too many differ or would be deleted.
    Compare(Between),
    /// Refuses if so many rows are gone that a move of everything would be refused.
    ForeseeLoss,
    /// Asks the source for the end of the next slice, and has it copied before it is asked again.
    CutWindow {
        /// True if no slice was cut yet.
        is_first: bool,
    },
    /// Compares the keys of two databases, and refuses if too many differ or would be deleted. The next
    /// publication brings the others into line.
    Sweep(Between),
    /// Publishes the slice that was cut, or the whole window or table, in the replica, with the swept keys.
    CopyRows {
        /// True if the rows of both sides are counted before.
        counts: bool,
    },
    /// Publishes the rows that the comparison named in the replica.
    CopyKeys,
    /// Takes the copy in the replica, or without a replica the source, for the load.
    TakeCopy,
    /// Compares the bytes of all rows of source and replica.
    CompareCopy,
    /// Publishes the copied rows in the target, with the swept keys.
    LoadRows(Counting),
    /// Publishes the rows that the comparison named in the target.
    LoadKeys(Counting),
    /// Publishes the rows of a file that an earlier load kept.
    LoadFile,
    /// Compares every row of the first database and the target, but for rows that stay.
    CompareRetained,
}

impl Step {
    /// Returns the hop that a step publishes.
    pub(crate) fn phase(self) -> Option<TablePhase> {
        match self {
            Step::CopyRows { .. } | Step::CopyKeys => Some(TablePhase::Copy),
            Step::LoadRows(_) | Step::LoadKeys(_) | Step::LoadFile => Some(TablePhase::Load),
            _ => None,
        }
    }
}

impl Route {
    /// Returns true if some rows are moved, so that everything may yet take their place.
    pub(crate) fn moves_some(&self) -> bool {
        matches!(self.goal, Goal::Window | Goal::Differing)
    }

    /// Returns true if hop 1 writes to a replica.
    pub(crate) fn makes_copy(&self) -> bool {
        self.stages.has_replica && self.stages.hops != Hops::Load && self.copies
    }

    /// Returns true if hop 2 reads every row.
    pub(crate) fn loads_everything(&self) -> bool {
        !self.moves_some() || self.loads_all
    }

    /// Returns whether target rows absent from the load are deleted.
    pub(crate) fn load_mode(&self) -> LoadMode {
        if self.loads_everything() { LoadMode::Full } else { LoadMode::Incremental }
    }

    /// Returns true if rows that are gone are looked for by comparing keys.
    pub(crate) fn sweeps(&self) -> bool {
        self.goal == Goal::Window && self.deletes == Deletes::Sweep
    }

    /// Returns true if rows that are gone from the source stay.
    pub(crate) fn retains(&self) -> bool {
        let keeps = self.goal == Goal::Window || (self.is_repair && self.goal == Goal::Differing);
        keeps && self.deletes == Deletes::Ignore
    }

    /// Returns true if every row is compared.
    pub(crate) fn proves_rows(&self) -> bool {
        self.stages.proof == ProofBy::Rows
    }

    /// Returns true if rows are counted: where some were moved, and where everything took their place.
    pub(crate) fn counts(&self) -> bool {
        !self.proves_rows() && (self.goal == Goal::Window || self.is_second)
    }

    /// Returns true if the source is asked for the end of the window.
    pub(crate) fn probes(&self) -> bool {
        self.has_window && self.stages.hops != Hops::Load && self.copies
    }

    /// Returns true if a loss is told by counts alone, and a window would change the replica before they are.
    fn foresees_loss(&self) -> bool {
        let by_count = self.goal == Goal::Window && self.counts();
        by_count && self.probes() && !self.sweeps() && !self.retains()
    }

    /// Returns the numbers of rows that are compared before a load is published.
    fn counting(&self) -> Counting {
        let reads_replica = self.stages.hops == Hops::Load && self.goal == Goal::Window;
        if self.counts() && self.probes() && self.goal != Goal::Differing {
            Counting::SinceProbe
        } else if self.goal == Goal::Differing || reads_replica {
            Counting::Ours
        } else {
            Counting::Nothing
        }
    }
}

const SOURCE_AND_REPLICA: Between = Between { first: Side::Source, last: Side::Replica };

/// Returns the steps of an attempt, in order.
pub(crate) fn steps(route: &Route) -> Vec<Step> {
    match route.goal {
        Goal::Nothing => Vec::new(),
        Goal::Differing => steps_by_comparison(route),
        Goal::Window | Goal::Everything => {
            let mut steps = Vec::new();
            let may_be_empty = route.stages.hops == Hops::Both && !route.proves_rows();
            steps.extend((route.was_empty && may_be_empty).then_some(Step::AskEmpty));
            steps.extend(route.probes().then_some(Step::Probe));
            steps.extend(first_hop(route));
            if route.stages.hops != Hops::Copy {
                steps.extend(second_hop(route));
            }
            steps
        }
    }
}

fn first_hop(route: &Route) -> Vec<Step> {
    if !route.makes_copy() {
        return vec![Step::TakeCopy];
    }
    let mut steps = Vec::new();
    steps.extend(route.foresees_loss().then_some(Step::ForeseeLoss));
    let is_cut = route.is_cut && route.goal == Goal::Window && route.probes();
    steps.extend(is_cut.then_some(Step::CutWindow { is_first: true }));
    steps.extend(route.sweeps().then_some(Step::Sweep(SOURCE_AND_REPLICA)));
    steps.push(Step::CopyRows { counts: route.counts() && route.probes() });
    // Rows that stay differ for good.
    let compares = route.proves_rows() && !route.retains();
    steps.extend(compares.then_some(Step::CompareCopy));
    steps
}

fn second_hop(route: &Route) -> Vec<Step> {
    let mut steps = Vec::new();
    if route.sweeps() && !route.loads_everything() {
        let first = if route.stages.has_replica { Side::Replica } else { Side::Source };
        steps.push(Step::Sweep(Between { first, last: Side::Target }));
    }
    steps.push(Step::LoadRows(route.counting()));
    steps.extend((route.proves_rows() && route.retains()).then_some(Step::CompareRetained));
    steps
}

/// Returns the steps of a table of which only the rows that differ are moved.
fn steps_by_comparison(route: &Route) -> Vec<Step> {
    let behind = if route.makes_copy() { Side::Replica } else { Side::Target };
    let mut steps = vec![Step::Compare(Between { first: Side::Source, last: behind })];
    steps.extend(first_hop_of_keys(route, route.makes_copy()));
    match route.stages.hops {
        Hops::Copy => {}
        _ if route.makes_copy() && route.loads_everything() => {
            steps.push(Step::LoadRows(Counting::Ours));
        }
        _ => steps.push(load_keys(route)),
    }
    steps
}

/// Returns the steps that bring the rows into line that a comparison of a repair named. Hop 1 is made if the
/// replica lacks any of them, or may.
pub(crate) fn repair_steps(route: &Route, copies_keys: bool) -> Vec<Step> {
    let mut steps = first_hop_of_keys(route, copies_keys && route.makes_copy());
    steps.push(load_keys(route));
    steps
}

fn first_hop_of_keys(route: &Route, copies_keys: bool) -> Vec<Step> {
    match copies_keys {
        true if route.proves_rows() && !route.retains() => vec![Step::CopyKeys, Step::CompareCopy],
        true => vec![Step::CopyKeys],
        false => vec![Step::TakeCopy],
    }
}

fn load_keys(route: &Route) -> Step {
    let ours = route.stages.has_replica;
    Step::LoadKeys(if ours { Counting::Ours } else { Counting::Nothing })
}

/// Returns the steps of a slice that was cut and is not the last. Before the first of them is published, a
/// sweep makes the refusals that would come at the end.
pub(crate) fn slice_steps(route: &Route, is_first: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend((is_first && route.sweeps()).then_some(Step::Sweep(SOURCE_AND_REPLICA)));
    steps.push(Step::CopyRows { counts: false });
    steps.push(Step::CutWindow { is_first: false });
    steps
}

#[cfg(test)]
mod tests;
