//! The record of every copy and load: four tables and the run lock.
//!
//! | Table | Where | Holds |
//! | --- | --- | --- |
//! | `etl_copy_status` | replica (without one: target) | one row a table: its last copy, and the one under way |
//! | `etl_load_status` | target | one row a table: its last load and the last proof |
//! | `etl_runs` | target | one row a run and table, and one for the run itself |
//!
//! [`Tracker`] is the only writer of all four. Every change of a state goes through
//! [`Tracker::update_pipeline_status`], except for the two that must be part of somebody else's
//! transaction: a [`TrackingHook`] writes those, as the last statement of the mover that holds it.
//! Both take what they write from one module, where each change is a list of columns and values.
//!
//! A run holds a [`RunLock`] for its whole life, ends what dead runs left running
//! ([`Tracker::end_orphans`]), asks [`reconcile`] what the tables of state and the databases
//! disagree on, and lets [`Tracker::settle`] finish or undo interrupted copies.
//!
//! # What a failure leaves
//!
//! A failed, cancelled or interrupted attempt changes a table's status and error. Its last good
//! copy, watermark, structure and figures stay.
//!
//! # What this crate does not do
//!
//! It moves, renames and drops no table but its own four, and never decides what to move.
//! No row values are stored, except for watermarks, which are typed bounds of one column.

#![warn(unreachable_pub)]

mod change;
mod changes;
mod error;
mod fence;
mod finding;
mod gone;
mod health;
mod history;
mod keeper;
mod last_move;
mod last_run;
mod layout;
mod lock;
mod moment;
mod origin;
mod orphans;
mod prepare;
mod proof;
mod published_move;
mod reconcile;
mod record;
mod seal;
mod source_record;
mod state;
mod status;
mod structure;
mod surroundings;
mod table_history;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text_fields;
mod tracker;
mod unchanged;
mod watermark;

pub use error::{Result, TrackingError};
pub use finding::{CopyRecovery, RecoveryFinding};
pub use health::TableHealth;
pub use last_move::LastMove;
pub use last_run::LastRun;
pub use layout::LAYOUT_VERSION;
pub use lock::{LockRefused, LockTerms, LockWait, LockingRun, RunLock};
pub use origin::{DataOrigin, RunIdentities};
pub use proof::{ProofOutcome, ProofRecord};
pub use published_move::PublishedMove;
pub use reconcile::reconcile;
pub use record::AttemptFacts;
pub use seal::TrackingHook;
pub use source_record::SourceRecord;
pub use state::{CopyState, LoadState, TrackedTable};
pub use status::AttemptStatus;
pub use structure::SchemaChange;
pub use table_history::TableHistory;
pub use tracker::Tracker;
pub use watermark::WatermarkAt;
