//! The reasons why a command cannot begin.

use crate::identity::SourceChange;
use handoff_connect::{Fault, Side, quote_pg};
use handoff_model::TableName;

/// A result whose error is a [`SessionError`].
pub type SessionResult<T> = Result<T, SessionError>;

/// The reason why a command cannot begin. No table was moved then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A server cannot be reached or refuses.
    #[error("cannot connect")]
    Connect(#[source] Fault),
    /// A server failed at something else, or refused it.
    #[error("cannot {doing}")]
    Server {
        /// The request, such as "read the clock of the source".
        doing: &'static str,
        /// The answer.
        #[source]
        fault: Fault,
    },
    /// A server is older than any that Handoff works with.
    #[error("{side}: {problem}")]
    TooOld {
        /// The server.
        side: Side,
        /// Its version and the oldest that works.
        problem: String,
    },
    /// The catalogue of source or replica could not be read.
    #[error("cannot read the catalogue")]
    Catalogue(#[source] handoff_schema::SchemaError),
    /// The catalogue of the target could not be read.
    #[error("cannot read the catalogue of the target")]
    TargetCatalogue(#[source] Fault),
    /// The tracking tables could not be read or made.
    #[error("cannot keep track of the run")]
    Tracking(#[from] handoff_tracking::TrackingError),
    /// Tables hold the data of another source than the run has.
    #[error("{0}")]
    OtherSource(Box<SourceChange>),
    /// `exclude` names tables that are not there, so that one which is meant would be carried.
    #[error(
        "{}; nothing was written: correct the name, or take it out where there is nothing to leave out",
        .names.join("; ")
    )]
    UnmatchedNames {
        /// Each name with its place, its setting and a table that is called nearly so.
        names: Vec<String>,
    },
    /// `grant_select_to` names a role that is not there.
    #[error(
        "grant_select_to names the role `{role}`, which the target has not{}; correct the name, or make it: \
         CREATE ROLE {};",
        did_you_mean(.near.as_deref()),
        quote_pg(.role.as_str())
    )]
    UnknownRole {
        /// The role.
        role: String,
        /// One that is called nearly so.
        near: Option<String>,
    },
    /// Tables were named that are not there.
    #[error(
        "the {database} has no table {}; names are case-sensitive{}",
        listed(.tables),
        did_you_mean(.near.as_ref().map(TableName::as_str))
    )]
    UnknownTables {
        /// The database that was looked into: source or replica.
        database: Side,
        /// The names.
        tables: Vec<TableName>,
        /// A table that is called nearly so, if there is one.
        near: Option<TableName>,
    },
    /// Tables were named that the settings exclude.
    #[error("include and exclude of [run] in the settings leave out {}", listed(.tables))]
    Excluded {
        /// The names.
        tables: Vec<TableName>,
    },
    /// There is nothing to move.
    #[error("there is nothing to move: {}", nothing(*.found))]
    NoTables {
        /// The number of tables that are there.
        found: usize,
    },
    /// A hop was asked for that needs a replica.
    #[error("there is no [replica] in the settings, so there is only one hop: use `etl run`")]
    NoReplica,
    /// A glob of include or exclude is none.
    #[error("include and exclude of [run] in the settings")]
    Globs(#[source] globset::Error),
}

impl SessionError {
    /// Names the request that failed, for `map_err`.
    pub fn server(doing: &'static str) -> impl Fn(Fault) -> SessionError {
        move |fault| SessionError::Server { doing, fault }
    }

    /// Returns true if the caller asked for something that cannot be, as opposed to a server
    /// that refuses.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            SessionError::UnknownTables { .. }
                | SessionError::Excluded { .. }
                | SessionError::OtherSource(_)
                | SessionError::UnmatchedNames { .. }
                | SessionError::UnknownRole { .. }
                | SessionError::NoTables { .. }
                | SessionError::NoReplica
                | SessionError::Globs(_)
        )
    }
}

fn nothing(found: usize) -> String {
    match found {
        0 => "the database has no table that this account can see; is it the right one?".to_owned(),
        _ => format!("include and exclude of [run] in the settings leave out all {found} tables"),
    }
}

fn listed(tables: &[TableName]) -> String {
    let quoted: Vec<String> = tables.iter().map(|table| format!("`{table}`")).collect();
    let (last, first) = quoted.split_last().expect("an error names at least one table");
    match first {
        [] => last.clone(),
        _ => format!("{} and {last}", first.join(", ")),
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    #[test]
    fn what_the_caller_asked_for_is_told_from_a_server_that_refuses() {
        let fault = || Fault::new(Side::Source, "no");
        let (tables, near) = (vec![table("t")], None);
        for (error, is_usage) in [
            (SessionError::Connect(fault()), false),
            (SessionError::server("ask")(fault()), false),
            (SessionError::TooOld { side: Side::Target, problem: String::new() }, false),
            (SessionError::TargetCatalogue(fault()), false),
            (SessionError::Excluded { tables: tables.clone() }, true),
            (SessionError::UnknownTables { database: Side::Source, tables, near }, true),
            (SessionError::NoTables { found: 0 }, true),
            (SessionError::NoReplica, true),
            (SessionError::UnmatchedNames { names: Vec::new() }, true),
            (SessionError::UnknownRole { role: String::new(), near: None }, true),
        ] {
            assert_eq!(error.is_usage(), is_usage, "{error:?}");
        }
    }

    #[test]
    fn a_role_that_is_not_there_can_be_made() {
        let near = Some("reader".to_owned());
        let error = SessionError::UnknownRole { role: "re ader".to_owned(), near };
        assert_eq!(
            error.to_string(),
            "grant_select_to names the role `re ader`, which the target has not; did you mean `reader`?; \
             correct the name, or make it: CREATE ROLE \"re ader\";"
        );
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        let tables = ["a", "b", "c"].map(table);
        assert_eq!(listed(&tables[..1]), "`a`");
        assert_eq!(listed(&tables[..2]), "`a` and `b`");
        assert_eq!(listed(&tables), "`a`, `b` and `c`");
    }
}
