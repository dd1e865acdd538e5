//! Carries a MySQL or MariaDB database into PostgreSQL: every command of Handoff.

use handoff_cli::{Exit, command};

fn main() -> Exit {
    command::etl()
}
