//! A source and a replica that go together.

use crate::error::{Error, Result, server_failed};
use handoff_connect::{MyPool, ServerVersion, SessionProfile, quote_my_text};
use handoff_model::{CancelToken, Observer, RowThrottle, RunId, TableName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Copies tables from one source into one replica. Shared by all threads of a run.
pub struct Replicator {
    pub(crate) source: MyPool,
    pub(crate) replica: MyPool,
    pub(crate) cancel: CancelToken,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) throttle: Option<RowThrottle>,
    pub(crate) memory_bytes: usize,
    /// The number of triggers of each source table that has any, where we may see them.
    pub(crate) triggers: BTreeMap<String, u64>,
    /// The replica's server demands a primary key of every table, or makes one of its own.
    pub(crate) demands_key: bool,
    /// Both databases are on one server.
    one_server: AtomicBool,
    /// The replica takes `LOAD DATA LOCAL`.
    takes_local: AtomicBool,
    /// The replica's account may make temporary tables.
    makes_temporary: AtomicBool,
}

impl Replicator {
    /// Checks that the pair goes together and learns the replica's abilities.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Unlike`], [`Error::Older`] or [`Error::SameDatabase`] for a pair that does
    /// not, and [`Error::Server`] if a server fails.
    pub fn new(
        source: MyPool,
        replica: MyPool,
        cancel: CancelToken,
        observer: Arc<dyn Observer>,
    ) -> Result<Replicator> {
        check_versions(&source, &replica)?;
        let (one_server, takes_local) = meet(&source, &replica)?;
        Ok(Replicator {
            triggers: triggers(&source)?,
            demands_key: demands_key(&replica)?,
            source,
            replica,
            cancel,
            observer,
            throttle: None,
            memory_bytes: usize::MAX,
            one_server: one_server.into(),
            takes_local: takes_local.into(),
            makes_temporary: true.into(),
        })
    }

    /// Bounds the rows that are read from the source in a second. No server then moves rows by
    /// itself.
    #[must_use]
    pub fn throttle(mut self, throttle: Option<RowThrottle>) -> Replicator {
        self.throttle = throttle;
        self
    }

    /// Bounds the memory that the rows of one table on their way may take, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Replicator {
        self.memory_bytes = bytes;
        self
    }

    /// Returns true if the replica has a table of this name.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Server`] if the replica fails.
    pub fn has(&self, table: &TableName) -> Result<bool> {
        let failed = server_failed("look for a table");
        let mut conn = self.replica.get(SessionProfile::Write).map_err(failed)?;
        let ask = "SELECT COUNT(*) FROM information_schema.TABLES \
                   WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
        let found = conn.exec_first::<u64, _, _>(ask, (table.as_str(),));
        Ok(found.map_err(|error| failed(conn.fault(&error)))?.is_some_and(|found| found > 0))
    }

    pub(crate) fn is_one_server(&self) -> bool {
        self.one_server.load(Ordering::Relaxed)
    }

    /// Has the following tables sent through us, since the replica's account may not read the
    /// source's database.
    pub(crate) fn forget_one_server(&self) {
        self.one_server.store(false, Ordering::Relaxed);
    }

    pub(crate) fn takes_local(&self) -> bool {
        self.takes_local.load(Ordering::Relaxed)
    }

    pub(crate) fn makes_temporary(&self) -> bool {
        self.makes_temporary.load(Ordering::Relaxed)
    }

    /// Has the following merges gather their rows in ordinary tables.
    pub(crate) fn forget_temporary(&self) {
        self.makes_temporary.store(false, Ordering::Relaxed);
    }

    /// Has the following tables written by prepared statements.
    pub(crate) fn forget_local(&self) {
        self.takes_local.store(false, Ordering::Relaxed);
    }
}

fn check_versions(source: &MyPool, replica: &MyPool) -> Result<()> {
    let (from, to) = (source.version(), replica.version());
    let (source_version, replica_version) = (from.clone(), to.clone());
    if from.flavor != to.flavor {
        return Err(Error::Unlike { source_version, replica_version });
    }
    if series(to) < series(from) {
        return Err(Error::Older { source_version, replica_version });
    }
    Ok(())
}

/// Returns the major and the minor number of a version.
fn series(version: &ServerVersion) -> (u16, u16) {
    let (major, minor, _) = version.number;
    (major, minor)
}

/// Returns whether both are on one server, found by a lock taken on one and seen on the other,
/// and whether the replica takes `LOAD DATA LOCAL`.
fn meet(source: &MyPool, replica: &MyPool) -> Result<(bool, bool)> {
    let failed = server_failed("compare source and replica");
    let mut from = source.get(SessionProfile::RawRead).map_err(failed)?;
    let mut to = replica.get(SessionProfile::Write).map_err(failed)?;
    let name = quote_my_text(&format!("handoff:pair:{}", RunId::new()));

    // A cluster without named locks answers with an error and shares no server with its replica.
    let taken = from
        .query_first::<(Option<u8>, String), _>(format!("SELECT GET_LOCK({name}, 0), DATABASE()"));
    let source_name = match taken {
        Ok(Some((Some(1), database))) => Some(database),
        Ok(_) | Err(mysql::Error::MySqlError(_)) => None,
        Err(error) => return Err(failed(from.fault(&error))),
    };
    let ask = format!(
        "SELECT IS_USED_LOCK({name}), @@local_infile, DATABASE(), @@lower_case_table_names"
    );
    let seen = to
        .query_first::<(Option<u32>, bool, String, u8), _>(ask)
        .map_err(|error| failed(to.fault(&error)))?;
    let Some((holder, takes_local, replica_name, folded)) = seen else { return Ok((false, false)) };
    let Some(source_name) = source_name else { return Ok((false, takes_local)) };
    from.query_drop(format!("DO RELEASE_LOCK({name})"))
        .map_err(|error| failed(from.fault(&error)))?;
    let same_name = match folded {
        0 => source_name == replica_name,
        _ => source_name.to_lowercase() == replica_name.to_lowercase(),
    };
    if holder.is_some() && same_name {
        return Err(Error::SameDatabase);
    }
    Ok((holder.is_some(), takes_local))
}

/// Asks whether a table without a primary key would be refused, or be given one that the source's has
/// not. An account may not change that.
fn demands_key(replica: &MyPool) -> Result<bool> {
    let failed = server_failed("read the replica's requirements for tables");
    let mut conn = replica.get(SessionProfile::Write).map_err(failed)?;
    let on = conn
        .query::<(String, String), _>(
            "SHOW VARIABLES WHERE Value = 'ON' AND Variable_name IN ('sql_require_primary_key', \
             'sql_generate_invisible_primary_key', 'innodb_force_primary_key')",
        )
        .map_err(|error| failed(conn.fault(&error)))?;
    Ok(!on.is_empty())
}

fn triggers(source: &MyPool) -> Result<BTreeMap<String, u64>> {
    let failed = server_failed("list the source's triggers");
    let mut conn = source.get(SessionProfile::RawRead).map_err(failed)?;
    let counts = conn
        .query::<(Vec<u8>, u64), _>(
            "SELECT EVENT_OBJECT_TABLE, COUNT(*) FROM information_schema.TRIGGERS \
             WHERE EVENT_OBJECT_SCHEMA = DATABASE() GROUP BY EVENT_OBJECT_TABLE",
        )
        .map_err(|error| failed(conn.fault(&error)))?;
    Ok(counts
        .into_iter()
        .map(|(table, count)| (String::from_utf8_lossy(&table).into_owned(), count))
        .collect())
}
