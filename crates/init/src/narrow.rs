//! Narrower types that a column's declaration leaves open and only its values can show.

use handoff_schema::{ColumnSchema, IntegerSign, MySqlType};

/// A type of PostgreSQL that some columns may have by an override and most rows must be looked at
/// for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NarrowType {
    /// `boolean` for TINYINT.
    Boolean,
    /// `time` for TIME, which is `interval` otherwise.
    TimeOfDay,
    /// `uuid` for BINARY(16) and VARBINARY(16).
    Uuid,
    /// `bigint` for BIGINT UNSIGNED, which is `numeric(20,0)` otherwise.
    BigInt,
}

impl NarrowType {
    /// Returns the narrower type that a column might have.
    pub(crate) fn of(column: &ColumnSchema) -> Option<NarrowType> {
        match column.kind {
            MySqlType::TinyInt(_) => Some(NarrowType::Boolean),
            MySqlType::Time(_) => Some(NarrowType::TimeOfDay),
            MySqlType::Binary(16) => Some(NarrowType::Uuid),
            MySqlType::VarBinary if column.column_type == "varbinary(16)" => Some(NarrowType::Uuid),
            MySqlType::BigInt(IntegerSign::Unsigned) => Some(NarrowType::BigInt),
            _ => None,
        }
    }

    /// Returns the type as the settings write it.
    pub(crate) fn pg(self) -> &'static str {
        match self {
            NarrowType::Boolean => "boolean",
            NarrowType::TimeOfDay => "time",
            NarrowType::Uuid => "uuid",
            NarrowType::BigInt => "bigint",
        }
    }

    /// Returns the condition that is true for a value that does not fit. `column` is quoted.
    pub(crate) fn misfit(self, column: &str) -> String {
        match self {
            NarrowType::Boolean => format!("{column} NOT IN (0, 1)"),
            NarrowType::TimeOfDay => {
                format!("({column} < TIME'00:00:00' OR {column} >= TIME'24:00:00')")
            }
            // Any 16 bytes are a uuid to PostgreSQL; only those with a version and a variant
            // (RFC 9562, section 4) were meant as one, in the usual order of bytes.
            NarrowType::Uuid => format!(
                "(LENGTH({column}) <> 16 OR SUBSTR(HEX({column}), 13, 1) NOT BETWEEN '1' AND '8' \
                 OR SUBSTR(HEX({column}), 17, 1) NOT IN ('8', '9', 'A', 'B'))"
            ),
            NarrowType::BigInt => format!("{column} > 9223372036854775807"),
        }
    }

    /// Says what all values have in common.
    pub(crate) fn says(self) -> &'static str {
        match self {
            NarrowType::Boolean => "only 0 and 1",
            NarrowType::TimeOfDay => "no time outside of a day",
            NarrowType::Uuid => "every value has a UUID's version and variant",
            NarrowType::BigInt => "no value above 9223372036854775807",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_narrower_type_has_a_condition_for_values_that_do_not_fit() {
        for (narrow, pg, misfit) in [
            (NarrowType::Boolean, "boolean", "`c` NOT IN (0, 1)"),
            (NarrowType::TimeOfDay, "time", "(`c` < TIME'00:00:00' OR `c` >= TIME'24:00:00')"),
            (NarrowType::BigInt, "bigint", "`c` > 9223372036854775807"),
        ] {
            assert_eq!((narrow.pg(), narrow.misfit("`c`").as_str()), (pg, misfit));
        }
        let uuid = NarrowType::Uuid.misfit("`c`");
        assert!(uuid.starts_with("(LENGTH(`c`) <> 16 OR "), "{uuid}");
    }
}
