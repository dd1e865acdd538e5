//! Numbers as people read them.

/// Groups digits: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns `1 table`, `3,000 tables`.
pub fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let whole = number.try_into().unwrap_or(u64::MAX);
    let plural = if whole == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(whole))
}

/// Returns a size in powers of 1000, as disks are sold: `812 B`, `4.1 MB`, `590 MB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut scale, mut unit) = (1, 0);
    // What would be rounded to 1000 is 1.0 of the next unit.
    while number >= scale * 1000 - scale / 2 && unit + 1 < UNITS.len() {
        scale *= 1000;
        unit += 1;
    }
    let tenths = (u128::from(number) * 10 + u128::from(scale / 2)) / u128::from(scale);
    match tenths {
        _ if unit == 0 => format!("{number} B"),
        0..1000 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!(
            "{} {}",
            grouped(number / scale + u64::from(number % scale >= scale / 2)),
            UNITS[unit]
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!([0, 999, 1000, 20_500_000].map(grouped), ["0", "999", "1,000", "20,500,000"]);
        assert_eq!([1, 2].map(|n: u64| counted(n, "table")), ["1 table", "2 tables"]);
        assert_eq!(counted(1_234_usize, "row"), "1,234 rows");
    }

    #[test]
    fn sizes_are_rounded() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (4_096_000, "4.1 MB"),
            (16_777_216, "16.8 MB"),
            (99_900_000, "99.9 MB"),
            (99_960_000, "100 MB"),
            (590_499_999, "590 MB"),
            (590_500_000, "591 MB"),
            (999_500, "1.0 MB"),
            (999_499, "999 kB"),
            (4_000_000_000, "4.0 GB"),
            (7_000_000_000_000_000, "7,000 TB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
