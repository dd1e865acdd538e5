//! Tables whose names say that they were left behind.

use crate::report::ExcludeProposal;
use handoff_model::TableName;
use std::collections::BTreeSet;

/// Words that say so by themselves, if they are not the whole name.
const STRONG: &[&str] = &["tmp", "temp", "bak", "backup", "bkp"];
/// Words that say so beside a table without them: `patient_old` where there is a `patient`.
const WEAK: &[&str] = &["old", "copy", "orig", "save", "saved", "new", "test"];

/// Returns the tables among `names` that somebody may have left behind, and what speaks for it.
pub(crate) fn among(names: &BTreeSet<&str>) -> Vec<ExcludeProposal> {
    let proposed = names.iter().filter_map(|name| {
        Some(ExcludeProposal { table: TableName::new(name).ok()?, why: why(name, names)? })
    });
    proposed.collect()
}

fn why(name: &str, names: &BTreeSet<&str>) -> Option<String> {
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    let bare: Vec<String> = words.iter().map(|word| without_number(word)).collect();
    if words.len() < 2 {
        return None;
    }
    if bare.iter().any(|word| STRONG.contains(&word.as_str())) {
        return Some("named like a temporary table or a backup".to_owned());
    }
    let own: Vec<&str> =
        words.iter().zip(&bare).filter(|(_, bare)| !is_weak(bare)).map(|(word, _)| *word).collect();
    if own.len() == words.len() {
        return None;
    }
    let original = names.iter().find(|other| **other != name && is_made_of(other, &own))?;
    Some(format!("named like a copy of `{original}`"))
}

fn is_weak(word: &str) -> bool {
    word.is_empty() || WEAK.contains(&word)
}

fn is_made_of(name: &str, words: &[&str]) -> bool {
    name.split(|c: char| !c.is_alphanumeric()).eq(words.iter().copied())
}

fn without_number(word: &str) -> String {
    word.trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_left_behind_is_found() {
        let names = BTreeSet::from([
            "patient",
            "patient_old",
            "patient_20230101",
            "patient-bak",
            "tmp_claims",
            "temp",
            "old_claims",
            "backup",
            "test_result",
            "Template",
            "claim_copy2",
            "claim",
        ]);
        let found = among(&names);
        let found: Vec<(&str, &str)> =
            found.iter().map(|found| (found.table.as_str(), found.why.as_str())).collect();
        assert_eq!(
            found,
            [
                ("claim_copy2", "named like a copy of `claim`"),
                ("patient-bak", "named like a temporary table or a backup"),
                ("patient_20230101", "named like a copy of `patient`"),
                ("patient_old", "named like a copy of `patient`"),
                ("tmp_claims", "named like a temporary table or a backup"),
            ]
        );
    }
}
