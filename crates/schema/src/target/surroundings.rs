//! A table's surroundings in the catalogue.

use super::obstacle::{ActingKey, LooseColumn, TargetObstacle};
use serde::Deserialize;
use serde::de::Deserializer;

/// The place in the queries below for a condition on objects of our own.
pub(super) const OWN: &str = "/* own */";

/// Spells an expression for the surroundings of the relation `c` of the schema `n` as JSON. `k` and `b` are
/// [`ACTING_KEYS`] and [`PUBLICATIONS`].
pub(super) const SURROUNDINGS: &str = "\
    json_build_object( \
        'unlogged', c.relpersistence = 'u', \
        'role', current_user, \
        'parent', (SELECT json_build_array(pn.nspname, p.relname) FROM pg_inherits h \
            JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace \
            WHERE c.relispartition AND h.inhrelid = c.oid), \
        'row_security', row_security_active(c.oid), \
        'rules', (SELECT json_agg(r.rulename ORDER BY r.rulename) FROM pg_rewrite r \
            WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'), \
        'triggers', (SELECT json_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t \
            WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' /* own */), \
        'acting_keys', k.keys, \
        'subscriptions', (SELECT json_agg(DISTINCT s.subname) FROM pg_subscription_rel sr \
            JOIN pg_stat_subscription st ON st.subid = sr.srsubid \
            JOIN pg_subscription s ON s.subname = st.subname \
                AND s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) \
            WHERE sr.srrelid = c.oid AND s.subenabled), \
        'loose', (SELECT json_agg(json_build_object( \
                'name', a.attname, 'type_name', format_type(a.atttypid, a.atttypmod)) \
            ORDER BY a.attnum) FROM pg_attribute a \
            JOIN pg_collation o ON o.oid = a.attcollation \
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                AND NOT o.collisdeterministic), \
        'lacking', (SELECT json_agg(p.name) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) \
            AS p (name) WHERE c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, p.name)), \
        'whole_row_identity', c.relreplident = 'f', \
        'identity', (SELECT json_agg(a.attname) FROM pg_index x, pg_attribute a \
            WHERE x.indrelid = c.oid AND a.attrelid = c.oid AND a.attnum = ANY (x.indkey) \
                AND CASE c.relreplident WHEN 'd' THEN x.indisprimary \
                    WHEN 'i' THEN x.indisreplident ELSE false END), \
        'publications', b.publications)::text";

/// Foreign keys that act, by the table at either end. One of a partition comes from its parent.
pub(super) const ACTING_KEYS: &str = "\
    SELECT e.rel, json_agg(json_build_object( \
            'schema', fn.nspname, 'table', f.relname, 'name', x.conname) \
        ORDER BY fn.nspname, f.relname, x.conname) AS keys \
    FROM pg_constraint x \
    JOIN pg_class f ON f.oid = x.conrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace \
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[x.conrelid, x.confrelid]) AS rel) e \
    WHERE x.contype = 'f' AND x.conparentid = 0 /* own */ \
        AND (x.confdeltype IN ('c', 'n', 'd') OR x.confupdtype IN ('c', 'n', 'd')) \
    GROUP BY e.rel";

/// Publications of changed and deleted rows. The columns and the filter are known from PostgreSQL 15 on.
pub(super) const PUBLICATIONS: &str = "\
    SELECT t.schemaname, t.tablename, json_agg(json_build_object( \
            'name', t.pubname, 'columns', to_jsonb(t) -> 'attnames', 'filter', to_jsonb(t) ->> 'rowfilter') \
        ORDER BY t.pubname) AS publications \
    FROM pg_publication_tables t JOIN pg_publication o ON o.pubname = t.pubname \
    WHERE o.pubupdate OR o.pubdelete GROUP BY t.schemaname, t.tablename";

/// The surroundings of a table, as [`SURROUNDINGS`] returns them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct TargetSurroundings {
    unlogged: bool,
    role: String,
    parent: Option<(String, String)>,
    row_security: bool,
    #[serde(deserialize_with = "or_none")]
    rules: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    triggers: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    acting_keys: Vec<ActingKey>,
    #[serde(deserialize_with = "or_none")]
    subscriptions: Vec<String>,
    /// Columns with a collation that takes different texts for equal.
    #[serde(deserialize_with = "or_none")]
    loose: Vec<LooseColumn>,
    /// The rights that the role lacks.
    #[serde(deserialize_with = "or_none")]
    lacking: Vec<String>,
    whole_row_identity: bool,
    #[serde(deserialize_with = "or_none")]
    identity: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    publications: Vec<Publication>,
}

/// A publication of a table's changed and deleted rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Publication {
    name: String,
    columns: Option<Vec<String>>,
    filter: Option<String>,
}

impl Publication {
    fn holds(&self, wanted: &[String]) -> bool {
        let columns = self.columns.as_ref();
        columns.is_none_or(|columns| wanted.iter().all(|column| columns.contains(column)))
    }

    fn asks_for(&self, column: &str) -> bool {
        self.filter.as_ref().is_some_and(|filter| mentions(filter, column))
    }
}

/// Reads a list that the server gives as NULL where it is empty.
fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl TargetSurroundings {
    /// Reads what the server said.
    pub(super) fn parse(json: &str) -> Option<TargetSurroundings> {
        serde_json::from_str(json).ok()
    }

    /// Lists what keeps rows from being loaded into a table with these columns and this key.
    pub(super) fn obstacles(self, columns: &[String], key: &[String]) -> Vec<TargetObstacle> {
        use TargetObstacle as O;
        let mut found = Vec::new();
        found.extend(self.published(columns));
        found.extend(self.parent.map(|(schema, table)| O::Partition { schema, table }));
        found.extend(self.unlogged.then_some(O::Unlogged));
        found.extend(self.row_security.then_some(O::RowSecurity));
        found.extend(filled(self.rules).map(O::Rules));
        found.extend(filled(self.triggers).map(O::Triggers));
        found.extend(filled(self.acting_keys).map(O::ActingKeys));
        found.extend(filled(self.subscriptions).map(O::Subscriptions));
        let loose = self.loose.into_iter().filter(|column| key.contains(&column.name)).collect();
        found.extend(filled(loose).map(O::LooseKey));
        let role = self.role;
        found.extend(filled(self.lacking).map(|rights| O::Rights { role, rights }));
        found
    }

    /// Finds what a publication lacks to take changed and deleted rows, which the server then refuses: the old
    /// row is told by the columns of the table's identity, so that there must be one, the publication must hold all
    /// of it, and its filter may ask for nothing else.
    fn published(&self, columns: &[String]) -> Option<TargetObstacle> {
        let identity = if self.whole_row_identity { columns } else { &self.identity };
        let mut needs_identity = Vec::new();
        let mut too_narrow = Vec::new();
        for publication in &self.publications {
            let foreign = columns
                .iter()
                .filter(|column| publication.asks_for(column))
                .any(|column| !identity.contains(column));
            let unknown = identity.is_empty() || foreign;
            if !publication.holds(identity) || unknown && !publication.holds(columns) {
                too_narrow.push(publication.name.clone());
            } else if unknown {
                needs_identity.push(publication.name.clone());
            }
        }
        let narrow = filled(too_narrow).map(TargetObstacle::NarrowPublications);
        narrow.or_else(|| filled(needs_identity).map(TargetObstacle::NoIdentity))
    }
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns true if the name stands in an expression, or in a text of it.
fn mentions(expression: &str, name: &str) -> bool {
    expression.match_indices(name).any(|(at, _)| {
        let before = expression[..at].chars().next_back();
        let behind = expression[at + name.len()..].chars().next();
        !before.is_some_and(is_name_part) && !behind.is_some_and(is_name_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use TargetObstacle as O;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn published(
        identity: &[&str],
        whole: bool,
        columns: Option<&[&str]>,
        filter: Option<&str>,
    ) -> TargetSurroundings {
        let publication = Publication {
            name: "p".to_owned(),
            columns: columns.map(names),
            filter: filter.map(str::to_owned),
        };
        TargetSurroundings {
            whole_row_identity: whole,
            identity: names(identity),
            publications: vec![publication],
            ..TargetSurroundings::default()
        }
    }

    #[test]
    fn a_publication_needs_an_identity_that_it_holds() {
        let check = |around: TargetSurroundings, expected: &[TargetObstacle]| {
            assert_eq!(around.obstacles(&names(&["id", "a"]), &names(&["id"])), expected);
        };
        let lacks = [O::NoIdentity(names(&["p"]))];
        let narrow = [O::NarrowPublications(names(&["p"]))];
        check(published(&["id"], false, None, None), &[]);
        check(published(&[], false, None, None), &lacks);
        check(published(&[], true, None, None), &[]);
        check(published(&["id"], false, Some(&["id"]), None), &[]);
        check(published(&["id"], false, Some(&["a"]), None), &narrow);
        check(published(&[], true, Some(&["a"]), None), &narrow);
        check(published(&[], false, Some(&["a"]), None), &narrow);
        check(published(&["id"], false, None, Some("(id > 5)")), &[]);
        check(published(&["id"], false, None, Some("((a > 5) AND (id > 1))")), &lacks);
        check(published(&["id"], false, None, Some("(a_b > ida)")), &[]);
        check(
            TargetSurroundings { publications: Vec::new(), ..published(&[], false, None, None) },
            &[],
        );
    }

    #[test]
    fn what_the_server_says_is_read_and_sorted_out() {
        let json = r#"{"unlogged": true, "role": "etl", "parent": ["raw", "whole"],
            "row_security": true, "rules": ["r"], "triggers": ["t", "u"],
            "acting_keys": [{"schema": "raw", "table": "child", "name": "fk"}], "subscriptions": null,
            "loose": [{"name": "a", "type_name": "text"}, {"name": "b", "type_name": "text"}], "lacking": ["DELETE"], "whole_row_identity": false, "identity": null,
            "publications": null}"#;
        let found =
            TargetSurroundings::parse(json).unwrap().obstacles(&names(&["a", "b"]), &names(&["b"]));
        let key = ActingKey { schema: "raw".into(), table: "child".into(), name: "fk".into() };
        assert_eq!(
            found,
            [
                O::Partition { schema: "raw".into(), table: "whole".into() },
                O::Unlogged,
                O::RowSecurity,
                O::Rules(names(&["r"])),
                O::Triggers(names(&["t", "u"])),
                O::ActingKeys(vec![key]),
                O::LooseKey(vec![LooseColumn { name: "b".into(), type_name: "text".into() }]),
                O::Rights { role: "etl".into(), rights: names(&["DELETE"]) },
            ]
        );
        assert_eq!(TargetSurroundings::parse("{}"), None);
    }
}
