//! Progress on a terminal: an overall line and one for each running table.

use super::notices::say;
use super::tally::RunTally;
use crate::human::{count, duration, per_second};
use crate::screen::Screen;
use handoff_model::{Observer, RunEvent, TableName};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(super) struct Bars {
    bars: MultiProgress,
    state: Mutex<BarState>,
}

struct BarState {
    tally: RunTally,
    overall: ProgressBar,
    tables: HashMap<TableName, ProgressBar>,
}

impl Bars {
    pub(super) fn new(screen: &Screen, hops: u8) -> Bars {
        let overall = ProgressBar::hidden()
            .with_style(style("{elapsed:>8}  {prefix}  {bar:24} {percent:>3} %  {rate}  {left}"));
        let state = BarState { tally: RunTally::new(hops), overall, tables: HashMap::new() };
        Bars { bars: screen.bars().clone(), state: Mutex::new(state) }
    }
}

impl Observer for Bars {
    fn event(&self, event: &RunEvent) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.tally.note(event);
            state.draw(event, &self.bars);
        }
        say(event);
    }
}

impl BarState {
    fn draw(&mut self, event: &RunEvent, bars: &MultiProgress) {
        match event {
            RunEvent::RunStarted { .. } => {
                self.overall.reset();
                self.overall = bars.add(self.overall.clone());
                self.overall.enable_steady_tick(Duration::from_millis(250));
            }
            RunEvent::Progress { table, .. } => self.draw_table(table, bars),
            RunEvent::PhaseFinished { table, .. } | RunEvent::TableFinished { table, .. } => {
                if let Some(bar) = self.tables.remove(table) {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
            }
            RunEvent::RunFinished { .. } => self.overall.finish_and_clear(),
            _ => return,
        }
        self.overall.set_length(self.tally.expected());
        self.overall.set_position(self.tally.moved());
        self.overall.set_prefix(self.tally.tables());
    }

    /// Draws a table's line, from its first report on: a table that is done before it reports
    /// would only flicker.
    fn draw_table(&mut self, table: &TableName, bars: &MultiProgress) {
        let Some(step) = self.tally.step(table) else { return };
        let bar = self.tables.entry(table.clone()).or_insert_with(|| {
            let bar = match step.expected {
                Some(rows) => ProgressBar::new(rows).with_style(style(TABLE)),
                None => ProgressBar::no_length().with_style(style(TABLE_OF_UNKNOWN_SIZE)),
            };
            let named = bar.with_prefix(table.to_string()).with_message(step.phase.name());
            bars.add(named.with_elapsed(step.started.elapsed()))
        });
        // The expected number is the catalogue's estimate, which may be too low.
        if step.expected.is_some_and(|expected| step.moved > expected) {
            bar.set_length(step.moved);
        }
        bar.set_position(step.moved);
    }
}

const TABLE: &str =
    "          {prefix:24!}  {msg:5}  {percent:>3} %  {rows:>12} rows  {rate}  {left}";
const TABLE_OF_UNKNOWN_SIZE: &str =
    "          {prefix:24!}  {msg:5}         {rows:>12} rows  {rate}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are constants that a test draws")
        .progress_chars("=> ")
        .with_key("rows", |state: &ProgressState, text: &mut dyn Write| {
            let _ = text.write_str(&count(state.pos()));
        })
        .with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{} rows/s", count(per_second(state.pos(), state.elapsed())));
        })
        .with_key("left", |state: &ProgressState, text: &mut dyn Write| {
            let goes_on = state.len().is_some_and(|len| (1..len).contains(&state.pos()));
            if goes_on && state.elapsed() >= Duration::from_secs(3) {
                let _ = write!(text, "{} left", duration(state.eta()));
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for template in [TABLE, TABLE_OF_UNKNOWN_SIZE] {
            style(template);
        }
        Bars::new(&Screen::new(), 2);
    }
}
