//! Names, numbers and sizes in sentences.

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

/// Spells a number of things: `1 table`, `3,000 tables`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(u64::try_from(count).unwrap_or(u64::MAX)))
}

/// Spells a number with its digits in groups: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits
        .char_indices()
        .flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit]))
        .collect()
}

/// Spells bytes for people, in powers of 1000 as disks are sold.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && size < 9.95);
    format!("{size:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(&["a", "b"]), "`a`, `b`");
        assert_eq!(some(&["a"; 7]), "`a`, `a`, `a`, `a`, `a` and 2 more");
    }

    #[test]
    fn digits_stand_in_groups() {
        assert_eq!([0, 999, 1_000, 20_500_000].map(grouped), ["0", "999", "1,000", "20,500,000"]);
        assert_eq!([1, 2].map(|count| counted(count, "table")), ["1 table", "2 tables"]);
    }

    #[test]
    fn sizes_have_two_digits() {
        for (size, text) in
            [(0, "0 bytes"), (999, "999 bytes"), (4_000_000_000, "4.0 GB"), (16_777_216, "17 MB")]
        {
            assert_eq!(bytes(size), text);
        }
    }
}
