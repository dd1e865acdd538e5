//! "Did you mean …?"

/// Returns the candidate that `word` is most likely a misspelling of.
///
/// Up to a third of the letters may differ: `tls_mode` does not suggest `tls_ca`, `jbos` does
/// suggest `jobs`. Case counts for nothing.
pub fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Joins words as a sentence does: `a`, `a or b`, `a, b or c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_recognised_and_other_words_are_not() {
        let keys = ["jobs", "include", "exclude", "memory_limit_mb"];
        assert_eq!(closest("jbos", keys), Some("jobs"));
        assert_eq!(closest("Jobs", keys), Some("jobs"));
        assert_eq!(closest("memory_limit", keys), Some("memory_limit_mb"));
        assert_eq!(closest("includes", keys), Some("include"));
        assert_eq!(closest("password", keys), None);
        assert_eq!(one_of(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn words_are_joined_as_in_a_sentence() {
        assert_eq!(one_of(&[]), "");
        assert_eq!(one_of(&["a"]), "a");
        assert_eq!(one_of(&["a", "b"]), "a or b");
    }
}
