use super::tape::{LONE_SURROGATE, MAX_DEPTH, NO_JSON, NUL, NUMBER, TOO_DEEP};
use super::*;

#[track_caller]
fn check(document: &str, expected: &str) {
    let mut out = b"kept".to_vec();
    Jsonb::default().normalise(document.as_bytes(), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), format!("kept{expected}"), "{document}");
}

#[track_caller]
fn refused(document: &str, expected: Bad) {
    let problem = Jsonb::default().normalise(document.as_bytes(), &mut Vec::new()).unwrap_err();
    assert_eq!(problem, expected, "{document}");
}

#[test]
fn keys_are_ordered_and_the_last_of_equal_ones_wins() {
    check("{}", "{}");
    check(" [ ] ", "[]");
    check(
        r#"{"bb":1,"a":{"d":[],"c":{}},"B":[1,{"z":1,"y":2}]}"#,
        r#"{"B": [1, {"y": 2, "z": 1}], "a": {"c": {}, "d": []}, "bb": 1}"#,
    );
    check(r#"{"a":1,"a":2,"b":0,"a":3}"#, r#"{"a": 3, "b": 0}"#);
    check(r#"{"a":1,"\u0061":{"x":1}}"#, r#"{"a": {"x": 1}}"#);
    check(r#"{"é":1,"zz":2,"z":3,"":4}"#, r#"{"": 4, "z": 3, "zz": 2, "é": 1}"#);
    check(
        r#"[{"b":{"d":1,"c":1}},{"f":1,"e":[{"h":1,"g":1}]}]"#,
        r#"[{"b": {"c": 1, "d": 1}}, {"e": [{"g": 1, "h": 1}], "f": 1}]"#,
    );
}

#[test]
fn numbers_are_printed_as_numeric_prints_them() {
    for (document, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0.0"),
        ("0e5", "0"),
        ("0e-5", "0.00000"),
        ("1.50", "1.50"),
        ("1.50e1", "15.0"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("15e-1", "1.5"),
        ("-0e-3", "0.000"),
        ("0.001e2", "0.1"),
        ("0.001e5", "100"),
        ("-12.5e-3", "-0.0125"),
        ("0e1000000000", "0"),
    ] {
        check(document, expected);
    }
    let huge = format!("1{}", "0".repeat(131_071));
    check("1e131071", &huge);
    check(&huge, &huge);
    check("0.1e131072", &huge);
    for document in ["1e131072", "1e-16384", "0e-16384", "0e1073741823", "1e99999999999999999999"] {
        refused(document, NUMBER);
    }
    refused(&format!("{huge}0"), NUMBER);
}

#[test]
fn strings_have_the_fewest_escapes() {
    check(
        r#""a\/b\u0041\"\\\b\f\n\r\t\u001f\u007f""#,
        "\"a/bA\\\"\\\\\\b\\f\\n\\r\\t\\u001f\u{7f}\"",
    );
    check(r#""\ud83d\uDE00é""#, "\"😀é\"");
    refused(r#""\u0000""#, NUL);
    for document in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, r#""\ud83d\u0041""#] {
        refused(document, LONE_SURROGATE);
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for document in [
        "",
        " ",
        "nul",
        "nulll",
        "tru",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "1e+",
        "1a",
        "1 2",
        "[1,]",
        "[1",
        "[,1]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "]",
        "[}",
        "{]",
        "\"",
        "\"\\",
        "\"\\q\"",
        "\"\\u00g0\"",
        "\"\\u12",
        "\"a\nb\"",
        "\"a\tb\"",
        "'a'",
        "[1] x",
        "NaN",
        "\u{feff}1",
    ] {
        refused(document, NO_JSON);
    }
}

#[test]
fn nesting_is_bounded_and_does_not_recurse() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(&nested(MAX_DEPTH), &nested(MAX_DEPTH));
    refused(&nested(MAX_DEPTH + 1), TOO_DEEP);
    refused(&"[".repeat(1_000_000), TOO_DEEP);
}

#[test]
fn buffers_are_used_again() {
    let mut jsonb = Jsonb::default();
    let mut out = Vec::new();
    jsonb.normalise(br#"{"a":["\n",{"b":"\t"}]}"#, &mut out).unwrap();
    jsonb.normalise(br#"{"z":"\r""#, &mut out).unwrap_err();
    out.clear();
    jsonb.normalise(br#"{"c":"\r"}"#, &mut out).unwrap();
    assert_eq!(out, br#"{"c": "\r"}"#);
}
