//! Carries tables from the source into the replica: the first hop alone.

use handoff_cli::{Exit, command};

fn main() -> Exit {
    command::etl_replicate()
}
