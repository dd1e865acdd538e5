//! The decision whether a table can go into the target as that is: one for `check`, `plan` and `run`.

use handoff_connect::paste_pg;
use handoff_model::{TableName, shell_word, visible};
use handoff_schema::{NameHolder, TableMapping, TargetCatalogue, TargetMisfit, ddl, pg_table_name};
use handoff_settings::{NameCase, Settings, StructurePolicy};
use handoff_structure::{ColumnPolicy, StructurePlan};
use handoff_tracking::LoadState;

/// The reason why a table cannot go into the target. [`Display`](std::fmt::Display) says it with the remedy.
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
        /// The holder of the name.
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
    /// Decides whether rows of `mapping` can go into the target, and returns the changes that its table there needs for
    /// it, if any. `load` is the record of its loads; `is_adopted` says that a table which is not ours is taken over.
    ///
    /// # Errors
    ///
    /// Returns the reason why they cannot.
    pub fn find(
        mapping: &TableMapping,
        settings: &Settings,
        target: &TargetCatalogue,
        load: Option<&LoadState>,
        is_adopted: bool,
    ) -> Result<Option<StructurePlan>, TargetRefusal> {
        let (schema, name) = (&settings.target.schema, &mapping.pg_table);
        let Some(there) = target.tables.get(name) else {
            let Some(holder) = target.names.get(name).cloned() else { return Ok(None) };
            let rename = holder.rename(schema, name);
            let target = ddl::qualified(schema, name);
            return Err(TargetRefusal::NameTaken { target, holder, rename });
        };
        let is_ours = load.is_some_and(LoadState::is_ours);
        // A table that others made is not altered before rows of ours are in it.
        let was_loaded = load.is_some_and(|load| load.last_success_at.is_some());
        let policy = ColumnPolicy {
            structure: match was_loaded {
                true => settings.structure_of(&mapping.table),
                false => StructurePolicy::Fail,
            },
            dropped: settings.target.dropped_columns,
            written: load.and_then(|load| load.columns.as_ref()),
        };
        let refusal = match is_ours || is_adopted {
            true => TargetRefusal::Unfit,
            false => TargetRefusal::NotOurs,
        };
        let plan = StructurePlan::make(mapping, schema, there, policy).map_err(refusal)?;
        Ok(Some(plan).filter(|plan| !plan.is_empty() || !plan.notes.is_empty()))
    }

    /// Finds another table of the source that goes by the same name in the target.
    pub fn same_name<'t>(
        mapping: &TableMapping,
        case: NameCase,
        mut others: impl Iterator<Item = &'t TableName>,
    ) -> Option<TargetRefusal> {
        let namesake = others.find(|other| {
            **other != mapping.table && pg_table_name(other, case) == mapping.pg_table
        })?;
        Some(TargetRefusal::SameName { other: namesake.clone() })
    }

    /// Returns the statements that change it, in this order.
    pub fn statements(&self) -> Vec<String> {
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
    pub fn command(&self) -> Option<String> {
        match self {
            TargetRefusal::Unfit(misfit) if misfit.in_full && !misfit.statements.is_empty() => {
                Some(format!("etl run {} --full", shell_word(misfit.table.as_str())))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{arrived, tracked};
    use handoff_schema::{ColumnSchema, TableSchema, TargetKind, TargetObstacle, TargetTable};
    use handoff_settings::{TableSettings, ValuePolicies};

    fn mapping(table: &str) -> TableMapping {
        let columns = vec![ColumnSchema::of_type("a", "int").unwrap()];
        let schema = TableSchema { columns, ..TableSchema::empty(table) };
        TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default()).unwrap()
    }

    fn target(there: TargetTable) -> TargetCatalogue {
        TargetCatalogue { tables: [(there.name.clone(), there)].into(), ..Default::default() }
    }

    /// Asks for a table that was loaded, or that Handoff does not know.
    fn followed(
        policy: StructurePolicy,
        mapping: &TableMapping,
        target: &TargetCatalogue,
        is_ours: bool,
    ) -> Result<Option<StructurePlan>, TargetRefusal> {
        let mut settings = Settings::new("mysql://a@h:1/s", None, "postgres://a@h/t").unwrap();
        settings.target.structure = policy;
        let load = tracked().load.filter(|_| is_ours);
        TargetRefusal::find(mapping, &settings, target, load.as_ref(), false)
    }

    /// Asks the same where no structure is followed.
    fn find(
        mapping: &TableMapping,
        target: &TargetCatalogue,
        is_ours: bool,
    ) -> Result<Option<StructurePlan>, TargetRefusal> {
        followed(StructurePolicy::Fail, mapping, target, is_ours)
    }

    fn misfit(is_ours: bool) -> TargetRefusal {
        let mapping = mapping("t");
        let there = TargetTable { kind: TargetKind::View, ..arrived(&mapping) };
        find(&mapping, &target(there), is_ours).unwrap_err()
    }

    #[test]
    fn a_table_that_fits_or_is_not_there_is_taken() {
        let mapping = mapping("t");
        let fitting = target(arrived(&mapping));
        for there in [fitting, TargetCatalogue::default()] {
            assert_eq!(find(&mapping, &there, true), Ok(None));
        }
    }

    #[test]
    fn what_is_ours_is_told_from_what_is_not() {
        assert!(matches!(misfit(true), TargetRefusal::Unfit(_)));
        assert!(matches!(misfit(false), TargetRefusal::NotOurs(_)));
        let told = misfit(false).to_string();
        assert!(told.starts_with("Handoff did not make the target table"), "{told}");
    }

    #[test]
    fn where_no_statement_changes_it_the_table_is_put_aside() {
        let refusal = misfit(true);
        let TargetRefusal::Unfit(found) = &refusal else { panic!("{refusal:?}") };
        assert_eq!(found.statements, Vec::<String>::new());
        assert_eq!(refusal.statements(), std::slice::from_ref(&found.aside));
        assert_eq!(refusal.command(), None);
    }

    #[test]
    fn a_table_that_is_changed_may_have_to_be_moved_in_full() {
        let mapping = mapping("a b");
        let mut there = arrived(&mapping);
        there.columns[0].type_name = "boolean".to_owned();
        let refusal = find(&mapping, &target(there), true).unwrap_err();
        let alter = "ALTER TABLE \"raw\".\"a b\" ALTER COLUMN \"a\" TYPE integer \
                     USING \"a\"::text::integer";
        assert_eq!(refusal.statements(), [alter]);
        assert_eq!(refusal.command().as_deref(), Some("etl run 'a b' --full"));
    }

    #[test]
    fn an_obstacle_is_taken_away_and_nothing_is_moved_again() {
        let mapping = mapping("t");
        let there = TargetTable { obstacles: vec![TargetObstacle::Unlogged], ..arrived(&mapping) };
        let refusal = find(&mapping, &target(there), true).unwrap_err();
        assert_eq!(refusal.statements(), ["ALTER TABLE \"raw\".\"t\" SET LOGGED"]);
        assert_eq!(refusal.command(), None);
    }

    #[test]
    fn a_table_of_ours_is_changed_where_the_settings_let_it() {
        let mapping = mapping("t");
        let mut there = arrived(&mapping);
        there.columns[0].type_name = "smallint".to_owned();
        let target = target(there);
        let ask = |policy, is_ours| followed(policy, &mapping, &target, is_ours);
        let changes = ask(StructurePolicy::Follow, true).unwrap().unwrap();
        assert_eq!(changes.changes.len(), 1);
        assert!(matches!(ask(StructurePolicy::Fail, true), Err(TargetRefusal::Unfit(_))));
        let not_ours = ask(StructurePolicy::Follow, false);
        assert!(matches!(not_ours, Err(TargetRefusal::NotOurs(_))));
    }

    #[test]
    fn a_name_that_something_else_has_is_given_another() {
        let holder = NameHolder { kind: "SEQUENCE", spare_name: "t_before_handoff".to_owned() };
        let names = [("t".to_owned(), holder)].into();
        let there = TargetCatalogue { names, ..Default::default() };
        let refusal = find(&mapping("t"), &there, true).unwrap_err();
        let rename = "ALTER SEQUENCE \"raw\".\"t\" RENAME TO \"t_before_handoff\"";
        assert_eq!(refusal.statements(), [rename]);
        assert!(refusal.to_string().contains("belongs to a sequence: run "), "{refusal}");
    }

    #[test]
    fn two_long_names_may_be_one_in_the_target() {
        let mapping = mapping("t");
        let names = |names: &[&str]| -> Vec<TableName> {
            names.iter().map(|name| TableName::new(name).unwrap()).collect()
        };
        let alone = names(&["t", "u"]);
        assert_eq!(TargetRefusal::same_name(&mapping, NameCase::Kept, alone.iter()), None);
        let short = TableMapping { pg_table: "u".to_owned(), ..mapping };
        let refusal = TargetRefusal::same_name(&short, NameCase::Kept, alone.iter()).unwrap();
        assert!(refusal.to_string().starts_with("`u` goes by the same name"), "{refusal}");
        assert!(refusal.statements().is_empty() && refusal.command().is_none());
    }
}
