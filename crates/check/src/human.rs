//! Names in sentences.

/// Lists names for a sentence: the first few, and how many more there are.
pub(crate) fn some<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(&["a", "b"]), "`a`, `b`");
        assert_eq!(some(&["a"; 7]), "`a`, `a`, `a`, `a`, `a` and 2 more");
    }
}
