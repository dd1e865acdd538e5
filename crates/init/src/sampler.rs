//! Gathering the evidence, politely: the source is somebody's live database.

use crate::evidence::{self, ColumnTally, RecentRows, SeenRows, TableEvidence};
use crate::narrow::NarrowType;
use crate::sample::{self, MOST_RECENT, PARTS, RowQuestions, SampledRows};
use crate::watermark;
use handoff_connect::{Fault, MyConn, MyPool, Result, ServerFlavor, SessionProfile, Side};
use handoff_schema::TableSchema;
use mysql::{Params, Value};

/// The material of the proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LookAt {
    /// The catalogue, and rows: all of a small table, a sample of a large one.
    #[default]
    Rows,
    /// The catalogue alone.
    Catalogue,
}

/// The seconds that a statement may take before the server ends it.
const PATIENCE_S: u32 = 5;

/// Looks at tables, one after the other, over one connection.
pub(crate) struct Sampler<'a> {
    pool: &'a MyPool,
    at: LookAt,
    conn: Option<MyConn>,
}

/// The answers to [`RowQuestions`], summed over the statements.
#[derive(Debug, Default)]
struct RowAnswers {
    rows: u64,
    tallies: Vec<ColumnTally>,
    recent: u64,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(pool: &'a MyPool, at: LookAt) -> Sampler<'a> {
        Sampler { pool, at, conn: None }
    }

    /// Gathers what can be known of a table. What the server refuses is part of it.
    pub(crate) fn inspect<'s>(&mut self, schema: &'s TableSchema) -> TableEvidence<'s> {
        let asked = questions(schema);
        if self.at == LookAt::Catalogue || evidence::is_empty(schema) || asked.is_empty() {
            return TableEvidence::of_catalogue(schema, SeenRows::No);
        }
        log::debug!("looking at {}", schema.name);
        self.ask(schema, &asked).unwrap_or_else(|fault| {
            // A session that met a fault is not used again.
            self.conn = None;
            TableEvidence::of_catalogue(schema, SeenRows::Failed(fault.message().to_owned()))
        })
    }

    fn ask<'s>(
        &mut self,
        schema: &'s TableSchema,
        questions: &RowQuestions,
    ) -> Result<TableEvidence<'s>> {
        let budget = sample::budget(schema);
        let first = schema.key().and_then(|key| key.first().copied());
        let numeric = first.filter(|&column| watermark::is_integer(&schema.columns[column]));
        let (answers, looked) = match numeric {
            Some(key) if schema.rows > budget => {
                let answers = self.spread(schema, questions, key, budget)?;
                let rows = answers.rows;
                (answers, SeenRows::Spread { rows })
            }
            _ => self.first(schema, questions, budget)?,
        };
        let recent = match questions.moved {
            Some(column) => Some(self.recent(schema, column, &answers, &looked)?),
            None => None,
        };
        Ok(TableEvidence { schema, looked, tallies: answers.tallies, recent })
    }

    fn first(
        &mut self,
        schema: &TableSchema,
        questions: &RowQuestions,
        budget: u64,
    ) -> Result<(RowAnswers, SeenRows)> {
        let mut answers = RowAnswers::new(questions);
        let statement = questions.statement(schema, &SampledRows::First, budget);
        answers.add(&self.numbers(&statement, Params::Empty)?);
        let rows = answers.rows;
        let looked = if rows < budget { SeenRows::All { rows } } else { SeenRows::First { rows } };
        Ok((answers, looked))
    }

    /// Looks at the beginning, the middle and the end of the key, whose ranges have no row in
    /// common.
    fn spread(
        &mut self,
        schema: &TableSchema,
        questions: &RowQuestions,
        key: usize,
        budget: u64,
    ) -> Result<RowAnswers> {
        let mut answers = RowAnswers::new(questions);
        let range = self.numbers(&sample::range(schema, key), Params::Empty)?;
        let &[Some(least), Some(most)] = range.as_slice() else { return Ok(answers) };
        let parts = sample::parts(least, most);
        let limit = (budget / PARTS).max(1);
        for (part, from) in parts.iter().enumerate() {
            let (rows, values) = match parts.get(part + 1) {
                Some(to) => (SampledRows::From { key }, vec![bound(*from), bound(*to)]),
                None => (SampledRows::Last { key }, vec![bound(*from)]),
            };
            let statement = questions.statement(schema, &rows, limit);
            answers.add(&self.numbers(&statement, Params::Positional(values))?);
        }
        Ok(answers)
    }

    /// Counts the rows that moved lately: by the index where not every row was looked at.
    fn recent(
        &mut self,
        schema: &TableSchema,
        column: usize,
        answers: &RowAnswers,
        looked: &SeenRows,
    ) -> Result<RecentRows> {
        let all = matches!(looked, SeenRows::All { .. });
        if all || !watermark::is_indexed(schema, column) {
            return Ok(RecentRows { rows: answers.recent, of: answers.rows, capped: false });
        }
        let counted = self.numbers(&sample::recent_rows(schema, column), Params::Empty)?;
        let rows = unsigned(counted.first().copied().flatten());
        Ok(RecentRows { rows, of: schema.rows.max(rows), capped: rows >= MOST_RECENT })
    }

    /// Runs a statement that answers one row of numbers.
    fn numbers(&mut self, sql: &str, values: Params) -> Result<Vec<Option<i128>>> {
        let conn = self.conn()?;
        // What binds no value needs no second round trip to be prepared.
        let row: Result<Option<mysql::Row>, mysql::Error> = match values {
            Params::Empty => conn.query_first(sql),
            values => conn.exec_first(sql, values),
        };
        let values = row.map_err(|error| conn.fault(&error))?.map(mysql::Row::unwrap);
        values
            .unwrap_or_default()
            .into_iter()
            .map(|value| number(&value))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Fault::new(Side::Source, "the server answers something else than numbers")
            })
    }

    fn conn(&mut self) -> Result<&mut MyConn> {
        if self.conn.is_none() {
            let mut conn = self.pool.get(SessionProfile::Read)?;
            conn.query_drop(time_limit(self.pool.version().flavor))
                .map_err(|error| conn.fault(&error))?;
            self.conn = Some(conn);
        }
        Ok(self.conn.as_mut().expect("the connection was just made"))
    }
}

/// Returns the questions about the rows of a table.
fn questions(schema: &TableSchema) -> RowQuestions {
    let columns = schema.columns.iter().enumerate();
    let narrow = columns.filter_map(|(index, column)| Some((index, NarrowType::of(column)?)));
    let moved = if evidence::is_small(schema) { None } else { watermark::moved_by_server(schema) };
    RowQuestions { narrow: narrow.collect(), moved }
}

fn time_limit(flavor: ServerFlavor) -> String {
    match flavor {
        ServerFlavor::MariaDb => format!("SET max_statement_time = {PATIENCE_S}"),
        ServerFlavor::MySql => format!("SET max_execution_time = {}", PATIENCE_S * 1000),
    }
}

impl RowAnswers {
    fn new(questions: &RowQuestions) -> RowAnswers {
        let narrow = questions.narrow.iter();
        let tallies = narrow.map(|&(column, narrow)| ColumnTally {
            column,
            narrow,
            values: 0,
            misfits: 0,
            ones: 0,
        });
        RowAnswers { rows: 0, tallies: tallies.collect(), recent: 0 }
    }

    /// Adds what one statement answered, in the order in which it was asked.
    fn add(&mut self, numbers: &[Option<i128>]) {
        let mut numbers = numbers.iter().map(|&number| unsigned(number));
        let mut next = || numbers.next().unwrap_or(0);
        self.rows += next();
        for tally in &mut self.tallies {
            tally.values += next();
            tally.misfits += next();
            tally.ones += next();
        }
        self.recent += next();
    }
}

fn unsigned(number: Option<i128>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

/// Returns a bound of a key for the server: a negative one only fits where keys have signs.
fn bound(number: i128) -> Value {
    match i64::try_from(number) {
        Ok(number) => Value::Int(number),
        Err(_) => Value::UInt(u64::try_from(number).unwrap_or(u64::MAX)),
    }
}

/// Reads a number or a NULL; [`None`] for anything else.
fn number(value: &Value) -> Option<Option<i128>> {
    match value {
        Value::NULL => Some(None),
        Value::Int(number) => Some(Some((*number).into())),
        Value::UInt(number) => Some(Some((*number).into())),
        Value::Bytes(digits) => Some(Some(std::str::from_utf8(digits).ok()?.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_add_up_in_the_order_in_which_they_were_asked() {
        let asked = RowQuestions {
            narrow: vec![(1, NarrowType::Boolean), (2, NarrowType::Uuid)],
            moved: Some(3),
        };
        let mut answers = RowAnswers::new(&asked);
        for _ in 0..2 {
            answers.add(&[10, 9, 1, 4, 8, 2, 0, 5].map(Some));
        }
        assert_eq!((answers.rows, answers.recent), (20, 10));
        let tallies: Vec<[u64; 3]> =
            answers.tallies.iter().map(|tally| [tally.values, tally.misfits, tally.ones]).collect();
        assert_eq!(tallies, [[18, 2, 8], [16, 4, 0]]);
    }

    #[test]
    fn an_answer_that_is_missing_counts_nothing() {
        let mut answers = RowAnswers::new(&RowQuestions { narrow: Vec::new(), moved: Some(0) });
        answers.add(&[None, Some(-1)]);
        answers.add(&[]);
        assert_eq!((answers.rows, answers.recent), (0, 0));
    }

    #[test]
    fn numbers_are_read_however_the_server_sends_them() {
        assert_eq!(number(&Value::NULL), Some(None));
        assert_eq!(number(&Value::Int(-7)), Some(Some(-7)));
        assert_eq!(number(&Value::UInt(u64::MAX)), Some(Some(u64::MAX.into())));
        assert_eq!(number(&Value::Bytes(b"42".to_vec())), Some(Some(42)));
        assert_eq!(number(&Value::Bytes(b"4.2".to_vec())), None);
        assert_eq!(number(&Value::Double(4.2)), None);
    }

    #[test]
    fn a_bound_has_a_sign_only_where_it_needs_one() {
        assert_eq!(bound(-1), Value::Int(-1));
        assert_eq!(bound(i64::MAX.into()), Value::Int(i64::MAX));
        assert_eq!(bound(u64::MAX.into()), Value::UInt(u64::MAX));
    }

    #[test]
    fn a_statement_ends_after_a_few_seconds() {
        assert_eq!(time_limit(ServerFlavor::MariaDb), "SET max_statement_time = 5");
        assert_eq!(time_limit(ServerFlavor::MySql), "SET max_execution_time = 5000");
    }

    #[test]
    fn a_small_table_is_not_asked_how_much_of_it_moves() {
        let stamp = handoff_schema::ColumnSchema::of_type("s", "timestamp").unwrap();
        let columns = vec![handoff_schema::ColumnSchema { on_update: true, ..stamp }];
        let small = TableSchema { columns, ..TableSchema::empty("t") };
        let large = TableSchema { rows: 1_000_000, ..small.clone() };
        assert_eq!((questions(&small).moved, questions(&large).moved), (None, Some(0)));
    }
}
