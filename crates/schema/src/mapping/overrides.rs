//! The overrides of a table's settings.

use super::types::default_type;
use crate::column::ColumnSchema;
use crate::error::{Result, SchemaError};
use crate::mysql_type::{IntegerSign, MySqlType};
use crate::pg_type::PgType;
use crate::table::TableSchema;
use handoff_settings::{TableSettings, closest};

/// Returns the type of each column: as overridden, or the default.
pub(super) fn types(
    schema: &TableSchema,
    key: &[usize],
    settings: &TableSettings,
) -> Result<Vec<PgType>> {
    let mut types: Vec<PgType> = schema.columns.iter().map(|c| default_type(&c.kind)).collect();
    let mut seen = vec![false; types.len()];
    for (name, wanted) in &settings.columns {
        let index = schema
            .columns
            .iter()
            .position(|column| crate::table::same_name(column.name.as_str(), name.as_str()))
            .ok_or_else(|| SchemaError::NoSuchColumn {
                table: schema.name.clone(),
                column: name.clone(),
                near: near(schema, name.as_str()),
            })?;
        let column = &schema.columns[index];
        let refusal = BadOverride { schema, column, wanted };
        if std::mem::replace(&mut seen[index], true) {
            return Err(refusal.with("the settings name the column twice, take one out"));
        }
        types[index] =
            chosen(&column.kind, wanted).ok_or_else(|| refusal.with(&remedy(&column.kind)))?;
        if types[index] == PgType::Jsonb && column.kind != MySqlType::Json && key.contains(&index) {
            return Err(
                refusal.with("two texts of the key may be one jsonb value, so take the line out")
            );
        }
    }
    Ok(types)
}

/// A column that cannot have the type which the settings ask for.
struct BadOverride<'a> {
    schema: &'a TableSchema,
    column: &'a ColumnSchema,
    wanted: &'a str,
}

impl BadOverride<'_> {
    fn with(&self, remedy: &str) -> SchemaError {
        SchemaError::BadOverride {
            table: self.schema.name.clone(),
            column: self.column.name.clone(),
            from: self.column.column_type.clone(),
            to: self.wanted.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

fn near(schema: &TableSchema, name: &str) -> Option<String> {
    closest(name, schema.columns.iter().map(|column| column.name.as_str())).map(str::to_owned)
}

/// Returns the type that `wanted` names, if the column may have it.
fn chosen(kind: &MySqlType, wanted: &str) -> Option<PgType> {
    let wanted: PgType = wanted.parse().ok()?;
    let fits = wanted.widens(&default_type(kind)) || instead(kind).contains(&wanted);
    // A TIME has the digits it has, and `time` alone means those.
    match (kind, &wanted) {
        (MySqlType::Time(digits), PgType::Time(asked)) => {
            (asked >= digits).then_some(PgType::Time(*digits))
        }
        _ => fits.then_some(wanted),
    }
}

/// Returns the types that are allowed beside the default and whatever is wider than it. Those that
/// come first are what people ask for. A value that has no place in one of them fails its table, but
/// for jsonb, where `bad_json` decides.
fn instead(kind: &MySqlType) -> Vec<PgType> {
    use MySqlType as M;
    use PgType as P;
    match kind {
        M::TinyInt(_) => vec![P::Boolean, P::Text],
        // Ids are rarely above 2^63 - 1, and numeric is slow and awkward to join.
        M::BigInt(IntegerSign::Unsigned) => vec![P::BigInt, P::Text],
        M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year => vec![P::Text],
        M::Bit(1) => vec![P::Bit(1)],
        M::Time(digits) => vec![P::Time(*digits), P::Text],
        // As text a zero date stays what it is.
        M::Date | M::DateTime(_) | M::Timestamp(_) | M::Decimal { .. } => vec![P::Text],
        // As bytes a text that is none stays what it is, in its own character set.
        M::Char | M::VarChar | M::Text => vec![P::Jsonb, P::Bytea],
        M::Binary(16) | M::VarBinary => vec![P::Uuid],
        M::Set(_) | M::Json | M::Uuid | M::Inet4 | M::Inet6 => vec![P::Text],
        M::Float | M::Double | M::Bit(_) | M::Binary(_) | M::Blob => Vec::new(),
        M::Enum(_) | M::Geometry | M::Vector(_) => Vec::new(),
    }
}

/// Names what may be written beside the default.
fn others(kind: &MySqlType) -> Vec<String> {
    let mut others: Vec<String> = instead(kind).iter().map(PgType::to_string).collect();
    others.extend(wider(&default_type(kind)));
    others
}

/// Says what may be written.
fn remedy(kind: &MySqlType) -> String {
    let mut choices = vec![default_type(kind).to_string()];
    choices.extend(others(kind));
    match choices.as_slice() {
        [only] => format!("it can only be {only}, so take the line out"),
        [others @ .., last] => format!("write {} or {last}", others.join(", ")),
        [] => unreachable!("there is always the default"),
    }
}

/// Names what [`PgType::widens`] allows.
fn wider(default: &PgType) -> Vec<String> {
    use PgType as P;
    let texts: &[&str] = match default {
        P::SmallInt => &["integer", "bigint", "numeric(p,0) with p from 5"],
        P::Integer => &["bigint", "numeric(p,0) with p from 10"],
        P::BigInt => &["numeric(p,0) with p from 19"],
        P::Real => &["double precision"],
        P::Numeric { precision, scale } => {
            return vec![format!("numeric(p,{scale}) with p over {precision}")];
        }
        P::Timestamp(digits @ ..6) => return vec![format!("timestamp(f) with f over {digits}")],
        P::TimestampTz(digits @ ..6) => {
            return vec![format!("timestamptz(f) with f over {digits}")];
        }
        _ => &[],
    };
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnSchema;
    use std::fmt::Write as _;

    /// One of every type, as a catalogue spells it. Where digits matter, some.
    const TYPES: [&str; 35] = [
        "tinyint",
        "smallint",
        "smallint unsigned",
        "mediumint",
        "int",
        "int unsigned",
        "bigint",
        "bigint unsigned",
        "decimal(10,2)",
        "float",
        "double",
        "bit(1)",
        "bit(8)",
        "year",
        "date",
        "datetime(0)",
        "datetime(6)",
        "timestamp(0)",
        "timestamp(6)",
        "time(0)",
        "char(10)",
        "varchar(10)",
        "text",
        "binary(8)",
        "binary(16)",
        "varbinary(16)",
        "blob",
        "enum('a')",
        "set('a')",
        "json",
        "uuid",
        "inet4",
        "inet6",
        "point",
        "vector(3)",
    ];

    fn as_markdown() -> String {
        let mut text = String::from("| Column | Default | It may be |\n| --- | --- | --- |\n");
        for column_type in TYPES {
            let kind = ColumnSchema::of_type("c", column_type).unwrap().kind;
            let others = match others(&kind) {
                none if none.is_empty() => "nothing else".to_owned(),
                some => some.join(", "),
            };
            writeln!(text, "| {column_type} | {} | {others} |", default_type(&kind)).unwrap();
        }
        text
    }

    /// With `HANDOFF_BLESS=1` the page is written instead of compared.
    #[test]
    fn the_page_of_types_lists_what_columns_may_be() {
        const BEGIN: &str = "<!-- overrides, by HANDOFF_BLESS=1 cargo test -p handoff-schema -->\n";
        const END: &str = "<!-- end of overrides -->";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/types.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the page has the first marker");
        let (_, after) = rest.split_once(END).expect("the page has the second marker");
        let generated = format!("{before}{BEGIN}\n{}\n{END}{after}", as_markdown());
        if std::env::var_os("HANDOFF_BLESS").is_some() {
            std::fs::write(path, &generated).unwrap();
        } else if page != generated {
            panic!(
                "docs/types.md differs from what columns may be; run HANDOFF_BLESS=1 cargo test \
                 -p handoff-schema"
            );
        }
    }

    #[test]
    fn what_the_page_lists_is_taken() {
        for column_type in TYPES {
            let kind = ColumnSchema::of_type("c", column_type).unwrap().kind;
            let named = others(&kind).into_iter().filter(|other| !other.contains(" with "));
            for other in named.chain([default_type(&kind).to_string()]) {
                assert!(chosen(&kind, &other).is_some(), "{column_type}: {other}");
            }
        }
        let taken = |kind: MySqlType, wanted| chosen(&kind, wanted).is_some();
        assert!(taken(MySqlType::Year, "numeric(5,0)") && !taken(MySqlType::Year, "numeric(4,0)"));
        assert!(taken(MySqlType::DateTime(0), "timestamp(1)"));
    }
}
