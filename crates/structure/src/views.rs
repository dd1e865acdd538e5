//! Views that stand in the way of a statement: taken down and put up again in one transaction, exactly.

use crate::error::StructureError;
use crate::server::{ServerAnswer, execute};
use handoff_connect::{quote_pg, quote_pg_text};
use handoff_schema::ddl;
use postgres::types::{ToSql, Type};
use postgres::{Row, Transaction};

/// A view as its server describes it, with everything that a new one would lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewFacts {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its definition, by `pg_get_viewdef`.
    pub definition: String,
    /// Its options: `security_invoker`, `security_barrier`, `check_option`.
    pub options: Vec<String>,
    /// Its rights, one item of its ACL each.
    pub rights: Vec<String>,
    /// Statements that give it its rights, comments, defaults and triggers.
    pub statements: Vec<String>,
    /// The part or dependent of it that could not be made again, in words.
    pub hindrance: Option<String>,
}

fn sorted(rights: &[String]) -> Vec<&String> {
    let mut rights: Vec<&String> = rights.iter().collect();
    rights.sort_unstable();
    rights
}

impl ViewFacts {
    /// Returns the view, quoted, with its schema.
    pub fn qualified(&self) -> String {
        ddl::qualified(&self.schema, &self.name)
    }

    /// Returns the statements that make it, in their order.
    pub fn create(&self) -> Vec<String> {
        let view = self.qualified();
        let options = match &self.options[..] {
            [] => String::new(),
            options => format!(" WITH ({})", options.join(", ")),
        };
        let definition = self.definition.trim_end().trim_end_matches(';');
        let mut statements = vec![
            format!("CREATE VIEW {view}{options} AS {definition}"),
            format!("ALTER VIEW {view} OWNER TO {}", quote_pg(self.owner.as_str())),
        ];
        statements.extend(self.statements.iter().cloned());
        statements
    }

    /// Returns the first difference from another one, in words.
    pub fn difference(&self, other: &ViewFacts) -> Option<&'static str> {
        if self.definition != other.definition {
            Some("its definition is another")
        } else if self.owner != other.owner {
            Some("its owner is another")
        } else if self.options != other.options {
            Some("its options are others")
        } else if sorted(&self.rights) != sorted(&other.rights) {
            Some("its rights are others")
        } else if self.statements != other.statements {
            Some("its comments, defaults or triggers are others")
        } else {
            None
        }
    }
}

/// The views that use columns of a table, those that use them through other views among them.
pub struct DependentViews {
    target: String,
    /// In an order in which each can be made.
    views: Vec<ViewFacts>,
}

impl DependentViews {
    /// Reads the views over `columns` of the table `target`, which is quoted. A session of ours has no search
    /// path, so that every name in a definition is spelled in full.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses, or a view is of a kind that cannot be made again.
    pub fn read(
        tx: &mut Transaction<'_>,
        target: &str,
        columns: &[&str],
    ) -> Result<DependentViews, StructureError> {
        let names: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        let rows = tx.query_typed(QUERY, &params(&target, &names)).of(target)?;
        let views: Result<Vec<ViewFacts>, postgres::Error> = rows.iter().map(facts).collect();
        let views = DependentViews { target: target.to_owned(), views: views.of(target)? };
        let hindered = views.views.iter().filter_map(|view| view.hindrance.clone());
        let objects: Vec<String> = hindered.collect();
        match objects.is_empty() {
            true => Ok(views),
            false => Err(StructureError::Depended { target: target.to_owned(), objects }),
        }
    }

    /// Returns the names of the views, quoted.
    pub fn names(&self) -> Vec<String> {
        self.views.iter().map(ViewFacts::qualified).collect()
    }

    /// Takes the views down: those that others use last.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses: the view belongs to somebody else, or something else depends on it.
    pub fn take_down(&self, tx: &mut Transaction<'_>) -> Result<(), StructureError> {
        let drops = self.views.iter().rev();
        drops
            .map(|view| format!("DROP VIEW {}", view.qualified()))
            .try_for_each(|statement| execute(tx, &self.target, &statement))
    }

    /// Puts the views up again, and sees to it that they are as they were.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses, or a view differs.
    pub fn put_up(&self, tx: &mut Transaction<'_>, columns: &[&str]) -> Result<(), StructureError> {
        for statement in self.views.iter().flat_map(ViewFacts::create) {
            execute(tx, &self.target, &statement)?;
        }
        if self.views.is_empty() {
            return Ok(());
        }
        let now = DependentViews::read(tx, &self.target, columns)?;
        for view in &self.views {
            let same = now.views.iter().find(|other| other.qualified() == view.qualified());
            let what = match same {
                None => Some("it does not use the table any more"),
                Some(other) => view.difference(other),
            };
            if let Some(what) = what {
                let (target, view) = (self.target.clone(), view.qualified());
                return Err(StructureError::ViewDiffers { target, view, what });
            }
        }
        Ok(())
    }
}

/// The query for the views over columns `$2` of the table `$1`, each behind those that it uses.
///
/// The objects that only a view can have are spelled as statements: rights for a table and its columns,
/// comments, defaults of columns, triggers. A materialized view, and one that a rule, a function or a rowtype
/// depends on, cannot be made again from these.
const QUERY: &str = "WITH RECURSIVE used (oid, depth) AS ( \
        SELECT r.ev_class, 1 FROM pg_depend d \
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid \
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ($1::text)::regclass \
            AND a.attname = ANY ($2::text[]) AND r.ev_class <> d.refobjid \
        UNION \
        SELECT r.ev_class, u.depth + 1 FROM used u \
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = u.oid \
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid \
        WHERE r.ev_class <> u.oid \
    ), ordered AS (SELECT oid, max(depth) AS depth FROM used GROUP BY oid), \
    view AS ( \
        SELECT o.depth, c.*, n.nspname, format('%I.%I', n.nspname, c.relname) AS quoted \
        FROM ordered o JOIN pg_class c ON c.oid = o.oid JOIN pg_namespace n ON n.oid = c.relnamespace \
    ) \
    SELECT v.nspname::text, v.relname::text, pg_get_userbyid(v.relowner)::text, pg_get_viewdef(v.oid), \
        coalesce(v.reloptions, '{}'), coalesce(v.relacl, acldefault('r', v.relowner))::text[], \
        ARRAY( \
            SELECT format('GRANT %s ON %s TO %s%s', x.privilege_type, v.quoted, \
                CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, \
                CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
            FROM aclexplode(v.relacl) x WHERE x.grantee <> v.relowner ORDER BY x.grantee, x.privilege_type \
        ) || ARRAY( \
            SELECT format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, a.attname, v.quoted, \
                CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, \
                CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
            FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = v.oid \
            ORDER BY a.attnum, x.grantee, x.privilege_type \
        ) || ARRAY( \
            SELECT CASE d.objsubid WHEN 0 THEN format('COMMENT ON VIEW %s IS %L', v.quoted, d.description) \
                ELSE format('COMMENT ON COLUMN %s.%I IS %L', v.quoted, a.attname, d.description) END \
            FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid \
            WHERE d.classoid = 'pg_class'::regclass AND d.objoid = v.oid ORDER BY d.objsubid \
        ) || ARRAY( \
            SELECT format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', v.quoted, a.attname, \
                pg_get_expr(d.adbin, d.adrelid)) \
            FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
            WHERE d.adrelid = v.oid ORDER BY d.adnum \
        ) || ARRAY( \
            SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t \
            WHERE t.tgrelid = v.oid AND NOT t.tgisinternal ORDER BY t.tgname \
        ), \
        CASE WHEN v.relkind = 'm' THEN format('materialized view %s', v.quoted) \
            WHEN v.relkind <> 'v' THEN format('rule on %s', v.quoted) \
            WHEN EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = v.oid AND r.rulename <> '_RETURN') \
                THEN format('rule on view %s', v.quoted) \
            ELSE (SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d \
                WHERE d.deptype = 'n' AND d.classid NOT IN ('pg_rewrite'::regclass, 'pg_trigger'::regclass) AND ( \
                    d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid \
                    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN ( \
                        SELECT t.oid FROM pg_type t WHERE t.oid = v.reltype \
                        UNION SELECT t.typarray FROM pg_type t WHERE t.oid = v.reltype)) LIMIT 1) END \
    FROM view v ORDER BY v.depth, v.oid";

/// Returns the parameters of a query for columns of a table.
pub(crate) fn params<'q>(
    target: &'q &str,
    names: &'q Vec<String>,
) -> [(&'q (dyn ToSql + Sync), Type); 2] {
    [(target, Type::TEXT), (names, Type::TEXT_ARRAY)]
}

fn facts(row: &Row) -> Result<ViewFacts, postgres::Error> {
    Ok(ViewFacts {
        schema: row.try_get(0)?,
        name: row.try_get(1)?,
        owner: row.try_get(2)?,
        definition: row.try_get(3)?,
        options: row.try_get(4)?,
        rights: row.try_get(5)?,
        statements: row.try_get(6)?,
        hindrance: row.try_get(7)?,
    })
}

/// Lists the objects, but for views and the server's own, that depend on columns of a table so that the server
/// refuses to change or drop the columns, or would drop the objects too. The key of the table is no such object: it is
/// taken off before.
pub(crate) fn other_dependents(
    tx: &mut Transaction<'_>,
    target: &str,
    columns: &[&str],
    is_dropped: bool,
) -> Result<Vec<String>, StructureError> {
    let names: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    // An index, a constraint and extended statistics go along with a new type.
    let kept = if is_dropped { "" } else { ", 'pg_class', 'pg_constraint', 'pg_statistic_ext'" };
    let query = format!(
        "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d \
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ($1::text)::regclass \
             AND a.attname = ANY ($2::text[]) \
             AND d.classid::regclass::text <> ALL (ARRAY['pg_rewrite'{kept}]) \
             AND NOT (d.classid = 'pg_attrdef'::regclass AND d.deptype <> 'n') \
             AND NOT EXISTS (SELECT FROM pg_constraint o WHERE d.classid = 'pg_constraint'::regclass \
                 AND o.oid = d.objid AND o.contype IN ('n', 'p'))"
    );
    let rows = tx.query_typed(&query, &params(&target, &names)).of(target)?;
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().of(target)
}

/// Spells the statement that gives a column a comment.
pub(crate) fn comment(target: &str, column: &str, text: &str) -> String {
    format!("COMMENT ON COLUMN {target}.{} IS {}", quote_pg(column), quote_pg_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str) -> ViewFacts {
        ViewFacts {
            schema: "mart".to_owned(),
            name: name.to_owned(),
            owner: "dbt \"x\"".to_owned(),
            definition: " SELECT t.id\n   FROM raw.t;".to_owned(),
            options: Vec::new(),
            rights: vec!["a=r/b".to_owned(), "c=r/b".to_owned()],
            statements: vec!["COMMENT ON VIEW mart.v IS 'x'".to_owned()],
            hindrance: None,
        }
    }

    #[test]
    fn a_view_is_spelled_with_all_that_belongs_to_it() {
        let options = vec!["security_barrier=true".to_owned(), "check_option=local".to_owned()];
        let view = ViewFacts { options, ..view("v") };
        assert_eq!(
            view.create(),
            [
                "CREATE VIEW \"mart\".\"v\" WITH (security_barrier=true, check_option=local) AS  SELECT t.id\n   \
                 FROM raw.t",
                "ALTER VIEW \"mart\".\"v\" OWNER TO \"dbt \"\"x\"\"\"",
                "COMMENT ON VIEW mart.v IS 'x'",
            ]
        );
        assert!(
            ViewFacts { options: vec![], ..view }.create()[0]
                .starts_with("CREATE VIEW \"mart\".\"v\" AS ")
        );
    }

    #[test]
    fn every_difference_is_found() {
        let one = view("v");
        assert_eq!(one.difference(&one), None);
        let rights = vec!["c=r/b".to_owned(), "a=r/b".to_owned()];
        assert_eq!(one.difference(&ViewFacts { rights, ..one.clone() }), None);
        for other in [
            ViewFacts { definition: String::new(), ..one.clone() },
            ViewFacts { owner: String::new(), ..one.clone() },
            ViewFacts { options: vec![String::new()], ..one.clone() },
            ViewFacts { rights: Vec::new(), ..one.clone() },
            ViewFacts { statements: Vec::new(), ..one.clone() },
        ] {
            assert!(one.difference(&other).is_some());
        }
    }
}
