//! `etl completions` and `etl man`: what a shell and `man` read.

use crate::args::{CompletionsArgs, EtlArgs, ManArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shell::Shell;
use clap::{Command, CommandFactory};
use clap_complete::env::{EnvCompleter, Shells};
use clap_mangen::Man;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::{env, fs};

/// Prints the script that makes a shell complete the lines of `etl`.
pub(super) fn completions(shell: &Shell, args: &CompletionsArgs) -> Result<Exit, Failure> {
    let name = args.shell.clone().or_else(shell_of_the_user);
    let name = name.ok_or(Failure::UnknownShell { name: None })?;
    let shells = Shells::builtins();
    let Some(completer) = shells.completer(&name) else {
        return Err(Failure::UnknownShell { name: Some(name) });
    };
    shell.print(&registration(completer).map_err(Failure::Output)?)?;
    Ok(Exit::Well)
}

/// Writes the pages of the manual, one a command, into a directory.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let failed = |source| Failure::Write { path: args.directory.clone(), source };
    fs::create_dir_all(&args.directory).map_err(failed)?;
    let mut etl = EtlArgs::command();
    etl.build();
    write_pages(&etl, &args.directory).map_err(failed)?;
    Ok(Exit::Well)
}

fn registration(completer: &dyn EnvCompleter) -> io::Result<String> {
    let mut script = Vec::new();
    completer.write_registration("COMPLETE", "etl", "etl", "etl", &mut script)?;
    String::from_utf8(script).map_err(io::Error::other)
}

/// The name of the user's shell: the last part of `SHELL`.
fn shell_of_the_user() -> Option<String> {
    let path = env::var_os("SHELL")?;
    Path::new(&path).file_name().and_then(OsStr::to_str).map(str::to_owned)
}

/// Writes the page of a command and those of the commands below it.
fn write_pages(command: &Command, directory: &Path) -> io::Result<()> {
    Man::new(command.clone()).generate_to(directory)?;
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown
        .filter(|below| below.get_name() != "help")
        .try_for_each(|below| write_pages(below, directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_a_script() {
        for name in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let shells = Shells::builtins();
            let script = registration(shells.completer(name).unwrap()).unwrap();
            assert!(script.contains("COMPLETE"), "{name}");
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        man(&ManArgs { directory: directory.path().join("man") }).unwrap();
        let page =
            |name: &str| fs::read_to_string(directory.path().join("man").join(name)).unwrap();
        assert!(page("etl.1").contains("etl\\-run(1)"));
        for command in ["check", "init", "plan", "repair", "run", "schema", "status", "verify"] {
            assert!(page(&format!("etl-{command}.1")).contains("Examples"), "{command}");
        }
    }
}
