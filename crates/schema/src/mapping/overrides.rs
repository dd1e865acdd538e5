//! The overrides of a table's settings.

use super::types::default_type;
use crate::{Column, Error, MySqlType, PgType, Result, Sign, TableSchema};
use handoff_settings::TableSettings;

/// Returns the type of each column: as overridden, or the default.
pub(super) fn types(
    schema: &TableSchema,
    key: &[usize],
    settings: &TableSettings,
) -> Result<Vec<PgType>> {
    let mut types: Vec<PgType> = schema.columns.iter().map(|c| default_type(&c.kind)).collect();
    let mut seen = vec![false; types.len()];
    for (name, wanted) in &settings.columns {
        let is_it = |column: &Column| crate::table::same_name(column.name.as_str(), name.as_str());
        let index = schema.columns.iter().position(is_it).ok_or_else(|| Error::NoSuchColumn {
            table: schema.name.clone(),
            column: name.clone(),
        })?;
        let column = &schema.columns[index];
        let refuse = |remedy: String| Error::BadOverride {
            table: schema.name.clone(),
            column: column.name.clone(),
            from: column.column_type.clone(),
            to: wanted.clone(),
            remedy,
        };
        if std::mem::replace(&mut seen[index], true) {
            return Err(refuse("the settings name the column twice, take one out".to_owned()));
        }
        types[index] = chosen(&column.kind, wanted).ok_or_else(|| refuse(remedy(&column.kind)))?;
        if types[index] == PgType::Jsonb && column.kind != MySqlType::Json && key.contains(&index) {
            let why = "two texts of the key may be one jsonb value, so take the line out";
            return Err(refuse(why.to_owned()));
        }
    }
    Ok(types)
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
        M::BigInt(Sign::Unsigned) => vec![P::BigInt, P::Text],
        M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year => vec![P::Text],
        M::Bit(1) => vec![P::Bit(1)],
        M::Time(digits) => vec![P::Time(*digits), P::Text],
        // As text a zero date stays what it is.
        M::Date | M::DateTime(_) | M::Timestamp(_) | M::Decimal { .. } => vec![P::Text],
        M::Char | M::VarChar | M::Text => vec![P::Jsonb],
        M::Binary(16) | M::VarBinary => vec![P::Uuid],
        M::Set(_) | M::Json | M::Uuid | M::Inet4 | M::Inet6 => vec![P::Text],
        M::Float | M::Double | M::Bit(_) | M::Binary(_) | M::Blob => Vec::new(),
        M::Enum(_) | M::Geometry | M::Vector(_) => Vec::new(),
    }
}

/// Says what may be written.
fn remedy(kind: &MySqlType) -> String {
    let default = default_type(kind);
    let mut choices = vec![default.to_string()];
    choices.extend(instead(kind).iter().map(PgType::to_string));
    choices.extend(wider(&default));
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
