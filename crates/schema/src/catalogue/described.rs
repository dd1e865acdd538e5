//! The objects around the columns, out of the answers of information_schema.

use super::facts::{CheckFact, ColumnFact, IndexFact};
use crate::objects::{
    ColumnDefault, ColumnObjects, IndexMethod, IndexObjects, SourceCheck, TableObjects,
};
use handoff_connect::ServerFlavor;
use handoff_model::own;
use std::collections::BTreeMap;

impl CheckFact {
    /// Returns true for the check by which MariaDB makes JSON of a text.
    pub(super) fn is_of_json(&self) -> bool {
        self.clause.starts_with("json_valid(")
    }
}

impl IndexFact {
    /// Returns true unless the index finds rows otherwise than by their values.
    pub(super) fn is_of_values(&self) -> bool {
        self.method != "VECTOR"
    }
}

/// Puts the objects of a table together but for its comment.
pub(super) fn objects(
    flavor: ServerFlavor,
    columns: &[ColumnFact],
    indexes: &[IndexFact],
    checks: &[CheckFact],
) -> TableObjects {
    let columns = columns.iter().filter(|fact| fact.name != own::ROW_NUMBER);
    let checks = checks.iter().filter(|check| !check.is_of_json());
    TableObjects {
        comment: String::new(),
        columns: columns.map(|fact| of_column(flavor, fact)).collect(),
        indexes: of_indexes(indexes),
        checks: checks.map(of_check).collect(),
    }
}

fn of_check(fact: &CheckFact) -> SourceCheck {
    SourceCheck { name: fact.name.clone(), clause: fact.clause.clone(), enforced: true }
}

fn of_indexes(facts: &[IndexFact]) -> BTreeMap<String, IndexObjects> {
    let mut found: BTreeMap<String, IndexObjects> = BTreeMap::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in facts {
        let place = places.entry(&fact.index).or_default();
        let index = found.entry(fact.index.clone()).or_default();
        index.method = method(&fact.method);
        index.hidden = fact.hidden;
        index.expressions.extend(fact.expression.clone().map(|text| (*place, text)));
        *place += 1;
    }
    found
}

fn method(name: &str) -> IndexMethod {
    match name {
        "BTREE" | "HASH" => IndexMethod::Values,
        "FULLTEXT" => IndexMethod::FullText,
        "SPATIAL" | "RTREE" => IndexMethod::Spatial,
        _ => IndexMethod::Other,
    }
}

fn of_column(flavor: ServerFlavor, fact: &ColumnFact) -> ColumnObjects {
    let extra = fact.extra.to_ascii_lowercase();
    let text = fact.default.as_deref();
    ColumnObjects {
        default: match flavor {
            ServerFlavor::MariaDb => text.and_then(of_mariadb),
            ServerFlavor::MySql => text.map(|text| of_mysql(text, &extra)),
        },
        comment: fact.comment.clone(),
        auto_increment: extra.contains("auto_increment"),
    }
}

/// MySQL prints a constant bare, and says in another column that a default is an expression; before 8.0 only
/// `CURRENT_TIMESTAMP` was one.
fn of_mysql(text: &str, extra: &str) -> ColumnDefault {
    let is_time = text.starts_with("CURRENT_TIMESTAMP");
    match is_time || extra.contains("default_generated") {
        true => ColumnDefault::Expression(text.to_owned()),
        false => ColumnDefault::Literal(text.to_owned()),
    }
}

/// MariaDB prints an expression, or a constant as an expression. A text with a backslash stays one, since its meaning
/// depends on the mode of the session.
fn of_mariadb(text: &str) -> Option<ColumnDefault> {
    if text == "NULL" {
        return None;
    }
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let plain = inner.filter(|inner| !inner.contains('\\')).and_then(undoubled);
    let number = text.parse::<f64>().is_ok_and(f64::is_finite).then(|| text.to_owned());
    Some(match plain.or(number) {
        Some(literal) => ColumnDefault::Literal(literal),
        None => ColumnDefault::Expression(text.to_owned()),
    })
}

/// Returns the text whose quotes are doubled; [`None`] if one stands alone.
fn undoubled(inner: &str) -> Option<String> {
    let text = inner.replace("''", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ColumnDefault::{Expression, Literal};

    #[test]
    fn the_defaults_of_mariadb_are_expressions_or_constants() {
        let check = |text: &str, expected| assert_eq!(of_mariadb(text), expected, "{text}");
        let literal = |text: &str| Some(Literal(text.to_owned()));
        let expression = |text: &str| Some(Expression(text.to_owned()));
        check("NULL", None);
        check("'NULL'", literal("NULL"));
        check("'it''s'", literal("it's"));
        check("''", literal(""));
        check("'a\\\\b'", expression("'a\\\\b'"));
        check("-0.50", literal("-0.50"));
        check("inf", expression("inf"));
        check("current_timestamp()", expression("current_timestamp()"));
        check("'a' in ('b')", expression("'a' in ('b')"));
    }

    #[test]
    fn mysql_says_which_defaults_are_expressions() {
        assert_eq!(of_mysql("uuid()", "default_generated"), Expression("uuid()".to_owned()));
        assert_eq!(of_mysql("uuid()", ""), Literal("uuid()".to_owned()));
        let time = Expression("CURRENT_TIMESTAMP(3)".to_owned());
        assert_eq!(of_mysql("CURRENT_TIMESTAMP(3)", ""), time);
    }

    #[test]
    fn the_parts_of_an_index_are_counted() {
        let part = |index: &str, expression: Option<&str>| IndexFact {
            index: index.to_owned(),
            unique: false,
            column: None,
            prefix: None,
            descending: false,
            method: "BTREE".to_owned(),
            hidden: false,
            expression: expression.map(str::to_owned),
        };
        let found = of_indexes(&[part("a", None), part("a", Some("1 + 1")), part("b", Some("2"))]);
        assert_eq!(found["a"].expressions, [(1, "1 + 1".to_owned())].into());
        assert_eq!(found["b"].expressions, [(0, "2".to_owned())].into());
    }
}
