//! A change of one row of one of our tables, as SQL for either server.

use crate::layout::TableLayout;
use std::fmt::Write as _;

/// The new value of a column. Values are bound as text; the server turns them into the column's
/// type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnValue {
    /// NULL.
    Null,
    /// A value.
    Is(String),
    /// The value of another column. Only in changes of a row that is there.
    Of(&'static str),
}

/// A column and what it becomes.
pub(crate) type Set = (&'static str, ColumnValue);

/// The row that a change is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RowScope {
    /// The row is made if it is not there, with these columns as well.
    Upsert(Vec<Set>),
    /// Nothing happens unless the row is there and this column holds this value.
    Guarded(&'static str, String),
}

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowChange {
    layout: &'static TableLayout,
    key: Vec<String>,
    set: Vec<Set>,
    scope: RowScope,
}

/// A statement and what is bound to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BoundStatement {
    pub(crate) sql: String,
    pub(crate) values: Vec<Option<String>>,
}

impl RowChange {
    /// A change that makes the row where it is missing, with the columns `first` beside those it
    /// sets. `key` has a value for each key column of the layout.
    pub(crate) fn upsert(
        layout: &'static TableLayout,
        key: Vec<String>,
        first: Vec<Set>,
        set: Vec<Set>,
    ) -> RowChange {
        RowChange { layout, key, set, scope: RowScope::Upsert(first) }
    }

    /// A change of a row that is there and whose column `guard` holds `value`.
    pub(crate) fn guarded(
        layout: &'static TableLayout,
        key: Vec<String>,
        guard: &'static str,
        value: String,
        set: Vec<Set>,
    ) -> RowChange {
        RowChange { layout, key, set, scope: RowScope::Guarded(guard, value) }
    }

    pub(crate) fn layout(&self) -> &'static TableLayout {
        self.layout
    }

    /// Sets more columns; one that is set already takes the new value.
    pub(crate) fn with(mut self, more: impl IntoIterator<Item = Set>) -> RowChange {
        for (name, value) in more {
            self.set.retain(|(set, _)| *set != name);
            self.set.push((name, value));
        }
        self
    }

    /// Returns the statement for MySQL; `table` is quoted.
    pub(crate) fn for_mysql(&self, table: &str) -> BoundStatement {
        let mut values = Vec::new();
        let mut bind = |_: &'static str, value: &ColumnValue| {
            values.push(match value {
                ColumnValue::Null => None,
                ColumnValue::Is(text) => Some(text.clone()),
                ColumnValue::Of(column) => return (*column).to_owned(),
            });
            "?".to_owned()
        };
        let sql = self.render(table, &mut bind, " ON DUPLICATE KEY UPDATE ", None);
        BoundStatement { sql, values }
    }

    /// Returns the statement for PostgreSQL, whose parameters go on after those of `values`;
    /// `table` is quoted.
    pub(crate) fn for_postgres(&self, table: &str, values: &mut Vec<Option<String>>) -> String {
        let layout = self.layout;
        let mut bind = |column: &str, value: &ColumnValue| match value {
            ColumnValue::Null => "NULL".to_owned(),
            ColumnValue::Is(text) => {
                values.push(Some(text.clone()));
                format!("${}::{}", values.len(), layout.kind(column).in_postgres())
            }
            ColumnValue::Of(column) => (*column).to_owned(),
        };
        let conflict = format!(" ON CONFLICT ({}) DO UPDATE SET ", layout.key.join(", "));
        self.render(table, &mut bind, &conflict, Some("EXCLUDED"))
    }

    /// Renders either dialect: `bind` returns what stands for a value, `proposed` is what the
    /// dialect calls the row that could not be inserted, where it may be named.
    fn render(
        &self,
        table: &str,
        bind: &mut dyn FnMut(&'static str, &ColumnValue) -> String,
        conflict: &str,
        proposed: Option<&str>,
    ) -> String {
        let key =
            self.layout.key.iter().copied().zip(self.key.iter().cloned().map(ColumnValue::Is));
        match &self.scope {
            RowScope::Upsert(first) => {
                let mut names = Vec::new();
                let mut held = Vec::new();
                for (name, value) in key.chain(first.iter().cloned()).chain(self.set.clone()) {
                    held.push(bind(name, &value));
                    names.push(name);
                }
                let (names, held) = (names.join(", "), held.join(", "));
                let mut sql = format!("INSERT INTO {table} ({names}) VALUES ({held}){conflict}");
                let assigned = self.set.iter().map(|(name, value)| match proposed {
                    Some(row) => format!("{name} = {row}.{name}"),
                    None => format!("{name} = {}", bind(name, value)),
                });
                sql += &assigned.collect::<Vec<_>>().join(", ");
                sql
            }
            RowScope::Guarded(guard, value) => {
                let assigned = self.set.iter();
                let assigned: Vec<_> = assigned
                    .map(|(name, value)| format!("{name} = {}", bind(name, value)))
                    .collect();
                let mut sql = format!("UPDATE {table} SET {} WHERE ", assigned.join(", "));
                for (name, value) in key {
                    // Writing to a String cannot fail.
                    let _ = write!(sql, "{name} = {} AND ", bind(name, &value));
                }
                sql + guard + " = " + &bind(guard, &ColumnValue::Is(value.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::COPIES;

    fn is(text: &str) -> ColumnValue {
        ColumnValue::Is(text.to_owned())
    }

    #[test]
    fn an_upsert_keeps_what_it_does_not_set() {
        let change = RowChange::upsert(
            &COPIES,
            vec!["t".into()],
            vec![("intact", is("1"))],
            vec![("status", is("failed")), ("error", ColumnValue::Null)],
        );
        let mysql = change.for_mysql("`c`");
        assert_eq!(
            mysql.sql,
            "INSERT INTO `c` (table_name, intact, status, error) VALUES (?, ?, ?, ?) \
             ON DUPLICATE KEY UPDATE status = ?, error = ?"
        );
        let text = |text: &str| Some(text.to_owned());
        let bound = [text("t"), text("1"), text("failed"), None, text("failed"), None];
        assert_eq!(mysql.values, bound);

        let mut values = vec![text("before")];
        assert_eq!(
            change.for_postgres("\"c\"", &mut values),
            "INSERT INTO \"c\" (table_name, intact, status, error) \
             VALUES ($2::text, $3::boolean, $4::text, NULL) \
             ON CONFLICT (table_name) DO UPDATE SET status = EXCLUDED.status, \
             error = EXCLUDED.error"
        );
        assert_eq!(values, [text("before"), text("t"), text("1"), text("failed")]);
    }

    #[test]
    fn a_guarded_change_names_row_and_guard() {
        let change = RowChange::guarded(
            &COPIES,
            vec!["t".into()],
            "pending_copy_id",
            "ab".into(),
            vec![
                ("copy_id", ColumnValue::Of("pending_copy_id")),
                ("pending_copy_id", ColumnValue::Null),
            ],
        );
        let mysql = change.for_mysql("`c`");
        assert_eq!(
            mysql.sql,
            "UPDATE `c` SET copy_id = pending_copy_id, pending_copy_id = ? \
             WHERE table_name = ? AND pending_copy_id = ?"
        );
        assert_eq!(mysql.values, [None, Some("t".to_owned()), Some("ab".to_owned())]);
    }
}
