//! Sessions mean the same whatever a role, a database or a server defaults to, and run nothing of
//! anybody else's.

mod defaults;
mod names;
mod planted;
mod server_logs;

use crate::etl::Etl;

/// Runs every command that opens sessions, with changed rows in between.
#[track_caller]
fn every_command(etl: &Etl, change: impl FnOnce()) {
    etl.ok(&["check"]);
    etl.ok(&["plan"]);
    etl.ok(&["run"]);
    change();
    etl.ok(&["plan"]);
    etl.ok(&["run", "--prove"]);
    etl.ok(&["run", "--full"]);
    etl.ok(&["status"]);
    etl.ok(&["verify"]);
    etl.ok(&["repair"]);
}
