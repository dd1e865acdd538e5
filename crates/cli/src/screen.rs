//! Standard error and standard output.

use handoff_model::visible_lines;
use indicatif::{MultiProgress, ProgressDrawTarget};
use std::io::{self, IsTerminal, Write};

/// Standard error, shared by log lines and progress bars so that neither writes into the other.
#[derive(Clone, Debug)]
pub struct Screen {
    bars: MultiProgress,
    terminal: bool,
}

impl Screen {
    /// Takes standard error as it is: a terminal shows bars, anything else does not.
    pub fn new() -> Screen {
        let terminal = io::stderr().is_terminal();
        let target =
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Screen { bars: MultiProgress::with_draw_target(target), terminal }
    }

    /// Returns true if a person may be looking.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns where bars are added.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes to standard error above the bars. What cannot be written is lost, since there is
    /// nowhere left to say so.
    pub fn write(&self, text: &[u8]) {
        self.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(text);
        });
    }
}

impl Default for Screen {
    fn default() -> Screen {
        Screen::new()
    }
}

/// Writes a result to standard output, with what could move the cursor or hide a text as its escape. A reader that has gone, as `etl status | head` leaves it, is
/// no fault.
///
/// # Errors
///
/// Returns the error of any other failed write, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let text = visible_lines(text);
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
