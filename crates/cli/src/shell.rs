//! The settings, screen and cancellation that every command has at hand.

use crate::args::CommonArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::logging::Verbosity;
use crate::screen::Screen;
use crate::{failure, interrupt, logging, screen};
use handoff_model::{CancelToken, visible_json, visible_lines};
use handoff_settings::{RunSettings, Settings};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// A command's surroundings: where it reads settings, and how much it says.
pub(crate) struct Shell {
    pub(crate) screen: Screen,
    pub(crate) verbosity: Verbosity,
    /// The configuration file.
    pub(crate) config: PathBuf,
}

impl Shell {
    /// Sets up logging, does `work`, and says on standard error why it failed if it
    /// does.
    pub(crate) fn run(
        program: &str,
        common: &CommonArgs,
        work: impl FnOnce(&Shell) -> Result<Exit, Failure>,
    ) -> Exit {
        let shell = Shell {
            screen: Screen::new(),
            verbosity: common.verbosity(),
            config: common.config.clone(),
        };
        logging::start(shell.verbosity, &shell.screen);
        logging::hide_panics(&shell.screen);
        let done = catch_unwind(AssertUnwindSafe(|| work(&shell)));
        done.unwrap_or(Err(Failure::Panic)).unwrap_or_else(|failure| {
            shell.screen.write(visible_lines(&failure::chain(program, &failure)).as_bytes());
            failure.exit()
        })
    }

    /// Returns a request to stop that Ctrl-C makes from now on.
    pub(crate) fn cancelled_by_signals(&self) -> Result<CancelToken, Failure> {
        let cancel = CancelToken::new();
        interrupt::watch(&cancel, &self.screen).map_err(Failure::Signals)?;
        Ok(cancel)
    }

    /// Has Ctrl-C end the process from now on: for a command that only looks.
    pub(crate) fn ended_by_signals(&self) -> Result<(), Failure> {
        interrupt::end_at_once().map_err(Failure::Signals)
    }

    /// Has the process end by itself once it has taken as long as these settings allow: for a command that only
    /// looks.
    pub(crate) fn ended_in_time(&self, run: &RunSettings) {
        interrupt::end_after(run.max_duration, &self.screen);
    }

    /// Reads the settings, and warns of what they had better not say.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let settings = self.untold_settings()?;
        settings.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        Ok(settings)
    }

    /// Reads the settings, and leaves it to the caller to warn.
    pub(crate) fn untold_settings(&self) -> Result<Settings, Failure> {
        Ok(Settings::load(&self.config)?)
    }

    /// Reads the settings, and puts in place of theirs the `jobs` of the command line.
    pub(crate) fn settings_with(&self, jobs: Option<NonZeroUsize>) -> Result<Settings, Failure> {
        let mut settings = self.settings()?;
        settings.run.jobs = jobs.unwrap_or(settings.run.jobs);
        Ok(settings)
    }

    /// Writes a result to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        screen::print(text).map_err(Failure::Output)
    }

    /// Writes a result to standard output as one JSON document.
    pub(crate) fn print_json(&self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let mut text =
            serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
        text.push('\n');
        self.print(&visible_json(&text))
    }
}
