//! What the commands do.

mod check;
mod demo;
mod init;
mod plan;
mod repair;
mod run;
mod status;
mod verify;

use crate::Exit;
use crate::args::{Command, Etl, EtlLoad, EtlReplicate};
use crate::shell::Shell;
use clap::Parser;
use handoff_pipeline::Hops;

/// Runs `etl` with the arguments of the process.
pub fn etl() -> Exit {
    let etl = Etl::parse();
    Shell::run("etl", &etl.common, |shell| match &etl.command {
        Command::Run(args) => run::run(shell, args, Hops::Both),
        Command::Replicate(args) => run::run(shell, args, Hops::Copy),
        Command::Load(args) => run::load(shell, args),
        Command::Plan(args) => plan::plan(shell, args),
        Command::Status(args) => status::status(shell, args),
        Command::Init(args) => init::init(shell, args),
        Command::Check(args) => check::check(shell, args),
        Command::Verify(args) => verify::verify(shell, args),
        Command::Repair(args) => repair::repair(shell, args),
        Command::Demo(args) => demo::demo(shell, args),
    })
}

/// Runs `etl-replicate` with the arguments of the process.
pub fn etl_replicate() -> Exit {
    let args = EtlReplicate::parse();
    Shell::run("etl-replicate", &args.common, |shell| run::run(shell, &args.run, Hops::Copy))
}

/// Runs `etl-load` with the arguments of the process.
pub fn etl_load() -> Exit {
    let args = EtlLoad::parse();
    Shell::run("etl-load", &args.common, |shell| run::load(shell, &args.load))
}
