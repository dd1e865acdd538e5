//! The page of the commands (`docs/commands.md`), made from their definitions.

use crate::args::EtlArgs;
use clap::{Command, CommandFactory};
use std::fmt::Write;

/// The columns of a help text on the page.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Commands

The help texts of `etl`, in the order in which the commands are used. `etl demo` is in binaries that were built with the
feature `demo`; `etl-replicate` and `etl-load` are `etl replicate` and `etl load` as programs of their own.

<!-- made by HANDOFF_BLESS=1 cargo test -p handoff-cli -->
";

/// Returns the page.
fn page() -> String {
    let mut etl = EtlArgs::command().term_width(WIDTH);
    etl.build();
    let mut page = HEAD.to_owned();
    section(&mut page, &etl);
    for command in etl.get_subcommands().filter(|command| is_on_the_page(command)) {
        section(&mut page, command);
    }
    page
}

fn is_on_the_page(command: &Command) -> bool {
    !command.is_hide_set() && !["demo", "help"].contains(&command.get_name())
}

fn section(page: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let help = command.clone().term_width(WIDTH).render_help().to_string();
    let help: Vec<&str> = help.lines().filter(|line| !line.starts_with("  demo ")).collect();
    write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end()).unwrap();
}

/// With `HANDOFF_BLESS=1` the page is written instead of compared.
#[test]
fn the_page_of_the_commands_is_as_their_help_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
    if std::env::var_os("HANDOFF_BLESS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/commands.md differs from the help texts; run HANDOFF_BLESS=1 cargo test -p handoff-cli"
    );
}
