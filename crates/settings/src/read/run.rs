//! `[run]` and `[selection]`.

use crate::reader::SettingsReader;
use crate::section::{LengthRange, Section};
use crate::settings::{RunSettings, StrategySelection};
use crate::time_of_day::TimeOfDay;
use crate::written::WrittenAt;
use globset::Glob;
use handoff_model::{Extraction, ProofBy, SumBy};
use std::num::NonZeroUsize;

pub(super) fn read_run(
    section: Option<Section<'_>>,
    reader: &mut SettingsReader<'_>,
) -> RunSettings {
    let mut run = RunSettings::default();
    let Some(mut section) = section else { return run };
    if let Some(jobs) = section.number("jobs", RunSettings::JOBS, reader)
        && let Some(jobs) = usize::try_from(jobs).ok().and_then(NonZeroUsize::new)
    {
        run.jobs = jobs;
    }
    let place = section.place("include");
    if let Some(Globs { texts: include, written }) = globs(&mut section, "include", reader) {
        if let (true, Some(place)) = (include.is_empty(), place) {
            let message = "run.include is empty, so no table would be taken; leave it out for all";
            reader.problem(&place, message);
        }
        (run.include, run.include_at) = (include, written);
    }
    if let Some(Globs { texts, written }) = globs(&mut section, "exclude", reader) {
        (run.exclude, run.exclude_at) = (texts, written);
    }
    set(&mut run.memory_limit_mb, section.number("memory_limit_mb", 32..=1_048_576, reader));
    set(&mut run.max_retries, section.number("max_retries", 0..=100, reader));
    set(&mut run.lock_silence, section.duration("lock_silence", LOCK_SILENCE, reader));
    run.until = until(&mut section, reader);
    let longest = section.duration("silence_timeout", SILENCE, reader);
    set(&mut run.silence_timeout, longest);
    set(&mut run.max_duration, section.duration("max_duration", WHOLE_RUN, reader));
    set(&mut run.extraction, section.choice("extraction", &EXTRACTIONS, reader));
    set(&mut run.recheck, section.duration("recheck", RECHECK, reader));
    set(&mut run.keep_runs, section.number("keep_runs", 1..=36_500, reader));
    set(&mut run.max_delete_percent, percent(&mut section, reader));
    set(&mut run.proof, section.choice("proof", &PROOFS, reader));
    let sums: Vec<_> = SumBy::ALL.iter().map(|choice| (choice.name(), *choice)).collect();
    set(&mut run.sums, section.choice("sums", &sums, reader));
    if let Some(text) = section.text("spool_dir", reader) {
        run.spool_dir = Some(reader.path(&text.value));
    }
    section.finish(reader);
    run
}

/// The lengths of time that `silence_timeout` takes.
const SILENCE: LengthRange = LengthRange { least: "1s", most: "1d" };

/// The lengths of time that `lock_silence` takes.
const LOCK_SILENCE: LengthRange = LengthRange { least: "2s", most: "1h" };

/// The lengths of time that `max_duration` takes.
const WHOLE_RUN: LengthRange = LengthRange { least: "1s", most: "365d" };

/// The lengths of time that `recheck` takes.
const RECHECK: LengthRange = LengthRange { least: "1h", most: "365d" };

/// The extractions that need nothing said of a table.
const EXTRACTIONS: [(&str, Extraction); 3] =
    [("auto", Extraction::Auto), ("full_table", Extraction::FullTable), ("diff", Extraction::Diff)];

/// Every row is for `--prove`: it is too much for every run.
const PROOFS: [(&str, ProofBy); 2] = [("sums", ProofBy::Sums), ("counts", ProofBy::Counts)];

pub(super) fn read_selection(
    section: Option<Section<'_>>,
    reader: &mut SettingsReader<'_>,
) -> StrategySelection {
    let mut selection = StrategySelection::default();
    let Some(mut section) = section else { return selection };
    for (key, field, least) in [
        ("parallel_above_rows", &mut selection.parallel_above_rows, 0),
        ("chunked_above_mb", &mut selection.chunked_above_mb, 0),
        ("streaming_above_mb", &mut selection.streaming_above_mb, 0),
        ("chunk_rows", &mut selection.chunk_rows, 1),
    ] {
        set(field, section.number(key, least..=u32::MAX, reader).map(u64::from));
    }
    section.finish(reader);
    selection
}

pub(super) fn percent(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Option<u8> {
    section
        .number("max_delete_percent", 0..=100, reader)
        .and_then(|percent| percent.try_into().ok())
}

fn until(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Option<TimeOfDay> {
    let text = section.text("until", reader)?;
    text.value
        .parse()
        .map_err(|error| {
            let message = format!("{} is {:?}; {error}", text.subject, text.written);
            reader.problem(&text.place, message);
        })
        .ok()
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Globs, and where each is written.
struct Globs {
    texts: Vec<String>,
    written: WrittenAt,
}

fn globs(
    section: &mut Section<'_>,
    key: &'static str,
    reader: &mut SettingsReader<'_>,
) -> Option<Globs> {
    let texts = section.texts(key, reader)?;
    for text in &texts {
        if let Err(error) = Glob::new(&text.value) {
            let message = format!(
                "{} {:?} is no glob: {}; write * for any text, ? for one character",
                text.subject,
                text.written,
                error.kind()
            );
            reader.problem(&text.place, message);
        }
    }
    let written = WrittenAt::new(texts.iter().map(|text| text.place.clone()).collect());
    Some(Globs { texts: texts.into_iter().map(|text| text.value).collect(), written })
}
