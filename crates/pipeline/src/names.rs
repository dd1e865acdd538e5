//! Names in the settings that match nothing in the databases.
//!
//! A table whose name is misspelt in `exclude` would be carried, and so published, although somebody wants
//! it kept out: a run refuses that. Every other name in vain leaves something out, which a note says.
//! A pattern such as `tmp_*` is made for tables that come and go: where it matches none, `check` and `plan`
//! say so and nobody else.

use crate::denied::{Access, access};
use crate::{Error, Hops, Result};
use handoff_connect::{Fault, MyConn, PgPool};
use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use handoff_settings::{Settings, closest};
use handoff_tracking::TrackedTable;
use std::collections::BTreeMap;
use std::fmt;

/// What a name in vain means for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameWeight {
    /// It may be meant so: a pattern.
    Quiet,
    /// Something is not carried, or not as it is meant to be.
    Warning,
    /// Something is carried that is meant to be left out.
    Fault,
}

/// A name in the settings that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnmatchedName {
    /// The file and line, if it is written in one.
    at: Option<String>,
    /// What names it, such as `run.exclude`.
    key: &'static str,
    pub(crate) name: String,
    /// What is there and is called nearly so.
    pub(crate) near: Option<String>,
    pub(crate) weight: NameWeight,
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
pub(crate) fn unmatched(settings: &Settings, catalogue: &SourceCatalogue) -> Vec<UnmatchedName> {
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
        let names = names.into_iter().filter(|name| !all.contains(&name.as_str()));
        return names.map(|name| (name, weight)).collect();
    }
    // The settings have been read, and a glob that is none would have been refused.
    let Ok(pattern) = globset::Glob::new(glob) else { return Vec::new() };
    let pattern = pattern.compile_matcher();
    match glob == "*" || all.iter().any(|name| pattern.is_match(name)) {
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

/// Leaves out what is in vain for a good reason, and returns the rest.
///
/// A table that was carried once may be gone from the source. One that the account may not read can be
/// excluded all the same. The replica has not what was left out when it was filled.
///
/// # Errors
///
/// Returns the [`Fault`] of a server that fails.
pub(crate) fn excused(
    names: Vec<UnmatchedName>,
    states: &BTreeMap<TableName, TrackedTable>,
    source: Option<&mut MyConn>,
) -> Result<Vec<UnmatchedName>, Fault> {
    let known = |name: &UnmatchedName| {
        name.key == EXCLUDE
            && TableName::new(&name.name).is_ok_and(|name| states.contains_key(&name))
    };
    let mut names: Vec<UnmatchedName> = names.into_iter().filter(|name| !known(name)).collect();
    let faults = names.iter_mut().filter(|name| name.weight == NameWeight::Fault);
    match source {
        None => faults.for_each(|name| name.weight = NameWeight::Quiet),
        Some(conn) => {
            for name in faults {
                let Ok(table) = TableName::new(&name.name) else { continue };
                if access(conn, &table)? == Access::Denied && name.near.is_none() {
                    name.weight = NameWeight::Warning;
                }
            }
        }
    }
    Ok(names)
}

impl UnmatchedName {
    /// Returns the heading of the table in the settings as it would have to be.
    pub(crate) fn section(&self) -> Option<String> {
        let near = self.near.as_ref().filter(|_| self.key == TABLES)?;
        TableName::new(near).ok().map(|near| near.section())
    }
}

/// Refuses names that are faults, and returns the others.
///
/// # Errors
///
/// Returns [`Error::UnmatchedNames`] with every fault.
pub(crate) fn refused(names: Vec<UnmatchedName>) -> Result<Vec<UnmatchedName>> {
    let (faults, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.weight == NameWeight::Fault);
    match faults.is_empty() {
        true => Ok(others),
        false => {
            Err(Error::UnmatchedNames { names: faults.iter().map(ToString::to_string).collect() })
        }
    }
}

/// Refuses roles of `grant_select_to` that the target does not have, before anything is made there.
///
/// # Errors
///
/// Returns [`Error::UnknownRole`] for the first of them, or [`Error::Server`].
pub(crate) fn demand_roles(settings: &Settings, target: &PgPool, hops: Hops) -> Result<()> {
    let wanted = &settings.target.grant_select_to;
    if wanted.is_empty() || hops == Hops::Copy {
        return Ok(());
    }
    let asked = Error::server("look for the roles of grant_select_to");
    let there = roles(target).map_err(asked)?;
    match wanted.iter().find(|role| !there.contains(*role)) {
        None => Ok(()),
        Some(role) => {
            let near = closest(role, there.iter().map(String::as_str)).map(str::to_owned);
            Err(Error::UnknownRole { role: role.clone(), near })
        }
    }
}

pub(crate) fn roles(target: &PgPool) -> Result<Vec<String>, Fault> {
    let mut conn = target.get()?;
    let sql = "SELECT rolname::pg_catalog.text FROM pg_catalog.pg_roles";
    let rows = conn.query_typed(sql, &[]).map_err(|error| conn.fault(&error))?;
    Ok(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide;
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
        let states = [(TableName::new("gone").unwrap(), decide::tests::tracked())].into();
        let found = excused(unmatched(&settings, &catalogue()), &states, None).unwrap();
        let weights: Vec<_> = found.iter().map(|name| (name.name.as_str(), name.weight)).collect();
        assert_eq!(
            weights,
            [("sales_report", NameWeight::Quiet), ("elsewhere", NameWeight::Quiet)]
        );
        let error = refused(unmatched(&settings, &catalogue())).unwrap_err();
        assert!(error.is_usage());
    }
}
