//! Names in the settings that match nothing in the databases.
//!
//! A table whose name is misspelt in `exclude` would be carried, and so published, although somebody wants
//! it kept out: a run refuses that. Every other name in vain leaves something out, which a note says.
//! A pattern such as `tmp_*` is made for tables that come and go: where it matches none, `check` and `plan`
//! say so and nobody else.

use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use handoff_settings::{Settings, closest};
use handoff_tracking::TrackedTable;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The meaning of a name in vain for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameWeight {
    /// It may be meant so: a pattern.
    Quiet,
    /// Something is not carried, or not as it is meant to be.
    Warning,
    /// Something is carried that is meant to be left out.
    Fault,
}

/// A name in the settings that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedName {
    /// The file and line, if it is written in one.
    at: Option<String>,
    /// The setting that names it, such as `run.exclude`.
    key: &'static str,
    /// The name.
    pub name: String,
    /// A table that is there and is called nearly so.
    pub near: Option<String>,
    /// The meaning for a run.
    pub weight: NameWeight,
}

impl fmt::Display for UnmatchedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnmatchedName { at, key, name, near, weight } = self;
        if let Some(at) = at {
            write!(f, "{at}: ")?;
        }
        match (*weight, *key) {
            (NameWeight::Quiet, key) => write!(f, "{key} has {name:?}, which matches no table")?,
            (_, TABLES) => write!(f, "the settings name the table `{name}`, which is not there")?,
            (_, key) => write!(f, "{key} names `{name}`, which is not there")?,
        }
        match near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        }
    }
}

const INCLUDE: &str = "run.include";
const EXCLUDE: &str = "run.exclude";
const TABLES: &str = "tables";

/// Returns the names in the settings that match nothing in the catalogue of the database that is read first.
pub fn unmatched(settings: &Settings, catalogue: &SourceCatalogue) -> Vec<UnmatchedName> {
    let tables: Vec<&str> = catalogue.tables.keys().map(TableName::as_str).collect();
    let others = catalogue.not_carried.iter().map(|other| other.name.as_str());
    let all: Vec<&str> = tables.iter().copied().chain(others).collect();
    let mut found = Vec::new();
    for (key, globs, written, weight) in [
        (INCLUDE, &settings.run.include, &settings.run.include_at, NameWeight::Warning),
        (EXCLUDE, &settings.run.exclude, &settings.run.exclude_at, NameWeight::Fault),
    ] {
        for (item, glob) in globs.iter().enumerate() {
            let at = written.of(item);
            found.extend(in_vain(glob, weight, &all).into_iter().map(|(name, weight)| {
                let near = closest(&name, tables.iter().copied()).map(str::to_owned);
                UnmatchedName { at: at.clone(), key, name, near, weight }
            }));
        }
    }
    for (table, of_table) in &settings.tables {
        if all.contains(&table.as_str()) {
            continue;
        }
        found.push(UnmatchedName {
            at: of_table.written.of(0),
            key: TABLES,
            name: table.to_string(),
            near: closest(table.as_str(), tables.iter().copied()).map(str::to_owned),
            weight: NameWeight::Warning,
        });
    }
    found
}

/// Returns what a glob spells that matches none of `all`: each of its names, or else the pattern.
fn in_vain(glob: &str, weight: NameWeight, all: &[&str]) -> Vec<(String, NameWeight)> {
    if let Some(names) = literals(glob) {
        let absent = names.into_iter().filter(|name| !all.contains(&name.as_str()));
        return absent.map(|name| (name, weight)).collect();
    }
    // The settings have been read, and a glob that is none would have been refused.
    let Ok(pattern) = globset::Glob::new(glob) else { return Vec::new() };
    let matcher = pattern.compile_matcher();
    match glob == "*" || all.iter().any(|name| matcher.is_match(name)) {
        true => Vec::new(),
        false => vec![(glob.to_owned(), NameWeight::Quiet)],
    }
}

/// Returns the names that a glob spells, unless it is a pattern: `a` and `{a,b}` do, and so does `a\*`.
fn literals(glob: &str) -> Option<Vec<String>> {
    let inner = glob.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match inner {
        Some(inner) if !inner.contains(['{', '}', '\\']) => inner.split(',').map(literal).collect(),
        _ => Some(vec![literal(glob)?]),
    }
}

fn literal(glob: &str) -> Option<String> {
    let mut name = String::new();
    let mut letters = glob.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?),
            '*' | '?' | '[' | ']' | '{' | '}' => return None,
            letter => name.push(letter),
        }
    }
    Some(name)
}

/// Returns the names that are faults unless the source's account may not read tables of those names. Tables that were
/// carried before are no faults.
pub fn suspects(
    names: &[UnmatchedName],
    states: &BTreeMap<TableName, TrackedTable>,
) -> BTreeSet<TableName> {
    let faults = names.iter().filter(|name| name.weight == NameWeight::Fault);
    let named = faults.filter_map(|name| TableName::new(&name.name).ok());
    named.filter(|table| !states.contains_key(table)).collect()
}

/// Leaves out the names that are in vain for a good reason, and returns the rest.
///
/// A table that was carried once may be gone from the source. One that the account may not read can be
/// excluded all the same: `hidden` holds those, or is [`None`] where the source is not read. The replica lacks
/// the tables that were left out when it was filled.
pub fn excused(
    names: Vec<UnmatchedName>,
    states: &BTreeMap<TableName, TrackedTable>,
    hidden: Option<&BTreeSet<TableName>>,
) -> Vec<UnmatchedName> {
    let mut kept: Vec<UnmatchedName> =
        names.into_iter().filter(|name| !name.was_carried(states)).collect();
    for name in kept.iter_mut().filter(|name| name.weight == NameWeight::Fault) {
        match hidden {
            None => name.weight = NameWeight::Quiet,
            Some(hidden) if name.near.is_none() && name.is_among(hidden) => {
                name.weight = NameWeight::Warning;
            }
            Some(_) => {}
        }
    }
    kept
}

impl UnmatchedName {
    fn was_carried(&self, states: &BTreeMap<TableName, TrackedTable>) -> bool {
        self.key == EXCLUDE
            && TableName::new(&self.name).is_ok_and(|name| states.contains_key(&name))
    }

    fn is_among(&self, tables: &BTreeSet<TableName>) -> bool {
        TableName::new(&self.name).is_ok_and(|name| tables.contains(&name))
    }

    /// Returns the heading of the table in the settings as it would have to be.
    pub fn section(&self) -> Option<String> {
        let near = self.near.as_ref().filter(|_| self.key == TABLES)?;
        TableName::new(near).ok().map(|near| near.section())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use handoff_schema::{NotCopied, TableSchema};
    use handoff_settings::TableSettings;

    fn catalogue() -> SourceCatalogue {
        let mut catalogue = SourceCatalogue::empty();
        for name in ["Customers", "sales_reports", "odd*name"] {
            catalogue.tables.insert(TableName::new(name).unwrap(), Ok(TableSchema::empty(name)));
        }
        let view = NotCopied { name: "a_view".to_owned(), kind: "VIEW".to_owned() };
        catalogue.not_carried.push(view);
        catalogue
    }

    fn settings(include: &[&str], exclude: &[&str], tables: &[&str]) -> Settings {
        let mut settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        settings.run.include = include.iter().map(|&glob| glob.to_owned()).collect();
        settings.run.exclude = exclude.iter().map(|&glob| glob.to_owned()).collect();
        let named = |&name: &&str| (TableName::new(name).unwrap(), TableSettings::default());
        settings.tables = tables.iter().map(named).collect();
        settings
    }

    #[track_caller]
    fn check(settings: &Settings, expected: &[(NameWeight, &str)]) {
        let found = unmatched(settings, &catalogue());
        let found: Vec<_> = found.iter().map(|name| (name.weight, name.to_string())).collect();
        let expected: Vec<_> = expected.iter().map(|(w, text)| (*w, (*text).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_name_that_is_there_or_nearly_there_is_told() {
        use NameWeight::{Fault, Quiet, Warning};
        let star = ["*"];
        check(&settings(&star, &["sales_reports", "a_view", "odd\\*name"], &["a_view"]), &[]);
        check(
            &settings(&star, &["sales_report", "CUSTOMERS", "{Customers,salesreports}"], &[]),
            &[
                (
                    Fault,
                    "run.exclude names `sales_report`, which is not there; did you mean `sales_reports`?",
                ),
                (
                    Fault,
                    "run.exclude names `CUSTOMERS`, which is not there; did you mean `Customers`?",
                ),
                (
                    Fault,
                    "run.exclude names `salesreports`, which is not there; did you mean `sales_reports`?",
                ),
            ],
        );
        check(
            &settings(&["tmp_*", "sales*", "custmers"], &["tmp_*", "c?"], &[]),
            &[
                (Quiet, "run.include has \"tmp_*\", which matches no table"),
                (
                    Warning,
                    "run.include names `custmers`, which is not there; did you mean `Customers`?",
                ),
                (Quiet, "run.exclude has \"tmp_*\", which matches no table"),
                (Quiet, "run.exclude has \"c?\", which matches no table"),
            ],
        );
        check(
            &settings(&star, &[], &["custmers", "patient"]),
            &[
                (
                    Warning,
                    "the settings name the table `custmers`, which is not there; did you mean `Customers`?",
                ),
                (Warning, "the settings name the table `patient`, which is not there"),
            ],
        );
    }

    #[test]
    fn what_was_carried_may_be_gone_and_what_the_source_has_may_not_be_in_the_replica() {
        let settings = settings(&["*"], &["gone", "sales_report", "elsewhere"], &[]);
        let states = [(TableName::new("gone").unwrap(), testing::tracked())].into();
        let found = excused(unmatched(&settings, &catalogue()), &states, None);
        let weights: Vec<_> = found.iter().map(|name| (name.name.as_str(), name.weight)).collect();
        assert_eq!(
            weights,
            [("sales_report", NameWeight::Quiet), ("elsewhere", NameWeight::Quiet)]
        );
    }

    fn excluded(names: &[&str]) -> Vec<UnmatchedName> {
        unmatched(&settings(&["*"], names, &[]), &catalogue())
    }

    fn named(names: &[&str]) -> BTreeSet<TableName> {
        names.iter().map(|name| TableName::new(name).unwrap()).collect()
    }

    #[track_caller]
    fn weighs(found: &[UnmatchedName], expected: &[NameWeight]) {
        let weights: Vec<NameWeight> = found.iter().map(|name| name.weight).collect();
        assert_eq!(weights, expected);
    }

    #[test]
    fn a_table_that_the_account_may_not_read_may_be_excluded() {
        let hidden = named(&["secret"]);
        let found = excused(excluded(&["secret", "elsewhere"]), &BTreeMap::new(), Some(&hidden));
        weighs(&found, &[NameWeight::Warning, NameWeight::Fault]);
    }

    #[test]
    fn a_hidden_table_that_is_called_nearly_as_another_stays_a_fault() {
        let hidden = named(&["Customer"]);
        let found = excused(excluded(&["Customer"]), &BTreeMap::new(), Some(&hidden));
        weighs(&found, &[NameWeight::Fault]);
    }

    #[test]
    fn a_source_that_hides_nothing_excuses_nothing() {
        let found = excused(excluded(&["elsewhere"]), &BTreeMap::new(), Some(&BTreeSet::new()));
        weighs(&found, &[NameWeight::Fault]);
    }

    #[test]
    fn the_source_is_asked_about_faults_alone() {
        let states = [(TableName::new("gone").unwrap(), testing::tracked())].into();
        let found = unmatched(
            &settings(&["included"], &["gone", "secret", "tmp_*"], &["named"]),
            &catalogue(),
        );
        assert_eq!(suspects(&found, &states), named(&["secret"]));
    }

    #[test]
    fn a_name_that_no_table_can_have_is_asked_about_by_nobody() {
        let found = excluded(&[""]);
        weighs(&found, &[NameWeight::Fault]);
        assert_eq!(suspects(&found, &BTreeMap::new()), BTreeSet::new());
    }

    #[test]
    fn a_section_in_vain_has_the_heading_as_it_would_have_to_be() {
        let found = unmatched(&settings(&["*"], &["custmers"], &["custmers"]), &catalogue());
        let sections: Vec<Option<String>> = found.iter().map(UnmatchedName::section).collect();
        assert_eq!(sections, [None, Some("[tables.Customers]".to_owned())]);
    }

    #[test]
    fn globs_that_are_names_are_told_from_patterns() {
        let literals = |glob: &str| literals(glob);
        assert_eq!(literals("a"), Some(vec!["a".to_owned()]));
        assert_eq!(literals("{a,b}"), Some(vec!["a".to_owned(), "b".to_owned()]));
        // A list with anything but plain names is left to the pattern.
        assert_eq!(literals("{a\\*,b}"), None);
        assert_eq!(literals("a\\*"), Some(vec!["a*".to_owned()]));
        for pattern in ["a*", "a?", "[ab]", "{a,b*}", "{a,b}c", "a\\"] {
            assert_eq!(literals(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn the_place_in_the_file_stands_before_the_name() {
        let name = UnmatchedName {
            at: Some("handoff.toml:3".to_owned()),
            key: INCLUDE,
            name: "a".to_owned(),
            near: None,
            weight: NameWeight::Warning,
        };
        assert_eq!(name.to_string(), "handoff.toml:3: run.include names `a`, which is not there");
    }
}
