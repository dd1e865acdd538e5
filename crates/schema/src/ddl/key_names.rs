//! Names for the keys of tables that are yet to be made.

use std::collections::{BTreeMap, BTreeSet};

/// The longest name in bytes.
const LONGEST: usize = crate::limits::MAX_PG_NAME;

/// Chooses a name for the key of each of `tables`, which is the name of an index: none that a table bears or will
/// bear, or that is in `taken`, and no two the same. A server that chooses one knows neither the tables to come nor the
/// keys that are being built beside it.
pub fn key_names<'t>(
    tables: impl IntoIterator<Item = &'t str>,
    taken: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let tables: BTreeSet<&str> = tables.into_iter().collect();
    let mut taken: BTreeSet<String> = taken.iter().cloned().collect();
    taken.extend(tables.iter().map(|&table| table.to_owned()));
    let mut chosen = BTreeMap::new();
    for table in tables {
        let name = free(table, &taken);
        taken.insert(name.clone());
        chosen.insert(table.to_owned(), name);
    }
    chosen
}

fn free(table: &str, taken: &BTreeSet<String>) -> String {
    let endings = (0..).map(|number: u32| match number {
        0 => "_pkey".to_owned(),
        _ => format!("_pkey{number}"),
    });
    let mut names = endings.map(|ending| format!("{}{ending}", cut(table, LONGEST - ending.len())));
    names.find(|name| !taken.contains(name)).expect("numbers never end")
}

/// Returns the name that a key of the table `table` has by default.
pub fn key_name(table: &str) -> String {
    free(table, &BTreeSet::new())
}

fn cut(name: &str, longest: usize) -> &str {
    let mut end = name.len().min(longest);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tables: &[&str], taken: &[&str], expected: &[&str]) {
        let taken = taken.iter().map(|&name| name.to_owned()).collect();
        let names = key_names(tables.iter().copied(), &taken);
        assert_eq!(names.values().map(String::as_str).collect::<Vec<_>>(), expected);
        assert!(names.values().all(|name| name.len() <= LONGEST));
    }

    #[test]
    fn a_key_takes_the_name_of_no_table_and_of_no_other_key() {
        check(&["x", "y"], &[], &["x_pkey", "y_pkey"]);
        check(&["x", "x_pkey", "x_pkey1"], &[], &["x_pkey2", "x_pkey_pkey", "x_pkey1_pkey"]);
        check(&["t"], &["t_pkey", "t_pkey1"], &["t_pkey2"]);
        let long = ["ä".repeat(31), format!("{}b", "ä".repeat(31))];
        let cut = "ä".repeat(28);
        let of_long = [format!("{}_pkey", "ä".repeat(29)), format!("{cut}_pkey1")];
        check(&[&long[0], &long[1]], &[], &[&of_long[0], &of_long[1]]);
    }
}
