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
