//! The entry point: one table at a time.

use crate::error::{Error, Result};
use crate::job::{LoadJob, LoadMode, LoadOutcome, LoadScope};
use crate::loaded_rows::LoadedRows;
use crate::loader_options::LoaderOptions;
use crate::merge::TargetChanges;
use crate::publish::TargetPublisher;
use crate::row_source::RowSource;
use crate::shared_staging::{StagingKind, guarded};
use crate::staging_table::{StagingAccess, StagingTable, fit};
use crate::statements::LoadStatements;
use crate::step::{MAKE, connect_failed, is_taken, step};
use crate::strategy::{LandingMode, LoadInput, LoadStrategy, StreamingLoad};
use handoff_connect::{Fault, MyPool, PgConn, PgPool, PublishHook, PublishedRows, fault_point};
use handoff_model::{
    CopyId, MoveFigures, ProgressMeter, RowThrottle, TablePhase, TableSum, WaitClock, chain,
};
use handoff_rows::{KeyList, Locking};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

/// Loads tables from one MySQL database into one schema of PostgreSQL. Shared by the threads of
/// a run.
pub struct Loader {
    from: MyPool,
    pub(crate) to: PgPool,
    pub(crate) options: LoaderOptions,
    /// The answer to whether the role may make temporary tables, once the server was asked.
    temporary: OnceLock<bool>,
    throttle: Option<RowThrottle>,
    key_names: BTreeMap<String, String>,
}

impl Loader {
    /// Makes a loader. Nothing is asked of a server yet.
    pub fn new(from: MyPool, to: PgPool, options: LoaderOptions) -> Loader {
        Loader {
            from,
            to,
            options,
            temporary: OnceLock::new(),
            throttle: None,
            key_names: BTreeMap::new(),
        }
    }

    /// Bounds the rows that are read in a second. For a loader that reads the source itself.
    #[must_use]
    pub fn throttle(mut self, throttle: Option<RowThrottle>) -> Loader {
        self.throttle = throttle;
        self
    }

    /// Names the keys of tables that are made, by the tables' names in the target. The server names the others.
    #[must_use]
    pub fn key_names(mut self, names: BTreeMap<String, String>) -> Loader {
        self.key_names = names;
        self
    }

    /// Loads one table and publishes it, with `seal` as the last statement of the transaction.
    ///
    /// Takes one connection of each pool for as long as it runs, and as many of the target's as
    /// the strategy says.
    ///
    /// # Errors
    ///
    /// Returns an error if a server fails, a value cannot be moved, the target's table does not
    /// fit or is obstructed, or the run is cancelled. The target table is then as it was before. One
    /// whose commit was not answered may have been published all the same: a first load that is
    /// tried again then ends with [`Error::TargetAppeared`].
    pub fn load(
        &self,
        job: &LoadJob<'_>,
        strategy: &dyn LoadStrategy,
        seal: &dyn PublishHook,
    ) -> Result<LoadOutcome> {
        self.attempt(job, strategy, seal, LoadScope::Filter)
    }

    /// Loads the rows of the job's filter and those of `keys`, and publishes both at once: rows of
    /// `keys` that are there to be read are merged, the others are deleted from the target, as
    /// [`Loader::load_keys`] does. The target's table must be there.
    ///
    /// # Errors
    ///
    /// As [`Loader::load`].
    pub fn load_with_keys(
        &self,
        job: &LoadJob<'_>,
        strategy: &dyn LoadStrategy,
        keys: &KeyList,
        seal: &dyn PublishHook,
    ) -> Result<LoadOutcome> {
        let job = LoadJob { mode: LoadMode::Incremental, ..*job };
        let scope =
            if keys.is_empty() { LoadScope::Filter } else { LoadScope::FilterAndKeys(keys) };
        self.attempt(&job, strategy, seal, scope)
    }

    /// Brings exactly the rows of `keys` into line and publishes that, with `seal` as the last
    /// statement of the transaction: rows that are there to be read are merged, the others are
    /// deleted from the target, unless the list keeps them ([`KeyList::keeping_gone`]). The filter
    /// and the mode of the job play no part.
    ///
    /// # Errors
    ///
    /// As [`Loader::load`]; the target's table must be there.
    pub fn load_keys(
        &self,
        job: &LoadJob<'_>,
        keys: &KeyList,
        seal: &dyn PublishHook,
    ) -> Result<LoadOutcome> {
        let job = LoadJob { mode: LoadMode::Incremental, ..*job };
        self.attempt(&job, &StreamingLoad::default(), seal, LoadScope::Keys(keys))
    }

    fn attempt(
        &self,
        job: &LoadJob<'_>,
        strategy: &dyn LoadStrategy,
        seal: &dyn PublishHook,
        scope: LoadScope<'_>,
    ) -> Result<LoadOutcome> {
        let clock = WaitClock::default();
        let source = self.source(job, scope.instead(), &clock);
        let opening = strategy.opening(&source);
        let resumes = opening == LandingMode::Resumable && job.locking == Locking::Free;
        let taken_up = job.copy_id.filter(|_| resumes);
        // Named after the copy, our own tables are found by its next load.
        let own_id = taken_up.unwrap_or_else(CopyId::new);
        let attempt = LoadAttempt {
            loader: self,
            job,
            strategy,
            seal,
            scope,
            source,
            opening,
            stays: taken_up.is_some(),
            statements: LoadStatements::new(&self.options.schema, job.mapping, own_id)
                .key_name(self.key_names.get(&job.mapping.pg_table).cloned()),
            started: Instant::now(),
        };
        let done = check_job(job, scope, &self.options.schema).and_then(|()| match opening {
            LandingMode::Transaction => attempt.in_transaction(),
            LandingMode::Committed | LandingMode::Resumable => attempt.committed(),
            LandingMode::Nowhere => attempt.nowhere(),
        });
        // Whatever came of a statement that was cancelled, this is why.
        done.map_err(|error| match self.options.cancel.check() {
            Err(_) => Error::Cancelled { table: job.mapping.table.clone() },
            Ok(()) => attempt.explain(error),
        })
    }

    fn source<'a>(
        &'a self,
        job: &LoadJob<'a>,
        keys: Option<&'a KeyList>,
        clock: &'a WaitClock,
    ) -> RowSource<'a> {
        RowSource {
            pool: &self.from,
            table: job.table,
            mapping: job.mapping,
            filter: job.filter,
            locking: job.locking,
            values: &self.options.values,
            cancel: &self.options.cancel,
            largest_row: self.options.largest_row,
            memory_bytes: self.options.memory_bytes,
            throttle: self.throttle.as_ref(),
            keys,
            clock,
        }
    }
}

/// Refuses a job that cannot succeed, before anything is opened.
fn check_job(job: &LoadJob<'_>, scope: LoadScope<'_>, schema: &str) -> Result<()> {
    let LoadJob { mapping, mode, target, .. } = *job;
    let table = &mapping.table;
    if mode == LoadMode::Incremental && mapping.key.is_empty() {
        return Err(Error::NoKey { table: table.clone() });
    }
    match (target, scope) {
        (Some(target), _) => fit(mapping, schema, target),
        (None, LoadScope::Filter) => Ok(()),
        (None, LoadScope::Keys(_) | LoadScope::FilterAndKeys(_)) => {
            Err(Error::NothingThere { table: table.clone() })
        }
    }
}

/// One load of one table.
struct LoadAttempt<'a> {
    loader: &'a Loader,
    job: &'a LoadJob<'a>,
    strategy: &'a dyn LoadStrategy,
    seal: &'a dyn PublishHook,
    scope: LoadScope<'a>,
    source: RowSource<'a>,
    opening: LandingMode,
    /// True if the rows that have landed stay after a failure, for the next load of the copy.
    stays: bool,
    statements: LoadStatements,
    started: Instant,
}

impl LoadAttempt<'_> {
    /// Tells a table that has come since the target's catalogue was read from other failures.
    fn explain(&self, error: Error) -> Error {
        if self.job.target.is_some() || !is_taken(&error) {
            return error;
        }
        let (table, target) = (self.statements.table(), self.statements.target().to_owned());
        Error::TargetAppeared { table, target }
    }

    /// Moves and publishes in one transaction.
    fn in_transaction(&self) -> Result<LoadOutcome> {
        let mut conn = self.connect()?;
        let kind = self.kind(&mut conn)?;
        self.guarded(&mut conn, |tx| {
            let mut landing = self.landing(StagingAccess::Transaction(tx), kind);
            let moved = self.run_strategy(&mut landing)?;
            self.publish(landing, moved)
        })
    }

    /// Moves into a table that every connection sees, then publishes in one transaction.
    fn committed(&self) -> Result<LoadOutcome> {
        let kind =
            if self.job.target.is_some() { StagingKind::Unlogged } else { StagingKind::Build };
        let mut landing = self.landing(StagingAccess::Pool(&self.loader.to), kind);
        // A strategy that resumes looks first whether it is there.
        if !self.resumes() {
            let failed = step(&self.statements, MAKE);
            self.connect()?.batch_execute(&landing.create()).map_err(failed)?;
        }
        landing.opened = true;
        let done = self.run_strategy(&mut landing).and_then(|moved| {
            self.guarded(&mut self.connect()?, |tx| {
                let mut landing = self.landing(StagingAccess::Transaction(tx), kind);
                landing.opened = true;
                self.publish(landing, moved)
            })
        });
        if done.is_err() && !self.stays {
            self.clean_up();
        }
        done
    }

    fn resumes(&self) -> bool {
        self.opening == LandingMode::Resumable
    }

    fn nowhere(&self) -> Result<LoadOutcome> {
        let mut landing = self.landing(StagingAccess::Nothing, StagingKind::Temporary);
        let moved = self.run_strategy(&mut landing)?;
        let published = self.published(&moved, moved.sum, TargetChanges::default(), false);
        Ok(self.outcome(moved, &published))
    }

    fn connect(&self) -> Result<PgConn> {
        self.loader.to.get().map_err(connect_failed(&self.statements))
    }

    /// Runs `work` in a transaction that ends with the request to stop.
    fn guarded<T>(
        &self,
        conn: &mut PgConn,
        work: impl FnOnce(postgres::Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        guarded(conn, &self.loader.options.cancel, &self.statements, work)
    }

    fn landing<'c>(&'c self, through: StagingAccess<'c>, kind: StagingKind) -> StagingTable<'c> {
        StagingTable {
            through,
            statements: &self.statements,
            mapping: self.job.mapping,
            mode: self.job.mode,
            kind,
            cancel: &self.loader.options.cancel,
            copy_id: self.job.copy_id,
            opened: false,
            has_keys: false,
            locked: false,
            unchanged: false,
        }
    }

    /// Chooses the landing table of a load in one transaction.
    fn kind(&self, conn: &mut PgConn) -> Result<StagingKind> {
        if self.job.target.is_none() {
            return Ok(StagingKind::Target);
        }
        let allowed = match self.loader.temporary.get() {
            Some(&allowed) => allowed,
            None => {
                let ask = "SELECT has_database_privilege(current_database(), 'TEMPORARY')";
                let failed = step(&self.statements, "prepare the load of");
                let answer = conn.query_one(ask, &[]).and_then(|row| row.try_get(0));
                let allowed = answer.map_err(failed)?;
                *self.loader.temporary.get_or_init(|| allowed)
            }
        };
        Ok(if allowed { StagingKind::Temporary } else { StagingKind::Unlogged })
    }

    fn run_strategy(&self, landing: &mut StagingTable<'_>) -> Result<LoadedRows> {
        let options = &self.loader.options;
        let meter =
            ProgressMeter::new(&*options.observer, TablePhase::Load, &self.job.mapping.table);
        fault_point("loader.opened", &self.job.mapping.table);
        let moved =
            self.strategy.load(LoadInput { source: &self.source, landing, meter: &meter })?;
        fault_point("loader.moved", &self.job.mapping.table);
        Ok(moved)
    }

    fn publish(&self, mut landing: StagingTable<'_>, mut moved: LoadedRows) -> Result<LoadOutcome> {
        let options = &self.loader.options;
        let table = &self.job.mapping.table;
        let other_unique = self.job.target.is_some_and(|target| target.other_unique_indexes > 0);
        let (rows, filter_sum) = (self.job.table.rows, moved.sum);
        let publish = TargetPublisher {
            options,
            other_unique,
            rows,
            scope: self.scope,
            source: &self.source,
        };
        let changes = publish.run(&mut landing, &mut moved)?;
        if self.resumes() {
            let failed = step(&self.statements, "drop the checkpoint of");
            let sql = self.statements.drop_checkpoint();
            landing.transaction()?.batch_execute(&sql).map_err(failed)?;
        }
        fault_point("loader.published", table);
        let published = self.published(&moved, filter_sum, changes, landing.unchanged);
        let failed = self.failed("check the load of");
        self.seal.check_target(landing.transaction()?, &published).map_err(failed)?;
        fault_point("loader.checked", table);
        let failed = self.failed("record the load of");
        self.seal.on_target(landing.transaction()?, &published).map_err(failed)?;
        fault_point("loader.sealed", table);
        if let StagingAccess::Transaction(tx) = landing.through {
            tx.commit().map_err(step(&self.statements, "commit the load of"))?;
            fault_point("loader.committed", table);
        }
        Ok(self.outcome(moved, &published))
    }

    fn failed(&self, step: &'static str) -> impl FnOnce(Fault) -> Error + use<> {
        let table = self.job.mapping.table.clone();
        move |fault| Error::Step { table, step, fault }
    }

    fn published(
        &self,
        moved: &LoadedRows,
        filter_sum: TableSum,
        changes: TargetChanges,
        unchanged: bool,
    ) -> PublishedRows {
        PublishedRows {
            rows: moved.rows,
            inserted: changes.inserted,
            updated: changes.updated,
            deleted: changes.deleted,
            before: changes.before,
            bytes: moved.bytes,
            strategy: self.strategy.name(),
            sum: Some(moved.sum),
            filter_sum: Some(filter_sum),
            unchanged,
            audit: moved.audit.clone(),
            waits: self.source.clock.waits().of_whole(self.started.elapsed()),
        }
    }

    fn outcome(&self, moved: LoadedRows, published: &PublishedRows) -> LoadOutcome {
        let duration = self.started.elapsed();
        LoadOutcome {
            figures: MoveFigures {
                rows: moved.rows,
                inserted: published.inserted,
                updated: published.updated,
                deleted: published.deleted,
                bytes: moved.bytes,
                duration,
                waits: self.source.clock.waits().of_whole(duration),
            },
            strategy: self.strategy.name(),
            sum: moved.sum,
            unchanged: published.unchanged,
            audit: moved.audit,
            notes: moved.notes,
        }
    }

    /// Drops our own table after a failure. The next run finds a table that stays.
    fn clean_up(&self) {
        let dropped = self.connect().and_then(|mut conn| {
            let failed = step(&self.statements, "drop the staging of");
            conn.batch_execute(&self.statements.drop_all_if_there()).map_err(failed)
        });
        if let Err(error) = dropped {
            log::warn!("{}", chain(&error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mapping, table};
    use handoff_model::RowFilter;

    fn check(keyed: bool, mode: LoadMode, scope: LoadScope<'_>) -> Result<()> {
        let (table, mapping) = (&table(keyed), &mapping(keyed));
        let (filter, locking) = (&RowFilter::All, Locking::Free);
        let job = LoadJob { table, mapping, filter, mode, copy_id: None, locking, target: None };
        check_job(&job, scope, "raw")
    }

    #[test]
    fn a_first_load_needs_no_key_and_an_incremental_one_does() {
        check(false, LoadMode::Full, LoadScope::Filter).unwrap();
        check(true, LoadMode::Incremental, LoadScope::Filter).unwrap();
        let error = check(false, LoadMode::Incremental, LoadScope::Filter).unwrap_err();
        assert!(matches!(error, Error::NoKey { .. }), "{error}");
    }

    #[test]
    fn rows_of_keys_need_a_table_to_be_merged_into() {
        let keys = KeyList::new(&mapping(true)).unwrap();
        for scope in [LoadScope::Keys(&keys), LoadScope::FilterAndKeys(&keys)] {
            let error = check(true, LoadMode::Incremental, scope).unwrap_err();
            assert!(matches!(error, Error::NothingThere { .. }), "{error}");
        }
    }
}
