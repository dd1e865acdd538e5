//! Tables of expressions, and of their translations.

use super::*;
use crate::testing::mapping;

fn table() -> TableMapping {
    mapping(&[
        ("id", "int", ""),
        ("n", "bigint", ""),
        ("Amount", "decimal(10,2)", ""),
        ("f", "float", ""),
        ("d", "date", ""),
        ("at", "datetime", ""),
        ("stamp", "timestamp", ""),
        ("code", "varchar(9)", "utf8mb4_bin"),
        ("exact", "varchar(9)", "utf8mb4_0900_bin"),
        ("name", "varchar(9)", "utf8mb4_general_ci"),
        ("kind", "enum('a','b')", "utf8mb4_general_ci"),
        ("doc", "json", ""),
        ("bits", "bit(3)", ""),
    ])
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(condition(text, &table()).as_deref(), Ok(expected), "{text}");
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let error = condition(text, &table()).unwrap_err();
    assert!(error.to_string().contains(part), "{text}: {error}");
}

#[test]
fn shared_conditions_are_translated() {
    check("`id` > 0", "(\"id\" > 0)");
    check("(`amount` >= 0.00)", "(\"Amount\" >= 0.00)");
    check(
        "`id` > 0 and `n` < 5 or `id` is null",
        "(((\"id\" > 0) AND (\"n\" < 5)) OR (\"id\" IS NULL))",
    );
    check("((`id` > 0) or (`n` is not null))", "((\"id\" > 0) OR (\"n\" IS NOT NULL))");
    check("(not (`id` between 1 and 3))", "(NOT ((\"id\" >= 1) AND (\"id\" <= 3)))");
    check("`id` not in (1,-2)", "(NOT ((\"id\" = 1) OR (\"id\" = (-2))))");
    check("`id` <> `n`", "(\"id\" <> \"n\")");
    check("`id` != 1 && `n` = 2", "((\"id\" <> 1) AND (\"n\" = 2))");
    check("`id`", "(\"id\" <> 0)");
}

#[test]
fn numbers_are_calculated_as_wide_as_mysql_does() {
    check("`id` * `n` < 10", "((\"id\"::bigint * \"n\"::bigint) < 10)");
    check("`id` + 1.5 > -`amount`", "((\"id\"::bigint + 1.5) > (- \"Amount\"))");
    check("`f` > 0.1", "(\"f\"::double precision > 0.1::double precision)");
    check(
        "`f` / `id` > 1",
        "((\"f\"::double precision / NULLIF(\"id\"::bigint, 0))::double precision > 1::double precision)",
    );
    refused("`id` / 2 > 1", "a division that rounds");
    refused("`amount` / 2 > 1", "a division that rounds");
    refused("`id` % 2 = 0", "the sign %");
    refused("`id` div 2 = 1", "the word div");
    refused("`name` + 1 > 2", "no numbers");
}

#[test]
fn texts_are_compared_where_their_bytes_decide() {
    check("`code` = 'a '", "(rtrim(\"code\", ' ') = 'a')");
    check("`exact` in ('a','b')", "((\"exact\" = 'a') OR (\"exact\" = 'b'))");
    check("`kind` <> 'a'", "(\"kind\" <> 'a')");
    check("char_length(`name`) > 2", "(char_length(\"name\") > 2)");
    refused("`kind` = 'A'", "no label");
    refused("`name` = 'a'", "by a collation");
    refused("`code` < 'a'", "an order of texts");
    refused("lower(`code`) = 'a'", "by a collation");
    refused("`code` like 'a'", "the word like");
    refused("`name` || 'a'", "the sign ||");
    refused("`code` = 1", "unlike");
    refused("'a' = 'A'", "two constants");
    refused("concat(`code`,'a') = 'b'", "the function concat");
    refused("`code` = 'a\\'b'", "backslash");
}

#[test]
fn times_are_compared_with_days_that_there_are() {
    check("`d` > '2000-01-31'", "(\"d\" > '2000-01-31')");
    check("'2000-01-31 10:00:00' < `at`", "('2000-01-31 10:00:00' < \"at\")");
    refused("`d` > '2000-02-31'", "a time with a text");
    refused("`d` > '0000-00-00'", "a time with a text");
    refused("`stamp` > '2000-01-01'", "unlike");
    refused("`d` < `at`", "unlike");
    refused("`d` < curdate()", "the function curdate");
}

#[test]
fn what_is_unknown_is_refused_and_never_guessed() {
    refused("json_valid(`doc`)", "the function json_valid");
    refused("`doc` = 1", "unlike");
    refused("`bits` = 1", "unlike");
    refused("`gone` > 1", "an unknown column");
    refused("`id` = true", "the word true");
    refused("`id` > 0 xor `n` > 0", "the word xor");
    refused("(`id` > 0) = (`n` > 0)", "unlike");
    refused("`code`", "in the place of a condition");
    refused("case when `id` then 1 end", "the word case");
    refused("`id` >", "without an end");
    refused("", "without an end");
    check("`doc` is null", "(\"doc\" IS NULL)");
}

#[test]
fn a_constant_is_known_as_one() {
    let constant = |text: &str| translate(text, &table()).unwrap().constant;
    assert_eq!(constant("_utf8mb4\\'x\\'").as_deref(), Some("x"));
    assert_eq!(constant("(-1)").as_deref(), Some("-1"));
    assert_eq!(constant("(1 + 1)"), None);
}
