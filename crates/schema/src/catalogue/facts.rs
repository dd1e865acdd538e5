//! The answers of information_schema, row by row.

use crate::error::{Result, SchemaError};
use handoff_connect::{Fault, MyConn, ServerFlavor, ServerVersion, Side, quote_my_text};
use mysql::{Row, Value};
use std::collections::HashMap;

/// The answers of all statements; columns and indexes by table, in their order.
pub(super) struct CatalogueFacts {
    pub(super) tables: Vec<TableFact>,
    pub(super) columns: HashMap<String, Vec<ColumnFact>>,
    pub(super) indexes: HashMap<String, Vec<IndexFact>>,
    pub(super) checks: HashMap<String, Vec<CheckFact>>,
    pub(super) flavor: ServerFlavor,
    pub(super) side: Side,
    /// Two names that differ in the case of their letters alone are one to the server.
    pub(super) folds_case: bool,
}

pub(super) struct TableFact {
    pub(super) name: String,
    /// `BASE TABLE`, `SYSTEM VERSIONED`, `VIEW`, …
    pub(super) kind: String,
    /// [`None`] if the server cannot open the table; the comment then says why.
    pub(super) engine: Option<String>,
    pub(super) rows: u64,
    pub(super) data_bytes: u64,
    pub(super) options: String,
    pub(super) comment: String,
    pub(super) row_format: Option<String>,
    pub(super) free_bytes: u64,
    /// The times at which its files were made and last written, in UTC.
    pub(super) made: Option<String>,
    pub(super) written: Option<String>,
    /// The server's treatment of the case of names.
    pub(super) names_fold: bool,
}

pub(super) struct ColumnFact {
    pub(super) name: String,
    pub(super) column_type: String,
    pub(super) nullable: bool,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) extra: String,
    pub(super) expression: Option<String>,
    pub(super) srid: Option<u32>,
    /// The default as the server prints it; MariaDB spells that there is none.
    pub(super) default: Option<String>,
    pub(super) comment: String,
}

/// One column of one index.
pub(super) struct IndexFact {
    pub(super) index: String,
    pub(super) unique: bool,
    pub(super) column: Option<String>,
    pub(super) prefix: Option<u32>,
    pub(super) descending: bool,
    /// `BTREE`, `FULLTEXT`, …; a VECTOR index finds what is near.
    pub(super) method: String,
    /// The planner leaves it aside.
    pub(super) hidden: bool,
    pub(super) expression: Option<String>,
}

/// A CHECK of MariaDB.
pub(super) struct CheckFact {
    pub(super) name: String,
    pub(super) clause: String,
}

impl CatalogueFacts {
    pub(super) fn read(conn: &mut MyConn, database: &str) -> Result<CatalogueFacts> {
        let version = conn.pool().version().clone();
        let database = quote_my_text(database);
        let tables = ask(conn, &tables(&database), TableFact::from_row)?;
        let columns = ask(conn, &columns(&database, &version), ColumnFact::from_row)?;
        let indexes = ask(conn, &indexes(&database, &version), IndexFact::from_row)?;
        // MySQL has a JSON type; only MariaDB makes JSON of a check.
        let checks = match version.flavor {
            ServerFlavor::MariaDb => ask(conn, &checks(&database), check_from_row)?,
            ServerFlavor::MySql => Vec::new(),
        };
        let folds_case = match tables.first() {
            Some(table) => table.names_fold,
            None => ask(conn, "SELECT @@lower_case_table_names", folds_names)?.contains(&true),
        };
        Ok(CatalogueFacts {
            tables,
            folds_case,
            columns: by_table(columns),
            indexes: by_table(indexes),
            checks: by_table(checks),
            side: conn.side(),
            flavor: version.flavor,
        })
    }
}

fn tables(database: &str) -> String {
    format!(
        "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, CREATE_OPTIONS, \
         TABLE_COMMENT, ROW_FORMAT, DATA_FREE, CREATE_TIME, UPDATE_TIME, \
         @@lower_case_table_names FROM information_schema.TABLES WHERE TABLE_SCHEMA = {database}"
    )
}

fn columns(database: &str, version: &ServerVersion) -> String {
    let srid = match (version.flavor, version.number.0) {
        (ServerFlavor::MySql, 8..) => "SRS_ID",
        _ => "NULL",
    };
    format!(
        "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, \
         COLLATION_NAME, EXTRA, GENERATION_EXPRESSION, {srid}, \
         COLUMN_DEFAULT, COLUMN_COMMENT FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = {database} ORDER BY TABLE_NAME, ORDINAL_POSITION"
    )
}

fn indexes(database: &str, version: &ServerVersion) -> String {
    let (hidden, expression) = match (version.flavor, version.number) {
        (ServerFlavor::MySql, (8.., ..)) if version.number >= (8, 0, 13) => {
            ("IS_VISIBLE = 'NO'", "EXPRESSION")
        }
        (ServerFlavor::MySql, (8.., ..)) => ("IS_VISIBLE = 'NO'", "NULL"),
        (ServerFlavor::MariaDb, number) if number >= (10, 6, 0) => ("IGNORED = 'YES'", "NULL"),
        _ => ("FALSE", "NULL"),
    };
    format!(
        "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, COLLATION, \
         INDEX_TYPE, {hidden}, {expression} FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {database} \
         ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
    )
}

fn checks(database: &str) -> String {
    format!(
        "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
         WHERE CONSTRAINT_SCHEMA = {database}"
    )
}

/// Runs a statement of three texts a row.
pub(super) fn ask_others(conn: &mut MyConn, sql: &str) -> Result<Vec<(String, String, String)>> {
    ask(conn, sql, |fields| Some((fields.text()?, fields.text()?, fields.text()?)))
}

/// Runs a statement whose columns are all texts, none of them NULL.
pub(crate) fn ask_texts(conn: &mut MyConn, sql: &str) -> Result<Vec<Vec<String>>> {
    ask(conn, sql, |fields| {
        let mut texts = Vec::new();
        while !fields.is_empty() {
            texts.push(fields.text()?);
        }
        Some(texts)
    })
}

/// Runs a statement whose columns are texts that may be NULL.
pub(crate) fn ask_optional(conn: &mut MyConn, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    ask(conn, sql, |fields| {
        let mut texts = Vec::new();
        while !fields.is_empty() {
            texts.push(fields.option()?);
        }
        Some(texts)
    })
}

/// Runs a statement and reads each row, whose columns are all texts.
fn ask<T>(conn: &mut MyConn, sql: &str, read: fn(&mut FactFields) -> Option<T>) -> Result<Vec<T>> {
    let rows: Vec<Row> =
        conn.query(sql).map_err(|error| SchemaError::Catalogue(conn.fault(&error)))?;
    let facts: Option<Vec<T>> =
        rows.into_iter().map(|row| read(&mut FactFields::new(row))).collect();
    facts.ok_or_else(|| {
        SchemaError::Catalogue(Fault::new(
            conn.side(),
            "the catalogue holds what no server should say",
        ))
    })
}

/// Reads what the server makes of the case of names.
fn folds_names(fields: &mut FactFields) -> Option<bool> {
    Some(fields.number::<u8>()?.is_some_and(|setting| setting != 0))
}

fn by_table<T>(facts: Vec<(String, T)>) -> HashMap<String, Vec<T>> {
    let mut tables: HashMap<String, Vec<T>> = HashMap::new();
    for (table, fact) in facts {
        tables.entry(table).or_default().push(fact);
    }
    tables
}

impl TableFact {
    fn from_row(fields: &mut FactFields) -> Option<TableFact> {
        Some(TableFact {
            name: fields.text()?,
            kind: fields.text()?,
            engine: fields.option()?,
            rows: fields.number()?.unwrap_or(0),
            data_bytes: fields.number()?.unwrap_or(0),
            options: fields.option()?.unwrap_or_default(),
            comment: fields.option()?.unwrap_or_default(),
            row_format: fields.option()?,
            free_bytes: fields.number()?.unwrap_or(0),
            made: fields.option()?,
            written: fields.option()?,
            names_fold: folds_names(fields)?,
        })
    }
}

impl ColumnFact {
    fn from_row(fields: &mut FactFields) -> Option<(String, ColumnFact)> {
        let table = fields.text()?;
        let fact = ColumnFact {
            name: fields.text()?,
            column_type: fields.text()?,
            nullable: fields.text()? == "YES",
            charset: fields.option()?,
            collation: fields.option()?,
            extra: fields.text()?,
            expression: fields.option()?.filter(|text| !text.is_empty()),
            srid: fields.number()?,
            default: fields.option()?,
            comment: fields.option()?.unwrap_or_default(),
        };
        Some((table, fact))
    }
}

impl IndexFact {
    fn from_row(fields: &mut FactFields) -> Option<(String, IndexFact)> {
        let table = fields.text()?;
        let fact = IndexFact {
            index: fields.text()?,
            unique: fields.text()? == "0",
            column: fields.option()?,
            prefix: fields.number()?,
            descending: fields.option()?.as_deref() == Some("D"),
            method: fields.option()?.unwrap_or_default(),
            hidden: fields.text()? == "1",
            expression: fields.option()?,
        };
        Some((table, fact))
    }
}

fn check_from_row(fields: &mut FactFields) -> Option<(String, CheckFact)> {
    let table = fields.text()?;
    Some((table, CheckFact { name: fields.text()?, clause: fields.text()? }))
}

/// The columns of a row, taken one after the other: servers differ in the case of their labels.
struct FactFields(std::vec::IntoIter<Value>);

impl FactFields {
    fn new(row: Row) -> FactFields {
        FactFields(row.unwrap().into_iter())
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Takes a text that may be NULL; [`None`] for anything else.
    fn option(&mut self) -> Option<Option<String>> {
        match self.0.next()? {
            Value::NULL => Some(None),
            Value::Bytes(bytes) => Some(Some(String::from_utf8(bytes).ok()?)),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.option()?
    }

    fn number<N: std::str::FromStr>(&mut self) -> Option<Option<N>> {
        match self.option()? {
            Some(text) => Some(Some(text.parse().ok()?)),
            None => Some(None),
        }
    }
}
