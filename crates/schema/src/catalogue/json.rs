//! The LONGTEXT columns of MariaDB that are JSON.

use super::facts::CheckFact;
use handoff_connect::quote_my;

/// Returns true if one of the checks sees to it that the column holds JSON, by itself or together
/// with other conditions.
///
/// MariaDB prints a check in one way, whatever was written: functions in lower case, columns in
/// backticks, `and` between conditions.
pub(super) fn is_json(column: &str, checks: &[CheckFact]) -> bool {
    let condition = format!("json_valid({})", quote_my(column));
    checks.iter().any(|check| demands(&check.clause, &condition))
}

/// Returns true if `condition` is the whole check, or one of the conditions joined by `and`.
fn demands(check: &str, condition: &str) -> bool {
    let alternatives = check.contains(" or ") || check.contains(" xor ");
    check == condition
        || (!alternatives
            && (check.starts_with(&format!("{condition} and "))
                || check.ends_with(&format!(" and {condition}"))
                || check.contains(&format!(" and {condition} and "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_demands_json_makes_it_json() {
        let check = |column: &str, check: &str, expected| {
            let fact = CheckFact { name: "c".to_owned(), clause: check.to_owned() };
            assert_eq!(is_json(column, &[fact]), expected, "{check}");
        };
        check("a", "json_valid(`a`)", true);
        check("j`s", "json_valid(`j``s`)", true);
        check("a", "json_valid(`a`) and octet_length(`a`) > 2", true);
        check("a", "octet_length(`a`) > 2 and json_valid(`a`)", true);
        check("a", "`b` > 2 and json_valid(`a`) and `b` < 9", true);
        check("a", "json_valid(`b`)", false);
        check("a", "!json_valid(`a`)", false);
        check("a", "json_valid(`a`) or `b` = 1", false);
        check("a", "`a` is null or `b` = 1 and json_valid(`a`)", false);
    }
}
