//! Making the objects, once the rows are there.

use crate::plan::{ObjectAction, ObjectPlan, ObjectStep};
use crate::record::{self, read_records};
use crate::report::{FailedObject, MadeObject, ObjectReport};
use crate::target::PresentObjects;
use crate::wanted::{ObjectKind, TargetObject};
use handoff_connect::{Fault, PgConn, PgPool, Result, fault_point};
use handoff_model::{CancelToken, TableName, own};
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The way in which objects are made.
#[derive(Debug, Clone)]
pub struct MakerOptions {
    /// The schema of the target.
    pub schema: String,
    /// Indexes built at once.
    pub jobs: NonZeroUsize,
    /// The wait for one attempt at a lock: no reader waits longer behind it.
    pub lock_timeout: Duration,
    /// The memory of the server for one index.
    pub memory_bytes: usize,
    /// The request to stop.
    pub cancel: CancelToken,
}

/// Makes and drops objects of the target.
pub struct ObjectMaker<'p> {
    pool: &'p PgPool,
    options: MakerOptions,
}

/// Has a server that can look every other second for its client end the statement of a run that died: a long build
/// would go on, and hold its locks.
const NOTICE_DEATH: &str = "SELECT set_config(name, '2s', true) FROM pg_settings \
     WHERE name = 'client_connection_check_interval' AND version() !~* 'mingw|visual|windows'";

/// Attempts at a lock, and the first of the pauses in between; each is as long again as the one before.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// The error of a lock that did not come in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// The errors by which an object refuses a row: twice the same key, a CHECK, an exclusion, a value too long for an index.
const REFUSED_ROWS: [&str; 4] = ["23505", "23514", "23P01", TOO_LONG];
const TOO_LONG: &str = "54000";

impl ObjectMaker<'_> {
    /// Makes a maker. Nothing is asked of the server yet.
    pub fn new(pool: &PgPool, options: MakerOptions) -> ObjectMaker<'_> {
        ObjectMaker { pool, options }
    }

    /// Makes the steps of a plan, and tells of each. One that fails leaves its object as it was, and the others go on.
    pub fn make(&self, plan: &ObjectPlan) -> ObjectReport {
        let mut report = ObjectReport { kept: plan.kept, ..ObjectReport::default() };
        report.remarks.clone_from(&plan.remarks);
        if plan.steps.is_empty() && plan.forgotten.is_empty() {
            return report;
        }
        if let Err(fault) = self.prepare(&plan.forgotten) {
            report.failed.extend(plan.steps.iter().map(|step| FailedObject::of(step, &fault)));
            return report;
        }
        for wave in Wave::ALL {
            let steps: Vec<&ObjectStep> =
                plan.steps.iter().filter(|step| Wave::of(step) == wave).collect();
            match wave {
                Wave::Cheap => self.by_table(&steps, &mut report),
                Wave::Build => self.in_parallel(&steps, &mut report),
                Wave::Last => steps.iter().for_each(|step| report.add(self.timed(step))),
            }
        }
        report
    }

    /// Moves the sequences of identities behind the highest keys, in one message.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server refuses.
    pub fn advance(&self, plan: &ObjectPlan, moved: impl Fn(&TableName) -> bool) -> Result<()> {
        let identities = plan.identities.iter().filter(|object| moved(&object.table));
        let statements: Vec<String> =
            identities.map(|object| record::advance(object, &self.options.schema)).collect();
        if statements.is_empty() {
            return Ok(());
        }
        let mut conn = self.pool.get()?;
        let done = conn.batch_execute(&statements.join("; "));
        done.map_err(|error| conn.fault(&error))
    }

    /// Drops the foreign keys and triggers that we made and that are `concerned`, so that rows can be loaded in any order
    /// and as they are. Returns those that could not be dropped.
    pub fn stand_aside(
        &self,
        present: &PresentObjects,
        concerned: impl Fn(&TargetObject) -> bool,
    ) -> Vec<FailedObject> {
        let records = present.records.iter().map(|record| &record.object);
        let acting = records.filter(|object| object.kind.acts_on_rows() && concerned(object));
        let steps =
            acting.map(|object| ObjectStep { object: object.clone(), action: ObjectAction::Drop });
        let failed = steps.filter_map(|step| {
            let done = self.take_step(&step);
            fault_point("objects.stood_aside", &step.object.table);
            done.err().map(|fault| FailedObject::of(&step, &fault))
        });
        failed.collect()
    }

    /// Drops the object of a table that refused rows with `fault`, and returns it: rows come first. [`None`] if it was
    /// no object of ours.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server refuses.
    pub fn give_way(&self, table: &TableName, fault: &Fault) -> Result<Option<TargetObject>> {
        if !fault.code().is_some_and(|code| REFUSED_ROWS.contains(&code)) {
            return Ok(None);
        }
        let mut conn = self.pool.get()?;
        if !has_records(&mut conn, &self.options.schema)? {
            return Ok(None);
        }
        let records = read_records(&mut conn, &self.options.schema)?;
        drop(conn);
        let mut ours = records.into_iter().map(|record| record.object);
        let guilty = ours.find(|object| {
            let is_named = fault.constraint() == Some(object.name.as_str());
            let is_of_words = fault.code() == Some(TOO_LONG)
                && fault.constraint().is_none()
                && object.body.starts_with("USING gin");
            object.table == *table && (is_named || is_of_words)
        });
        let Some(object) = guilty else { return Ok(None) };
        let step = ObjectStep { object, action: ObjectAction::Drop };
        self.take_step(&step)?;
        Ok(Some(step.object))
    }

    /// Makes the table of records, and forgets what is gone.
    fn prepare(&self, forgotten: &[TargetObject]) -> Result<()> {
        let schema = &self.options.schema;
        let forgets = forgotten.iter().map(|object| record::forget(object, schema));
        let statements: Vec<String> = [record::create(schema)].into_iter().chain(forgets).collect();
        let mut conn = self.pool.get()?;
        let done = conn.batch_execute(&statements.join("; "));
        done.map_err(|error| conn.fault(&error))
    }

    /// Makes what takes no time in one transaction a table, and one by one where that fails.
    fn by_table(&self, steps: &[&ObjectStep], report: &mut ObjectReport) {
        let mut tables: BTreeMap<&str, Vec<&ObjectStep>> = BTreeMap::new();
        for step in steps {
            tables.entry(&step.object.pg_table).or_default().push(step);
        }
        for steps in tables.into_values() {
            let started = Instant::now();
            let statements = steps.iter().flat_map(|step| self.recorded(step)).collect::<Vec<_>>();
            if steps.len() > 1 && self.patiently(&statements).is_ok() {
                let made = steps.iter().map(|step| MadeObject::of(step, started.elapsed()));
                report.made.extend(made);
                steps.iter().for_each(|step| fault_point("objects.described", &step.object.table));
            } else {
                steps.iter().for_each(|step| report.add(self.timed(step)));
            }
        }
    }

    /// Builds indexes side by side.
    fn in_parallel(&self, steps: &[&ObjectStep], report: &mut ObjectReport) {
        let queue: Mutex<VecDeque<&ObjectStep>> = Mutex::new(steps.iter().copied().collect());
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.options.jobs.get().min(steps.len()) {
                scope.spawn(|| {
                    while let Some(step) = next_of(&queue) {
                        let made = self.timed(step);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push(made);
                    }
                });
            }
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.into_iter().for_each(|made| report.add(made));
    }

    fn timed(&self, step: &ObjectStep) -> std::result::Result<MadeObject, FailedObject> {
        let started = Instant::now();
        match self.take_step(step) {
            Ok(()) => {
                fault_point("objects.made", &step.object.table);
                Ok(MadeObject::of(step, started.elapsed()))
            }
            Err(fault) => Err(FailedObject::of(step, &fault)),
        }
    }

    /// Makes a step. A constraint is checked in a transaction of its own; a CHECK that rows violate is dropped again,
    /// since it would keep them from being loaded once more, and a foreign key stays for the rows to come.
    fn take_step(&self, step: &ObjectStep) -> Result<()> {
        let ObjectStep { object, action } = step;
        let is_made = matches!(action, ObjectAction::Make | ObjectAction::Replace(_));
        let validated = object.validate(&self.options.schema).filter(|_| is_made);
        let Some(validate) = validated else { return self.patiently(&self.recorded(step)) };
        let mut statements = self.recorded(step);
        statements.retain(|statement| *statement != validate);
        self.patiently(&statements)?;
        fault_point("objects.unchecked", &object.table);
        let checked = self.patiently(&[validate]);
        if checked.is_err() && object.kind == ObjectKind::Check {
            let drop = ObjectStep { object: object.clone(), action: ObjectAction::Drop };
            self.patiently(&self.recorded(&drop))?;
        }
        checked
    }

    /// Returns the statements of a step with that which records it.
    fn recorded(&self, step: &ObjectStep) -> Vec<String> {
        let schema = &self.options.schema;
        let mut statements = step.statements(schema);
        match step.action {
            ObjectAction::Drop => statements.push(record::forget(&step.object, schema)),
            ObjectAction::Validate => {}
            _ => statements.push(record::remember(&step.object, schema)),
        }
        statements
    }

    /// Runs statements in a transaction, again with pauses while somebody holds a lock that they need.
    fn patiently(&self, statements: &[String]) -> Result<()> {
        for number in 1.. {
            match self.transaction(statements) {
                Err(fault) if fault.code() == Some(LOCK_NOT_AVAILABLE) && number < TRIES => {
                    if self.options.cancel.sleep(PAUSE * number).is_err() {
                        return Err(fault);
                    }
                }
                done => return done,
            }
        }
        Ok(())
    }

    fn transaction(&self, statements: &[String]) -> Result<()> {
        let mut conn = self.pool.get()?;
        let guard = self.pool.cancel_guard(&conn, &self.options.cancel);
        let settings = format!(
            "SET LOCAL lock_timeout = '{}ms'; SET LOCAL maintenance_work_mem = '{}kB'; {NOTICE_DEATH}",
            self.options.lock_timeout.as_millis(),
            (self.options.memory_bytes / 1024).clamp(64 << 10, 1 << 20)
        );
        let all: Vec<&str> = std::iter::once(settings.as_str())
            .chain(statements.iter().map(String::as_str))
            .collect();
        let done = conn.transaction().and_then(|mut tx| {
            tx.batch_execute(&all.join("; "))?;
            tx.commit()
        });
        drop(guard);
        // A cancel request may still be under way: it must not meet the next statement.
        if self.options.cancel.is_cancelled() {
            conn.mark_broken();
        }
        done.map_err(|error| conn.fault(&error))
    }
}

fn next_of<'s>(queue: &Mutex<VecDeque<&'s ObjectStep>>) -> Option<&'s ObjectStep> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn has_records(conn: &mut PgConn, schema: &str) -> Result<bool> {
    let query = "SELECT to_regclass($1) IS NOT NULL";
    let name = handoff_schema::ddl::qualified(schema, own::OBJECTS);
    let asked = conn.query_typed(query, &[(&name, postgres::types::Type::TEXT)]);
    let read = asked.and_then(|rows| rows.first().map_or(Ok(false), |row| row.try_get(0)));
    read.map_err(|error| conn.fault(&error))
}

/// Steps that are made together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wave {
    /// Drops, and objects that only the catalogue knows.
    Cheap,
    /// New indexes, side by side.
    Build,
    /// Steps that need a lock of their table, or other objects before them.
    Last,
}

impl Wave {
    const ALL: [Wave; 3] = [Wave::Cheap, Wave::Build, Wave::Last];

    fn of(step: &ObjectStep) -> Wave {
        match (&step.action, step.object.kind) {
            (ObjectAction::Drop, _)
            | (_, ObjectKind::Comment | ObjectKind::Default | ObjectKind::Identity) => Wave::Cheap,
            (ObjectAction::Make, kind) if kind.is_index() => Wave::Build,
            _ => Wave::Last,
        }
    }
}
