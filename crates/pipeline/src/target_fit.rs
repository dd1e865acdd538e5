//! The decision whether a table can go into the target as that is: one for `check`, `plan` and `run`.

use handoff_connect::paste_pg;
use handoff_model::{TableName, shell_word, visible};
use handoff_schema::{NameHolder, TableMapping, TargetCatalogue, TargetMisfit, ddl, pg_table_name};

/// Why a table cannot go into the target. [`Display`](std::fmt::Display) says it, with what changes that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetRefusal {
    /// Its table in the target cannot take the rows.
    #[error("{0}")]
    Unfit(Box<TargetMisfit>),
    /// A table of that name is there that Handoff did not make, and that cannot be taken over either.
    #[error(
        "Handoff did not make the target table {}, nor can it be taken over: {}; put it aside and `{}` is loaded \
         afresh: {}",
        paste_pg(&.0.target), visible(&.0.reasons.join("; ")), .0.table, paste_pg(&.0.aside)
    )]
    NotOurs(Box<TargetMisfit>),
    /// Its name belongs to something else than a table.
    #[error("the name of {} in the target belongs to {}: run {}", paste_pg(target), .holder.kind_in_words(), paste_pg(rename))]
    NameTaken {
        /// The table of the target, quoted, with its schema.
        target: String,
        /// What has the name.
        holder: NameHolder,
        /// The statement that gives it another name.
        rename: String,
    },
    /// Another table of the source goes by the same name in the target.
    #[error(
        "`{other}` goes by the same name in the target: leave one of them out (exclude under [run] in the settings)"
    )]
    SameName {
        /// The other table.
        other: TableName,
    },
}

impl TargetRefusal {
    /// Decides whether rows of `mapping` can go into the schema `schema` of the target; `is_ours` says that its table
    /// there is ours, or is taken over.
    pub(crate) fn find(
        mapping: &TableMapping,
        schema: &str,
        target: &TargetCatalogue,
        is_ours: bool,
    ) -> Option<TargetRefusal> {
        let name = &mapping.pg_table;
        if let Some(there) = target.tables.get(name) {
            let misfit = Box::new(TargetMisfit::find(mapping, schema, there)?);
            let refusal = if is_ours { TargetRefusal::Unfit } else { TargetRefusal::NotOurs };
            return Some(refusal(misfit));
        }
        let holder = target.names.get(name)?.clone();
        let rename = holder.rename(schema, name);
        Some(TargetRefusal::NameTaken { target: ddl::qualified(schema, name), holder, rename })
    }

    /// Finds another table of the source that goes by the same name in the target.
    pub(crate) fn same_name<'t>(
        mapping: &TableMapping,
        mut others: impl Iterator<Item = &'t TableName>,
    ) -> Option<TargetRefusal> {
        let is_namesake = |other: &&TableName| {
            **other != mapping.table && pg_table_name(other) == mapping.pg_table
        };
        others.find(is_namesake).map(|other| TargetRefusal::SameName { other: other.clone() })
    }

    /// Returns the statements that change it, in this order.
    pub(crate) fn statements(&self) -> Vec<String> {
        match self {
            TargetRefusal::Unfit(misfit) if !misfit.statements.is_empty() => {
                misfit.statements.clone()
            }
            TargetRefusal::Unfit(misfit) | TargetRefusal::NotOurs(misfit) => {
                vec![misfit.aside.clone()]
            }
            TargetRefusal::NameTaken { rename, .. } => vec![rename.clone()],
            TargetRefusal::SameName { .. } => Vec::new(),
        }
    }

    /// Returns the command that is to follow the statements, where the next run alone does not do.
    pub(crate) fn command(&self) -> Option<String> {
        match self {
            TargetRefusal::Unfit(misfit) if misfit.in_full && !misfit.statements.is_empty() => {
                Some(format!("etl run {} --full", shell_word(misfit.table.as_str())))
            }
            _ => None,
        }
    }
}
