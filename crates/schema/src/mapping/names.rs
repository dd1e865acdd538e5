//! Names in PostgreSQL.

use crate::column::ColumnSchema;
use crate::limits::MAX_PG_NAME;
use handoff_model::TableName;
use handoff_settings::NameCase;
use std::collections::HashSet;
use xxhash_rust::xxh3::xxh3_64;

/// The columns that every PostgreSQL table has already (PostgreSQL manual, 5.6 "System Columns").
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Returns the name of the PostgreSQL table: the source's in the case of the settings, or shortened with a stable hash
/// over 63 bytes.
pub fn pg_table_name(table: &TableName, case: NameCase) -> String {
    shortened(&case.apply(table.as_str()), "")
}

/// Returns the table's name, and notes it if it had to change.
pub(super) fn table(table: &TableName, case: NameCase, notes: &mut Vec<String>) -> String {
    let name = pg_table_name(table, case);
    if name != case.apply(table.as_str()) {
        notes.push(format!("the table is called \"{name}\" in the target: {TOO_LONG}"));
    }
    name
}

/// Returns the columns' names, and notes each that had to change.
pub(super) fn columns(
    columns: &[ColumnSchema],
    case: NameCase,
    notes: &mut Vec<String>,
) -> Vec<String> {
    // What needs no change has the first claim on its name.
    let mut taken: HashSet<String> = columns
        .iter()
        .map(|column| case.apply(column.name.as_str()))
        .filter(|name| fits(name))
        .collect();
    let mut name = |column: &ColumnSchema| {
        let source = column.name.as_str();
        let wanted = case.apply(source);
        if fits(&wanted) {
            return wanted;
        }
        let name = free(&wanted, &mut taken);
        let why = if is_system(&wanted) { SYSTEM } else { TOO_LONG };
        notes.push(format!("the column `{source}` is called \"{name}\" in the target: {why}"));
        name
    };
    columns.iter().map(&mut name).collect()
}

/// Returns a name that two columns would have.
pub(super) fn twice(names: &[String]) -> Option<&str> {
    let mut seen = HashSet::new();
    names.iter().map(String::as_str).find(|name| !seen.insert(*name))
}

const TOO_LONG: &str = "PostgreSQL allows 63 bytes";
const SYSTEM: &str = "PostgreSQL has a column of that name in every table";

fn is_system(name: &str) -> bool {
    SYSTEM_COLUMNS.contains(&name)
}

fn fits(name: &str) -> bool {
    name.len() <= MAX_PG_NAME && !is_system(name)
}

/// Finds a name that no other column has, and takes it.
fn free(source: &str, taken: &mut HashSet<String>) -> String {
    let candidates = (1..).map(|length| {
        let underscores = "_".repeat(length);
        if is_system(source) {
            format!("{source}{underscores}")
        } else {
            shortened(source, &underscores[1..])
        }
    });
    let mut unused = candidates.skip_while(|name| taken.contains(name));
    let name = unused.next().expect("candidates never end");
    taken.insert(name.clone());
    name
}

/// Returns a name that PostgreSQL takes: the given one, or over 63 bytes cut and ended with eight hex digits of its hash.
pub fn short_name(name: &str) -> String {
    shortened(name, "")
}

/// Cuts a name that is too long and ends it with eight hex digits of its hash. `salt` makes another
/// name of the same source.
pub(crate) fn shortened(name: &str, salt: &str) -> String {
    if name.len() <= MAX_PG_NAME {
        return name.to_owned();
    }
    let hash = xxh3_64(format!("{name}{salt}").as_bytes()) >> 32;
    let ending = format!("_{hash:08x}");
    let mut end = MAX_PG_NAME - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names(source: &[&str]) -> (Vec<String>, usize) {
        let source: Vec<ColumnSchema> =
            source.iter().map(|name| ColumnSchema::of_type(name, "int").unwrap()).collect();
        let mut notes = Vec::new();
        (columns(&source, NameCase::Kept, &mut notes), notes.len())
    }

    #[test]
    fn names_that_fit_stay() {
        let long = "x".repeat(63);
        assert_eq!(names(&["a", "A b\"c", &long]), (vec!["a".into(), "A b\"c".into(), long], 0));
    }

    #[test]
    fn long_names_are_cut_at_a_character_and_stay_apart() {
        let (one, other) = ("ü".repeat(64), format!("{}ö", "ü".repeat(63)));
        let (names, notes) = names(&[&one, &other]);
        assert_eq!(notes, 2);
        assert!(names.iter().all(|name| name.len() <= 63 && name.starts_with("üüü")));
        assert_ne!(names[0], names[1]);
        assert_eq!(names[0], shortened(&one, ""));
    }

    #[test]
    fn a_cut_name_gives_way_to_one_that_fits() {
        let long = "y".repeat(64);
        let (names, _) = names(&[&long, &shortened(&long, "")]);
        assert_eq!(names[1], shortened(&long, ""));
        assert_eq!(names[0], shortened(&long, "_"));
    }

    #[test]
    fn system_columns_are_renamed() {
        let (names, notes) = names(&["xmin", "xmin_", "XMAX", "ctid"]);
        assert_eq!(names, ["xmin__", "xmin_", "XMAX", "ctid_"]);
        assert_eq!(notes, 2);
    }

    #[test]
    fn names_in_lower_case_give_way_to_columns_of_the_system_too() {
        let source =
            ["PatNum", "XMIN", "ÄB"].map(|name| ColumnSchema::of_type(name, "int").unwrap());
        let mut notes = Vec::new();
        let names = columns(&source, NameCase::Lower, &mut notes);
        assert_eq!(names, ["patnum", "xmin_", "äb"]);
        assert_eq!((notes.len(), twice(&names)), (1, None));
        let table = TableName::new("PatPlan").unwrap();
        assert_eq!(pg_table_name(&table, NameCase::Lower), "patplan");
        assert_eq!(pg_table_name(&table, NameCase::Kept), "PatPlan");
    }

    #[test]
    fn a_name_of_two_columns_is_found() {
        let names = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(twice(&names), Some("a"));
    }

    #[test]
    fn a_shortened_name_is_the_same_in_every_build() {
        let expected = format!("{}_58cc00aa", "t".repeat(54));
        assert_eq!(shortened(&"t".repeat(64), ""), expected);
    }
}
