//! The ways from one type of a column to another.

use handoff_schema::PgType;

/// The way from the type that a column has to the one that it is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeWay {
    /// The server changes its catalogue alone: the rows stay as they are.
    InPlace,
    /// Every value has its like, but the server writes every row again, and keeps readers out while it does.
    Rewriting,
    /// Values may be lost, or mean something else.
    Otherwise,
}

/// Returns the way from the type `from`, as the server spells it, to `to`.
pub(crate) fn way(from: &str, to: &PgType) -> TypeWay {
    if is_text(from) && *to == PgType::Text {
        return TypeWay::InPlace;
    }
    let Ok(from) = from.parse::<PgType>() else { return TypeWay::Otherwise };
    if !to.widens(&from) {
        return TypeWay::Otherwise;
    }
    match (&from, to) {
        // A change of the modifier alone that takes no value away ("ALTER TABLE", notes).
        (PgType::Numeric { .. }, PgType::Numeric { .. })
        | (PgType::Timestamp(_), PgType::Timestamp(_))
        | (PgType::TimestampTz(_), PgType::TimestampTz(_))
        | (PgType::Time(_), PgType::Time(_)) => TypeWay::InPlace,
        _ => TypeWay::Rewriting,
    }
}

/// Returns true for the types of texts that a `text` holds byte for byte.
fn is_text(type_name: &str) -> bool {
    type_name == "character varying" || type_name.starts_with("character varying(")
}

#[cfg(test)]
mod tests {
    use super::*;
    use TypeWay::{InPlace, Otherwise, Rewriting};

    #[test]
    fn every_pair_of_types_has_its_way() {
        for (from, to, expected) in [
            ("smallint", "integer", Rewriting),
            ("smallint", "bigint", Rewriting),
            ("integer", "bigint", Rewriting),
            ("integer", "numeric(20,0)", Rewriting),
            ("bigint", "numeric(20,0)", Rewriting),
            ("real", "double precision", Rewriting),
            ("numeric(10,2)", "numeric(12,2)", InPlace),
            ("numeric(20,0)", "numeric(30,0)", InPlace),
            ("timestamp(0) without time zone", "timestamp(6) without time zone", InPlace),
            ("timestamp(3) with time zone", "timestamp(6) with time zone", InPlace),
            ("time(0) without time zone", "time(3) without time zone", InPlace),
            ("character varying(20)", "text", InPlace),
            ("character varying", "text", InPlace),
            ("integer", "smallint", Otherwise),
            ("bigint", "integer", Otherwise),
            ("numeric(12,2)", "numeric(10,2)", Otherwise),
            ("numeric(10,2)", "numeric(12,4)", Otherwise),
            ("numeric(10,2)", "bigint", Otherwise),
            ("bigint", "numeric(10,0)", Otherwise),
            ("double precision", "real", Otherwise),
            ("timestamp(6) without time zone", "timestamp(0) without time zone", Otherwise),
            ("timestamp(6) without time zone", "timestamp(6) with time zone", Otherwise),
            ("date", "timestamp(0) without time zone", Otherwise),
            ("character(10)", "text", Otherwise),
            ("text", "integer", Otherwise),
            ("integer", "text", Otherwise),
            ("text", "jsonb", Otherwise),
            ("jsonb", "text", Otherwise),
            ("text", "bytea", Otherwise),
            ("boolean", "smallint", Otherwise),
            ("smallint", "boolean", Otherwise),
            ("bit(1)", "bit(8)", Otherwise),
            ("interval", "time(6) without time zone", Otherwise),
            ("uuid", "text", Otherwise),
            ("text[]", "text", Otherwise),
            ("raw.mood", "text", Otherwise),
        ] {
            assert_eq!(way(from, &to.parse().unwrap()), expected, "{from} to {to}");
        }
    }
}
