//! Foreign keys.

use crate::inputs::{DescribedTable, ObjectInputs};
use crate::wanted::{ObjectKind, TargetObject};
use handoff_connect::quote_pg;
use handoff_model::TableName;
use handoff_schema::{MappedColumn, PgType, SourceForeignKey, TableMapping, ddl};

/// The tables at both ends of a foreign key.
pub(crate) struct KeyTables<'a> {
    pub(crate) inputs: &'a ObjectInputs<'a>,
    /// The table that refers.
    pub(crate) child: &'a DescribedTable<'a>,
    /// The objects decided so far, the unique indexes among them.
    pub(crate) objects: &'a [TargetObject],
}

/// Spells the definition of a foreign key.
///
/// # Errors
///
/// Returns the reason why the target cannot have it.
pub(crate) fn foreign_key(
    tables: &KeyTables<'_>,
    key: &SourceForeignKey,
) -> Result<String, String> {
    let inputs = tables.inputs;
    if key.schema != inputs.database {
        return Err("it refers to another database".to_owned());
    }
    let wanted = key.table.to_lowercase();
    let mut all = inputs.tables.iter();
    let parent = all.find(|(name, _)| name.as_str().to_lowercase() == wanted);
    let Some((name, parent)) = parent else {
        return Err(format!("it refers to `{}`, which is not carried", key.table));
    };
    let own = columns(&tables.child.mapping, &key.columns)?;
    let referred = columns(&parent.mapping, &key.referred)?;
    if !tables.is_unique(name, parent, &referred) {
        return Err(format!("the target has no unique index of what it refers to in `{name}`"));
    }
    if own.iter().zip(&referred).any(|(own, referred)| !are_comparable(&own.pg, &referred.pg)) {
        return Err("its columns become of another type than those it refers to".to_owned());
    }
    Ok(format!(
        "FOREIGN KEY ({}) REFERENCES {} ({}){}{}",
        list(&own),
        ddl::qualified(inputs.schema, &parent.mapping.pg_table),
        list(&referred),
        action("DELETE", &key.on_delete),
        action("UPDATE", &key.on_update),
    ))
}

impl KeyTables<'_> {
    /// Returns true if the target will have a unique index of exactly these columns.
    fn is_unique(
        &self,
        name: &TableName,
        parent: &DescribedTable<'_>,
        referred: &[&MappedColumn],
    ) -> bool {
        let mut wanted: Vec<&str> = referred.iter().map(|column| column.pg_name.as_str()).collect();
        let mut key = parent.mapping.pg_key_names();
        wanted.sort_unstable();
        key.sort_unstable();
        let bodies = permutation_bodies(referred);
        let objects = self.objects.iter();
        wanted == key
            || objects.filter(|object| object.table == *name).any(|object| {
                object.kind == ObjectKind::UniqueIndex && bodies.contains(&object.body)
            })
    }
}

/// Spells the index of these columns in their order; a key in another order needs an index of its own.
fn permutation_bodies(columns: &[&MappedColumn]) -> Vec<String> {
    let mut reversed = columns.to_vec();
    reversed.reverse();
    [columns.to_vec(), reversed].map(|columns| format!("USING btree ({})", list(&columns))).into()
}

fn columns<'m>(
    mapping: &'m TableMapping,
    names: &[String],
) -> Result<Vec<&'m MappedColumn>, String> {
    let found = names.iter().map(|name| {
        let wanted = name.to_lowercase();
        let mut all = mapping.columns.iter();
        all.find(|column| column.source.name.as_str().to_lowercase() == wanted)
            .ok_or_else(|| "one of its columns is not there".to_owned())
    });
    found.collect()
}

fn list(columns: &[&MappedColumn]) -> String {
    let names = columns.iter().map(|column| quote_pg(column.pg_name.as_str()));
    names.collect::<Vec<_>>().join(", ")
}

fn are_comparable(one: &PgType, other: &PgType) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
        || is_whole(one) && (is_whole(other) || matches!(other, PgType::Numeric { .. }))
}

fn is_whole(kind: &PgType) -> bool {
    matches!(kind, PgType::SmallInt | PgType::Integer | PgType::BigInt)
}

fn action(event: &str, rule: &str) -> String {
    match rule {
        "CASCADE" | "SET NULL" | "SET DEFAULT" | "RESTRICT" => format!(" ON {event} {rule}"),
        _ => String::new(),
    }
}
