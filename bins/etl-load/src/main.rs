//! Carries tables from the replica into PostgreSQL: the second hop alone.

use handoff_cli::{Exit, command};

fn main() -> Exit {
    command::etl_load()
}
