//! The privileges of a MySQL account, as `SHOW GRANTS` tells them.

use handoff_connect::{MyConn, Result, ServerFlavor};
use std::collections::BTreeSet;

/// The privileges by which data or definitions of a database can be changed.
const WRITES: &[&str] = &[
    "ALL PRIVILEGES",
    "ALTER",
    "CREATE",
    "CREATE ROUTINE",
    "CREATE VIEW",
    "DELETE",
    "DELETE HISTORY",
    "DELETE VERSIONING ROWS",
    "DROP",
    "EVENT",
    "INDEX",
    "INSERT",
    "REFERENCES",
    "TRIGGER",
    "UPDATE",
];

/// Every privilege that an account has, its roles' among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Grants(Vec<GrantLine>);

/// One line of `SHOW GRANTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrantLine {
    /// False for a partial revoke (MySQL 8).
    gives: bool,
    privileges: Vec<Privilege>,
    /// The object that it is on, as the server spells it: `*.*`, `` `db`.* ``, …
    on: String,
    scope: GrantScope,
    /// The grantee, quoted: the account or one of its roles.
    to: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Privilege {
    name: String,
    /// The columns it is limited to, in parentheses.
    columns: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum GrantScope {
    Global,
    /// A database's name, as a pattern.
    Database(String),
    /// A table, by its database and name.
    Table(String, String),
    /// A routine or another account.
    Other,
}

impl Grants {
    /// Reads the privileges of the session's account, over a connection that is used for nothing
    /// else.
    pub(crate) fn read(conn: &mut MyConn) -> Result<Grants> {
        let version = conn.pool().version();
        // MySQL mixes the privileges of the current roles with the account's own, and tells
        // nobody but administrators what a role may. MariaDB lists its role by itself.
        if version.flavor == ServerFlavor::MariaDb || version.number < (8, 0, 0) {
            return Grants::shown(conn);
        }
        let current = conn
            .query_first::<Option<String>, _>("SELECT CURRENT_ROLE()")
            .map_err(|error| conn.fault(&error))?;
        let Some(roles) = current.flatten().filter(|roles| roles != "NONE") else {
            return Grants::shown(conn);
        };
        conn.mark_broken();
        let mut grants = Grants::shown_as(conn, "NONE")?;
        for role in split_at_commas(&roles) {
            let of_role = Grants::shown_as(conn, role)?.without(&grants);
            grants.0.extend(
                of_role.into_iter().map(|grant| GrantLine { to: role.to_owned(), ..grant }),
            );
        }
        Ok(grants)
    }

    fn shown_as(conn: &mut MyConn, role: &str) -> Result<Grants> {
        conn.query_drop(format!("SET ROLE {role}")).map_err(|error| conn.fault(&error))?;
        Grants::shown(conn)
    }

    fn shown(conn: &mut MyConn) -> Result<Grants> {
        let lines = conn.query::<String, _>("SHOW GRANTS").map_err(|error| conn.fault(&error))?;
        Ok(Grants(lines.iter().filter_map(|line| GrantLine::parse(line)).collect()))
    }

    /// Makes them of the lines of `SHOW GRANTS`.
    #[cfg(test)]
    pub(crate) fn parsed(lines: &[&str]) -> Grants {
        Grants(lines.iter().filter_map(|line| GrantLine::parse(line)).collect())
    }

    /// Returns the grants that stand here and not in `others`.
    fn without(self, others: &Grants) -> Vec<GrantLine> {
        self.0.into_iter().filter_map(|grant| grant.beyond(others)).collect()
    }

    /// Returns true if the account has `privilege` on every table of `database`.
    pub(crate) fn allow(&self, privilege: &str, database: &str) -> bool {
        let mut about = self.0.iter();
        let mut is_given = false;
        about.all(|grant| {
            let concerns = grant.covers(database) && grant.names(privilege);
            is_given |= concerns && grant.gives;
            !concerns || grant.gives
        }) && is_given
    }

    /// Returns true if the account has a privilege on the whole server.
    pub(crate) fn allow_everywhere(&self, privilege: &str) -> bool {
        let mut global =
            self.0.iter().filter(|grant| grant.gives && grant.scope == GrantScope::Global);
        global.any(|grant| grant.names(privilege))
    }

    /// Returns the statements that take away what lets the account change `database`, and what
    /// it may change, as `INSERT on *.*`. Empty if it may change nothing.
    pub(crate) fn writes(&self, database: &str) -> Vec<(String, String)> {
        let touching = self.0.iter().filter(|grant| grant.gives && grant.touches(database));
        touching
            .filter_map(|grant| {
                let writes: Vec<String> = grant
                    .privileges
                    .iter()
                    .filter(|privilege| WRITES.contains(&privilege.name.as_str()))
                    .filter(|privilege| !self.is_taken_back(grant, privilege, database))
                    .map(Privilege::spell)
                    .collect();
                let (writes, GrantLine { on, to, .. }) = (writes.join(", "), grant);
                (!writes.is_empty()).then(|| {
                    (format!("{writes} on {on}"), format!("REVOKE {writes} ON {on} FROM {to}"))
                })
            })
            .collect()
    }

    /// Returns true if revoking [`Grants::writes`] takes SELECT away as well.
    pub(crate) fn writes_hold_select(&self, database: &str) -> bool {
        let mut touching = self.0.iter().filter(|grant| grant.gives && grant.touches(database));
        touching.any(|grant| grant.privileges.iter().any(|held| held.name == "ALL PRIVILEGES"))
    }

    fn is_taken_back(&self, grant: &GrantLine, privilege: &Privilege, database: &str) -> bool {
        grant.scope == GrantScope::Global
            && self
                .0
                .iter()
                .any(|other| !other.gives && other.covers(database) && other.names(&privilege.name))
    }

    /// Returns which of `privileges` are lacking on `database`.
    pub(crate) fn lacking<'a>(&self, privileges: &[&'a str], database: &str) -> Vec<&'a str> {
        let wanted: BTreeSet<&str> = privileges.iter().copied().collect();
        wanted.into_iter().filter(|privilege| !self.allow(privilege, database)).collect()
    }
}

impl GrantLine {
    /// Reads a line; [`None`] for one that grants a role, or is not understood.
    fn parse(line: &str) -> Option<GrantLine> {
        let (gives, rest) = match line.strip_prefix("GRANT ") {
            Some(rest) => (true, rest),
            None => (false, line.strip_prefix("REVOKE ")?),
        };
        let (privileges, rest) = split_at_word(rest, " ON ")?;
        let (on, to) = split_at_word(rest, if gives { " TO " } else { " FROM " })?;
        Some(GrantLine {
            gives,
            privileges: split_at_commas(privileges).into_iter().map(Privilege::parse).collect(),
            on: on.to_owned(),
            scope: GrantScope::parse(on),
            to: account(to).to_owned(),
        })
    }

    /// Returns the grant with the privileges only that `others` do not have on the same object.
    fn beyond(mut self, others: &Grants) -> Option<GrantLine> {
        let same =
            others.0.iter().filter(|other| (other.gives, &other.on) == (self.gives, &self.on));
        let known: Vec<&Privilege> = same.flat_map(|other| &other.privileges).collect();
        self.privileges.retain(|privilege| !known.contains(&privilege));
        (!self.privileges.is_empty()).then_some(self)
    }

    /// Returns true if it holds for all of `database`.
    fn covers(&self, database: &str) -> bool {
        match &self.scope {
            GrantScope::Global => true,
            GrantScope::Database(pattern) => pattern == database || is_like(database, pattern),
            GrantScope::Table(..) | GrantScope::Other => false,
        }
    }

    /// Returns true if it holds for something in `database`.
    fn touches(&self, database: &str) -> bool {
        self.covers(database) || matches!(&self.scope, GrantScope::Table(of, _) if of == database)
    }

    fn names(&self, privilege: &str) -> bool {
        self.privileges.iter().any(|found| {
            found.columns.is_none() && (found.name == privilege || found.name == "ALL PRIVILEGES")
        })
    }
}

impl Privilege {
    fn parse(text: &str) -> Privilege {
        match text.trim().split_once('(') {
            Some((name, columns)) => {
                Privilege { name: name.trim().to_owned(), columns: Some(format!("({columns}")) }
            }
            None => Privilege { name: text.trim().to_owned(), columns: None },
        }
    }

    fn spell(&self) -> String {
        match &self.columns {
            Some(columns) => format!("{} {columns}", self.name),
            None => self.name.clone(),
        }
    }
}

impl GrantScope {
    fn parse(on: &str) -> GrantScope {
        let on = on.strip_prefix("TABLE ").unwrap_or(on);
        if on == "*.*" {
            return GrantScope::Global;
        }
        let Some((database, rest)) = name(on) else { return GrantScope::Other };
        match rest.strip_prefix('.') {
            Some("*") => GrantScope::Database(database),
            Some(table) => match name(table) {
                Some((table, "")) => GrantScope::Table(database, table),
                _ => GrantScope::Other,
            },
            None => GrantScope::Other,
        }
    }
}

/// Reads a quoted name, and returns what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '`' | '"' | '\''))?;
    let mut read = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            read.push(c);
        } else if chars.next_if(|&(_, next)| next == quote).is_some() {
            read.push(quote);
        } else {
            return Some((read, &text[at + quote.len_utf8()..]));
        }
    }
    None
}

/// Returns the quoted account or role at the beginning of `text`, without the password behind it.
fn account(text: &str) -> &str {
    let Some((_, rest)) = name(text) else { return text.split(' ').next().unwrap_or(text) };
    let behind = rest.strip_prefix('@').and_then(name).map_or(rest, |(_, behind)| behind);
    &text[..text.len() - behind.len()]
}

/// Splits at the first `word` that stands outside of quotes and parentheses.
fn split_at_word<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let at = bare(text).find(|&at| text[at..].starts_with(word))?;
    Some((&text[..at], &text[at + word.len()..]))
}

fn split_at_commas(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for at in bare(text).filter(|&at| text[at..].starts_with(',')) {
        parts.push(&text[from..at]);
        from = at + 1;
    }
    parts.push(&text[from..]);
    parts
}

/// Returns the places outside of quotes and parentheses.
fn bare(text: &str) -> impl Iterator<Item = usize> {
    let mut quote = None;
    let mut depth = 0_u32;
    text.char_indices().filter_map(move |(at, c)| {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => return Some(at),
            (None, _) => {}
        }
        None
    })
}

/// Matches a name against a pattern of LIKE.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    let Some(first) = rest.next() else { return name.is_empty() };
    let mut chars = name.chars();
    match first {
        '%' => {
            name.char_indices().any(|(at, _)| is_like(&name[at..], rest.as_str()))
                || is_like("", rest.as_str())
        }
        '_' => chars.next().is_some() && is_like(chars.as_str(), rest.as_str()),
        '\\' => {
            chars.next() == Some(rest.next().unwrap_or('\\'))
                && is_like(chars.as_str(), rest.as_str())
        }
        c => chars.next() == Some(c) && is_like(chars.as_str(), rest.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(lines: &[&str]) -> Grants {
        Grants::parsed(lines)
    }

    #[test]
    fn a_reader_reads_and_changes_nothing() {
        let reader = grants(&[
            "GRANT USAGE ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'",
            "GRANT SELECT, SHOW VIEW ON `open\\_dental`.* TO `reader`@`%`",
        ]);
        assert!(reader.allow("SELECT", "open_dental") && !reader.allow("SELECT", "openxdental"));
        assert_eq!(reader.writes("open_dental"), []);
        assert_eq!(reader.0[0].to, "`reader`@`%`");
    }

    #[test]
    fn what_may_change_the_source_is_revoked_where_it_was_granted() {
        let writer = grants(&[
            "GRANT SELECT, INSERT ON *.* TO `w`@`localhost` WITH GRANT OPTION",
            "GRANT SELECT (`a`), UPDATE (`on, a`, `b`), DROP ON `d`.`t on x` TO `w`@`localhost`",
            "GRANT DELETE ON `d`.* TO `writers`",
            "GRANT DELETE ON `other`.* TO `w`@`localhost`",
            "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `w`@`localhost`",
            "GRANT `writers` TO `w`@`localhost`",
            "GRANT PROXY ON ''@'%' TO 'w'@'localhost' WITH GRANT OPTION",
        ]);
        assert_eq!(
            writer.writes("d").into_iter().map(|(_, revoke)| revoke).collect::<Vec<_>>(),
            [
                "REVOKE INSERT ON *.* FROM `w`@`localhost`",
                "REVOKE UPDATE (`on, a`, `b`), DROP ON `d`.`t on x` FROM `w`@`localhost`",
                "REVOKE DELETE ON `d`.* FROM `writers`",
            ]
        );
        assert_eq!(writer.lacking(&["SELECT", "UPDATE", "DROP"], "d"), ["DROP", "UPDATE"]);
    }

    #[test]
    fn a_partial_revoke_counts() {
        let writer = grants(&[
            "GRANT SELECT, INSERT ON *.* TO `w`@`%`",
            "REVOKE INSERT ON `d`.* FROM `w`@`%`",
        ]);
        assert_eq!(writer.writes("d"), []);
        assert!(!writer.allow("INSERT", "d") && writer.allow("INSERT", "e"));
    }

    #[test]
    fn all_privileges_are_every_privilege() {
        let all = grants(&["GRANT ALL PRIVILEGES ON `d%`.* TO `w`@`%`"]);
        assert!(all.allow("DROP", "data") && !all.allow("DROP", "x"));
        assert!(all.writes_hold_select("data") && !all.allow_everywhere("SUPER"));
        assert_eq!(all.writes("d")[0].1, "REVOKE ALL PRIVILEGES ON `d%`.* FROM `w`@`%`");
    }

    #[test]
    fn patterns_are_those_of_like() {
        for (name, pattern, expected) in [
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("axb", "a_b", true),
            ("", "%", true),
            ("abc", "%c", true),
            ("abc", "%b", false),
            ("ä", "_", true),
        ] {
            assert_eq!(is_like(name, pattern), expected, "{name} {pattern}");
        }
    }

    #[test]
    fn a_role_has_only_what_the_account_has_not() {
        let own = grants(&["GRANT SELECT ON `d`.* TO `a`@`%`", "GRANT INSERT ON `e`.* TO `a`@`%`"]);
        let role =
            grants(&["GRANT SELECT, INSERT ON `d`.* TO `r`", "GRANT INSERT ON `e`.* TO `r`"]);
        let left = Grants(role.without(&own));
        assert_eq!(left, grants(&["GRANT INSERT ON `d`.* TO `r`"]));
    }

    #[test]
    fn a_column_is_no_table() {
        let reader = grants(&["GRANT SELECT (`a`) ON `d`.`t` TO `r`@`%`"]);
        assert!(!reader.allow("SELECT", "d"));
    }

    #[test]
    fn lines_that_say_nothing_of_privileges_are_passed_over() {
        for line in ["GRANT `role` TO `a`@`%`", "SET DEFAULT ROLE ALL TO a", ""] {
            assert_eq!(GrantLine::parse(line), None, "{line}");
        }
    }

    #[test]
    fn an_account_is_read_without_its_password() {
        for (text, expected) in [
            ("`a`@`%` IDENTIFIED BY PASSWORD '*12'", "`a`@`%`"),
            ("'a b'@'h' WITH GRANT OPTION", "'a b'@'h'"),
            ("`role`", "`role`"),
            ("role WITH ADMIN", "role"),
        ] {
            assert_eq!(account(text), expected);
        }
    }
}
