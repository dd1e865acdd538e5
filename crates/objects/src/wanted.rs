//! The objects that tables of the target are to have.

use handoff_connect::{paste_pg, quote_pg, quote_pg_text};
use handoff_model::{TableName, own, visible};
use handoff_schema::{OmissionKind, ddl};
use serde::Serialize;
use std::fmt;

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// The comment of a table or a column.
    Comment,
    /// The default of a column.
    Default,
    /// The identity of a column.
    Identity,
    /// An index that is not unique.
    Index,
    /// A unique index.
    UniqueIndex,
    /// A CHECK.
    Check,
    /// A trigger that sets a column when its row changes.
    OnUpdate,
    /// A foreign key.
    ForeignKey,
}

impl ObjectKind {
    /// All of them, in the order in which they are made.
    pub const ALL: [ObjectKind; 8] = [
        ObjectKind::Comment,
        ObjectKind::Default,
        ObjectKind::Identity,
        ObjectKind::Index,
        ObjectKind::UniqueIndex,
        ObjectKind::Check,
        ObjectKind::ForeignKey,
        ObjectKind::OnUpdate,
    ];

    /// Returns the name in records and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ObjectKind::Comment => "comment",
            ObjectKind::Default => "default",
            ObjectKind::Identity => "identity",
            ObjectKind::Index => "index",
            ObjectKind::UniqueIndex => "unique_index",
            ObjectKind::Check => "check",
            ObjectKind::OnUpdate => "on_update",
            ObjectKind::ForeignKey => "foreign_key",
        }
    }

    /// Returns the noun for reports.
    pub fn noun(self) -> &'static str {
        match self {
            ObjectKind::Comment => "comment",
            ObjectKind::Default => "default",
            ObjectKind::Identity => "identity",
            ObjectKind::Index => "index",
            ObjectKind::UniqueIndex => "unique index",
            ObjectKind::Check => "CHECK",
            ObjectKind::OnUpdate => "ON UPDATE trigger",
            ObjectKind::ForeignKey => "foreign key",
        }
    }

    /// Returns the noun for several of them.
    pub fn nouns(self) -> &'static str {
        match self {
            ObjectKind::Comment => "comments",
            ObjectKind::Default => "defaults",
            ObjectKind::Identity => "identities",
            ObjectKind::Index => "indexes",
            ObjectKind::UniqueIndex => "unique indexes",
            ObjectKind::Check => "CHECKs",
            ObjectKind::OnUpdate => "ON UPDATE triggers",
            ObjectKind::ForeignKey => "foreign keys",
        }
    }

    /// Returns the kind of part of the source that it stands for.
    pub fn omission(self) -> OmissionKind {
        match self {
            ObjectKind::Comment => OmissionKind::Comment,
            ObjectKind::Default => OmissionKind::Default,
            ObjectKind::Identity => OmissionKind::AutoIncrement,
            ObjectKind::Index => OmissionKind::Index,
            ObjectKind::UniqueIndex => OmissionKind::UniqueKey,
            ObjectKind::Check => OmissionKind::Check,
            ObjectKind::OnUpdate => OmissionKind::OnUpdate,
            ObjectKind::ForeignKey => OmissionKind::ForeignKey,
        }
    }

    /// Returns true if it acts on rows that a load changes, so that it is away while rows are loaded.
    pub fn acts_on_rows(self) -> bool {
        matches!(self, ObjectKind::OnUpdate | ObjectKind::ForeignKey)
    }

    /// Returns true for an index.
    pub fn is_index(self) -> bool {
        matches!(self, ObjectKind::Index | ObjectKind::UniqueIndex)
    }

    pub(crate) fn named(name: &str) -> Option<ObjectKind> {
        ObjectKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An object of the target's table by which an object of the source is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetObject {
    /// The table.
    pub table: TableName,
    /// The table's name in the target.
    pub pg_table: String,
    /// Its kind.
    pub kind: ObjectKind,
    /// The name of the index or constraint in the source, or that of the column; empty for the table's comment.
    pub part: String,
    /// Its own name in the target, or that of its column there.
    pub name: String,
    /// Its definition without its name.
    pub body: String,
    /// A statement that has to be run once before, for all that need it.
    pub needs: Option<String>,
}

impl TargetObject {
    /// Spells the statements that make it in `schema`.
    pub fn make(&self, schema: &str) -> Vec<String> {
        let table = ddl::qualified(schema, &self.pg_table);
        let (name, body) = (quote_pg(self.name.as_str()), &self.body);
        let made = match self.kind {
            ObjectKind::Comment => vec![self.comment(&table, &quote_pg_text(body))],
            ObjectKind::Default => {
                vec![format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {body}")]
            }
            ObjectKind::Identity => vec![format!(
                "ALTER TABLE {table} ALTER COLUMN {name} ADD GENERATED BY DEFAULT AS IDENTITY"
            )],
            ObjectKind::Index => vec![format!("CREATE INDEX {name} ON {table} {body}")],
            ObjectKind::UniqueIndex => {
                vec![format!("CREATE UNIQUE INDEX {name} ON {table} {body}")]
            }
            ObjectKind::Check => {
                vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({body}) NOT VALID")]
            }
            ObjectKind::ForeignKey => vec![
                format!("ALTER TABLE {table} ADD CONSTRAINT {name} {body} NOT VALID"),
                own_comment("CONSTRAINT", &name, &table),
            ],
            ObjectKind::OnUpdate => self.trigger(schema, &table, &name),
        };
        self.needs.iter().cloned().chain(made).collect()
    }

    fn comment(&self, table: &str, text: &str) -> String {
        match self.name.as_str() {
            "" => format!("COMMENT ON TABLE {table} IS {text}"),
            column => format!("COMMENT ON COLUMN {table}.{} IS {text}", quote_pg(column)),
        }
    }

    fn trigger(&self, schema: &str, table: &str, name: &str) -> Vec<String> {
        let function = ddl::qualified(schema, &self.name);
        let body = &self.body;
        vec![
            format!(
                "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {}",
                quote_pg_text(body)
            ),
            format!(
                "CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ),
            own_comment("TRIGGER", name, table),
        ]
    }

    /// Spells the statement that has the server check the rows that are there; [`None`] if there is nothing to check.
    pub fn validate(&self, schema: &str) -> Option<String> {
        matches!(self.kind, ObjectKind::Check | ObjectKind::ForeignKey).then(|| {
            let (table, name) =
                (ddl::qualified(schema, &self.pg_table), quote_pg(self.name.as_str()));
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        })
    }

    /// Spells the statements that take it away.
    pub fn drop(&self, schema: &str) -> Vec<String> {
        let table = ddl::qualified(schema, &self.pg_table);
        let (name, own) = (quote_pg(self.name.as_str()), ddl::qualified(schema, &self.name));
        match self.kind {
            ObjectKind::Comment => vec![self.comment(&table, "NULL")],
            ObjectKind::Default => {
                vec![format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT")]
            }
            ObjectKind::Identity => {
                vec![format!("ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY IF EXISTS")]
            }
            ObjectKind::Index | ObjectKind::UniqueIndex => {
                vec![format!("DROP INDEX IF EXISTS {own}")]
            }
            ObjectKind::Check | ObjectKind::ForeignKey => {
                vec![format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")]
            }
            ObjectKind::OnUpdate => vec![
                format!("DROP TRIGGER IF EXISTS {name} ON {table}"),
                format!("DROP FUNCTION IF EXISTS {own}()"),
            ],
        }
    }

    /// Returns true if it acts on the rows of the table `pg_table` of `schema`.
    pub fn concerns(&self, schema: &str, pg_table: &str) -> bool {
        let referred = format!(" REFERENCES {} (", ddl::qualified(schema, pg_table));
        let refers = self.kind == ObjectKind::ForeignKey && self.body.contains(&referred);
        self.pg_table == pg_table || refers
    }

    /// Returns it for a sentence, such as ``index "t_k" of `t` ``.
    pub fn described(&self) -> String {
        let (kind, table) = (self.kind.noun(), &self.table);
        match self.name.as_str() {
            "" => format!("{kind} of `{table}`"),
            name => format!("{kind} {} of `{table}`", paste_pg(&quote_pg(name))),
        }
    }
}

fn own_comment(kind: &str, name: &str, table: &str) -> String {
    format!("COMMENT ON {kind} {name} ON {table} IS {}", quote_pg_text(own::MADE_BY))
}

/// A part of the source that the target does not get although it is asked for, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UncarriedPart {
    /// The table.
    pub table: TableName,
    /// Its kind.
    pub kind: OmissionKind,
    /// Its name, or that of its column.
    pub name: String,
    /// The reason, as a sentence that begins in lower case.
    pub because: String,
}

/// A departure of an object of the target from the source's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ObjectRemark {
    /// The table.
    pub table: TableName,
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its name in the source, or that of its column.
    pub part: String,
    /// The departure, as a sentence that begins in lower case.
    pub said: String,
}

impl fmt::Display for ObjectRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (noun, part, table) = (self.kind.noun(), visible(&self.part), &self.table);
        write!(f, "{noun} `{part}` of `{table}`: {}", self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: ObjectKind, name: &str, body: &str) -> TargetObject {
        TargetObject {
            table: TableName::new("T").unwrap(),
            pg_table: "T".to_owned(),
            kind,
            part: name.to_owned(),
            name: name.to_owned(),
            body: body.to_owned(),
            needs: None,
        }
    }

    #[track_caller]
    fn check(object: &TargetObject, made: &[&str], dropped: &[&str]) {
        assert_eq!(object.make("raw"), made);
        assert_eq!(object.drop("raw"), dropped);
    }

    #[test]
    fn objects_are_made_and_taken_away() {
        use ObjectKind as K;
        check(
            &object(K::Comment, "a\"b", "it's"),
            &[r#"COMMENT ON COLUMN "raw"."T"."a""b" IS 'it''s'"#],
            &[r#"COMMENT ON COLUMN "raw"."T"."a""b" IS NULL"#],
        );
        check(
            &object(K::Comment, "", "x"),
            &[r#"COMMENT ON TABLE "raw"."T" IS 'x'"#],
            &[r#"COMMENT ON TABLE "raw"."T" IS NULL"#],
        );
        check(
            &object(K::Default, "a", "0"),
            &[r#"ALTER TABLE "raw"."T" ALTER COLUMN "a" SET DEFAULT 0"#],
            &[r#"ALTER TABLE "raw"."T" ALTER COLUMN "a" DROP DEFAULT"#],
        );
        check(
            &object(K::Identity, "a", ""),
            &[r#"ALTER TABLE "raw"."T" ALTER COLUMN "a" ADD GENERATED BY DEFAULT AS IDENTITY"#],
            &[r#"ALTER TABLE "raw"."T" ALTER COLUMN "a" DROP IDENTITY IF EXISTS"#],
        );
        check(
            &object(K::UniqueIndex, "T_u", "USING btree (\"a\")"),
            &[r#"CREATE UNIQUE INDEX "T_u" ON "raw"."T" USING btree ("a")"#],
            &[r#"DROP INDEX IF EXISTS "raw"."T_u""#],
        );
        let check_key = object(K::Check, "c", "(\"a\" > 0)");
        check(
            &check_key,
            &[r#"ALTER TABLE "raw"."T" ADD CONSTRAINT "c" CHECK (("a" > 0)) NOT VALID"#],
            &[r#"ALTER TABLE "raw"."T" DROP CONSTRAINT IF EXISTS "c""#],
        );
        let validated = r#"ALTER TABLE "raw"."T" VALIDATE CONSTRAINT "c""#;
        assert_eq!(check_key.validate("raw").as_deref(), Some(validated));
    }

    #[test]
    fn what_acts_on_rows_is_marked_as_ours() {
        for kind in ObjectKind::ALL {
            let made = object(kind, "x", "y").make("raw").join("; ");
            assert_eq!(made.contains("IS 'made by Handoff'"), kind.acts_on_rows(), "{made}");
            assert_eq!(ObjectKind::named(kind.name()), Some(kind));
        }
    }
}
