//! Obstacles to loading rows into a table of the target, and their remedies.

use crate::ddl;
use handoff_connect::quote_pg;
use serde::Deserialize;

/// Something of a table of the target that hides rows from us, changes what we write, or passes our statements on
/// to what is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetObstacle {
    /// It is a partition of another table, whose keys and triggers are its own.
    Partition {
        /// The schema of that table.
        schema: String,
        /// The name of that table.
        table: String,
    },
    /// A crash of the server empties it.
    Unlogged,
    /// Row security applies to us.
    RowSecurity,
    /// Rules.
    Rules(Vec<String>),
    /// Triggers of rows or statements.
    Triggers(Vec<String>),
    /// Foreign keys from or to it that delete or change rows.
    ActingKeys(Vec<ActingKey>),
    /// Subscriptions that write into it.
    Subscriptions(Vec<String>),
    /// Publications that need to know each old row by columns which the table does not name.
    NoIdentity(Vec<String>),
    /// Publications without some of the columns that each old row is known by.
    NarrowPublications(Vec<String>),
    /// Columns of the key whose collation takes different texts for equal.
    LooseKey(Vec<LooseColumn>),
    /// Rights that the role lacks.
    Rights {
        /// The role.
        role: String,
        /// The rights.
        rights: Vec<String>,
    },
}

/// A foreign key with an action: CASCADE, SET NULL or SET DEFAULT.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ActingKey {
    /// The schema of the table that has it.
    pub schema: String,
    /// The table that has it.
    pub table: String,
    /// Its name.
    pub name: String,
}

/// A column of text and its type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LooseColumn {
    /// Its name.
    pub name: String,
    /// Its type, as the server spells it.
    pub type_name: String,
}

impl TargetObstacle {
    /// Returns true if rows cannot be read for it, or others than were asked for.
    pub(super) fn hides_rows(&self) -> bool {
        use TargetObstacle as O;
        match self {
            O::RowSecurity | O::LooseKey(_) => true,
            O::Rights { rights, .. } => rights.iter().any(|right| right == "SELECT"),
            _ => false,
        }
    }

    /// Says what stands in the way, as a sentence about the table.
    pub fn what(&self) -> String {
        use TargetObstacle as O;
        match self {
            O::Partition { schema, table } => {
                format!("it is a partition of {}", ddl::qualified(schema, table))
            }
            O::Unlogged => "it is UNLOGGED, so that a crash of the server empties it".to_owned(),
            O::RowSecurity => {
                "its row security applies to this role, so rows may be hidden from it and be taken \
                               for missing"
                    .to_owned()
            }
            O::Rules(names) => {
                format!("it has rules, which rewrite the rows written to it ({})", list(names))
            }
            O::Triggers(names) => {
                format!(
                    "it has triggers, which may change the rows written to it ({})",
                    list(names)
                )
            }
            O::ActingKeys(keys) => {
                let names = keys.iter().map(|key| {
                    format!(
                        "{} of {}",
                        quote_pg(&*key.name),
                        ddl::qualified(&key.schema, &key.table)
                    )
                });
                format!(
                    "foreign keys from or to it delete or change rows by themselves ({})",
                    names.collect::<Vec<_>>().join(", ")
                )
            }
            O::Subscriptions(names) => format!("subscriptions write into it ({})", list(names)),
            O::NoIdentity(names) => format!(
                "its changed and deleted rows are published ({}), and its replica identity does not tell them",
                list(names)
            ),
            O::NarrowPublications(names) => format!(
                "publications of its changed and deleted rows lack columns of its replica identity ({})",
                list(names)
            ),
            O::LooseKey(columns) => {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                format!(
                    "the collation of its key takes different texts for equal ({})",
                    list(&names)
                )
            }
            O::Rights { role, rights } => {
                format!("the role {} lacks rights ({})", quote_pg(role.as_str()), rights.join(", "))
            }
        }
    }

    /// Spells the statements that take it away from the table `target`, which is quoted.
    pub fn remedy(&self, target: &str) -> Vec<String> {
        use TargetObstacle as O;
        match self {
            O::Partition { schema, table } => {
                let parent = ddl::qualified(schema, table);
                vec![format!("ALTER TABLE {parent} DETACH PARTITION {target}")]
            }
            O::Unlogged => vec![format!("ALTER TABLE {target} SET LOGGED")],
            O::RowSecurity => vec![format!("ALTER TABLE {target} DISABLE ROW LEVEL SECURITY")],
            O::Rules(names) => {
                each(names, |name| format!("ALTER TABLE {target} DISABLE RULE {name}"))
            }
            O::Triggers(_) => vec![format!("ALTER TABLE {target} DISABLE TRIGGER USER")],
            O::ActingKeys(keys) => keys
                .iter()
                .map(|key| {
                    let table = ddl::qualified(&key.schema, &key.table);
                    format!("ALTER TABLE {table} DROP CONSTRAINT {}", quote_pg(&*key.name))
                })
                .collect(),
            O::Subscriptions(names) => {
                each(names, |name| format!("ALTER SUBSCRIPTION {name} DISABLE"))
            }
            O::NoIdentity(_) => vec![format!("ALTER TABLE {target} REPLICA IDENTITY FULL")],
            O::NarrowPublications(names) => {
                each(names, |name| format!("ALTER PUBLICATION {name} DROP TABLE {target}"))
            }
            O::LooseKey(columns) => columns
                .iter()
                .map(|LooseColumn { name, type_name }| {
                    let name = quote_pg(name.as_str());
                    format!("ALTER TABLE {target} ALTER COLUMN {name} TYPE {type_name} COLLATE \"default\"")
                })
                .collect(),
            O::Rights { role, rights } => {
                let role = quote_pg(role.as_str());
                vec![format!("GRANT {} ON {target} TO {role}", rights.join(", "))]
            }
        }
    }
}

fn each(names: &[String], spell: impl Fn(String) -> String) -> Vec<String> {
    names.iter().map(|name| spell(quote_pg(name.as_str()))).collect()
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quote_pg(name.as_str())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_hide_rows_only_where_reading_is_missing() {
        let lacking = |rights: &[&str]| TargetObstacle::Rights {
            role: "etl".to_owned(),
            rights: rights.iter().map(|&right| right.to_owned()).collect(),
        };
        assert!(lacking(&["INSERT", "SELECT"]).hides_rows());
        assert!(!lacking(&["INSERT", "DELETE"]).hides_rows());
        let remedy = lacking(&["INSERT", "DELETE"]).remedy(r#""raw"."t""#);
        assert_eq!(remedy, [r#"GRANT INSERT, DELETE ON "raw"."t" TO "etl""#]);
    }

    #[test]
    fn names_are_quoted_in_every_statement() {
        let odd = || vec!["a\"b".to_owned()];
        for obstacle in [
            TargetObstacle::Rules(odd()),
            TargetObstacle::Subscriptions(odd()),
            TargetObstacle::NarrowPublications(odd()),
        ] {
            let statements = obstacle.remedy("t");
            assert!(statements[0].contains(r#""a""b""#), "{statements:?}");
            assert!(obstacle.what().contains(r#""a""b""#), "{}", obstacle.what());
        }
    }
}
