//! The commands.

mod check;
#[cfg(feature = "demo")]
mod demo;
mod init;
mod plan;
mod repair;
mod run;
mod run_ending;
mod schema;
mod shells;
mod status;
mod verify;

use crate::args::{EtlArgs, EtlCommand, EtlLoad, EtlReplicate};
use crate::exit::Exit;
use crate::shell::Shell;
use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use handoff_pipeline::Hops;

/// Runs `etl` with the arguments of the process.
pub fn etl() -> Exit {
    // Answers a shell that asks how a line may go on (by the variable `COMPLETE`), and ends the process.
    CompleteEnv::with_factory(EtlArgs::command).complete();
    let etl = EtlArgs::parse();
    Shell::run("etl", &etl.common, |shell| match &etl.command {
        EtlCommand::Init(args) => init::init(shell, args),
        EtlCommand::Check(args) => check::check(shell, args),
        EtlCommand::Plan(args) => plan::plan(shell, args),
        EtlCommand::Run(args) => run::run(shell, args, Hops::Both),
        EtlCommand::Status(args) => status::status(shell, args),
        EtlCommand::Verify(args) => verify::verify(shell, args),
        EtlCommand::Repair(args) => repair::repair(shell, args),
        EtlCommand::Schema(args) => schema::schema(shell, args),
        EtlCommand::Replicate(args) => run::run(shell, args, Hops::Copy),
        EtlCommand::Load(args) => run::load(shell, args),
        EtlCommand::Completions(args) => shells::completions(shell, args),
        EtlCommand::Man(args) => shells::man(args),
        #[cfg(feature = "demo")]
        EtlCommand::Demo(args) => demo::demo(shell, args),
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
