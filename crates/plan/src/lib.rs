//! The plan of a run: what becomes of every table, decided before anything moves.
//!
//! [`PlanInputs`] hold every fact that a plan needs: settings, catalogues, the tracked states, the clock of the
//! source. [`plan`] makes one [`TablePlan`] a table of them, or a [`PlanError`]. Nothing in this crate asks a server:
//! the facts are gathered by `handoff-session`, so that every decision can be tested as data.
//!
//! A [`TablePlan`] holds everything that both hops need to know of one table. Nothing behind the plan reads settings,
//! analyses a schema or decides again.

mod auto;
mod change_token;
mod clock;
mod decide;
mod error;
mod hops;
mod load_strategy;
mod names;
mod omissions;
mod only_failed;
mod plan;
mod replica_place;
mod table_plan;
mod target_fit;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod window;

pub use auto::AutoFacts;
pub use change_token::{ChangeDetector, NoChangeToken, ServerFacts};
pub use clock::SourceClock;
pub use decide::{Decision, DecisionInputs, decide};
pub use error::PlanError;
pub use hops::Hops;
pub use load_strategy::{ReadFrom, StrategyChoice, choose_strategy};
pub use names::{NameWeight, UnmatchedName, excused, suspects, unmatched};
pub use omissions::{OmissionItem, OmissionReport};
pub use only_failed::is_left_over;
pub use plan::{Plan, PlanInputs, RefusedTable, plan};
pub use replica_place::check_place;
pub use table_plan::{PlanReport, TablePlan};
pub use target_fit::TargetRefusal;
pub use window::{NoWindow, WatermarkColumn, WatermarkKind, Window, moment};
