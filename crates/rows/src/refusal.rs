//! The refusal of one value, before the table, column and row are known.

use handoff_model::{ColumnName, LossPolicy, TableName, toml_key};

/// The reason why one value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueRefusal {
    pub(crate) problem: &'static str,
    pub(crate) remedy: ValueRemedy,
}

/// The remedy for a [`ValueRefusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueRemedy {
    /// Another value of a policy.
    Policy(LossPolicy),
    /// Another type for the column.
    Type,
}

impl ValueRefusal {
    /// Refuses a value that `policy` could let through.
    pub(crate) fn policy(policy: LossPolicy, problem: &'static str) -> ValueRefusal {
        ValueRefusal { problem, remedy: ValueRemedy::Policy(policy) }
    }

    /// Refuses a value that the column's type in PostgreSQL cannot hold.
    pub(crate) fn of_type(problem: &'static str) -> ValueRefusal {
        ValueRefusal { problem, remedy: ValueRemedy::Type }
    }

    /// The server sent something else than the catalogue promised, as after an ALTER TABLE.
    pub(crate) fn unexpected() -> ValueRefusal {
        ValueRefusal::of_type("a value of another kind than the catalogue says")
    }
}

impl ValueRemedy {
    /// Returns the advice, as the end of a sentence.
    pub(crate) fn advice(self, table: &TableName, column: &ColumnName, in_key: bool) -> String {
        let policy = match self {
            ValueRemedy::Policy(policy) if in_key => return of_key(policy, table, column),
            ValueRemedy::Policy(policy) => policy,
            ValueRemedy::Type => {
                return format!(
                    "give `{column}` a wider type, or none, under `columns` of its table"
                );
            }
        };
        let way = match policy {
            LossPolicy::ZeroDates => "\"null\" or a date",
            LossPolicy::NulBytes => "\"strip\" or \"replace\"",
            LossPolicy::BadText => "\"replace\"",
            LossPolicy::BadJson => "\"null\"",
        };
        format!("set `{}` under [values] to {way}, or correct the source", policy.name())
    }
}

/// Names the type under which every value of a key's column is carried as it is.
fn of_key(policy: LossPolicy, table: &TableName, column: &ColumnName) -> String {
    let as_it_is = match policy {
        LossPolicy::ZeroDates => "text",
        LossPolicy::NulBytes | LossPolicy::BadText | LossPolicy::BadJson => "bytea",
    };
    format!(
        "a key is never changed: carry it as {as_it_is} with `columns = {{ {} = \"{as_it_is}\" }}` under \
         {}, or correct the value in the source",
        toml_key(column.as_str()),
        table.section()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    fn advice(remedy: ValueRemedy, in_key: bool) -> String {
        let (table, column) = (TableName::new("t").unwrap(), ColumnName::new("a").unwrap());
        remedy.advice(&table, &column, in_key)
    }

    #[test]
    fn a_policy_is_advised_by_its_name() {
        let text = advice(ValueRemedy::Policy(LossPolicy::NulBytes), false);
        assert_eq!(
            text,
            "set `nul_bytes` under [values] to \"strip\" or \"replace\", or correct the source"
        );
        let text = advice(ValueRemedy::Type, false);
        assert!(text.contains("give `a` a wider type"), "{text}");
    }

    #[test]
    fn a_key_is_carried_as_it_is() {
        let text = advice(ValueRemedy::Policy(LossPolicy::ZeroDates), true);
        assert!(text.contains("carry it as text with `columns = { a = \"text\" }`"), "{text}");
        let text = advice(ValueRemedy::Policy(LossPolicy::BadText), true);
        assert!(text.contains("carry it as bytea"), "{text}");
    }
}
