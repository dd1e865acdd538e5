//! Live tests: one binary, a module per subject, one set of servers for all of them.
//!
//! They fail, and are never skipped, where MariaDB or PostgreSQL can't be started. A test takes its
//! own three databases with `Trio::new("its name")`; one that stops or kills a server starts its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod auto;
mod bad_input;
mod certificates;
mod check;
mod connect;
mod definitions;
mod diff;
mod engines;
mod etl;
mod fault_points;
mod faults;
mod identity;
mod incremental;
mod init;
mod loader;
mod meanwhile;
mod names;
mod objects;
mod old_failures;
mod omissions;
mod one_bit;
mod orchestration;
mod plan;
mod practice;
mod proofs;
mod publication;
mod repair;
mod replicator;
mod rogue_answers;
mod rogue_auth;
mod rogue_silence;
mod rows;
mod schema;
mod second_run;
mod sessions;
mod shows;
mod statements;
mod structure;
mod surroundings;
mod testbed;
mod testbed_ends;
mod tracking;
mod types;
mod unchanged;
mod verify;
