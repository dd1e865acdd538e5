//! The tables that are loaded.

use crate::Result;
use handoff_testbed::practice::{self, Practice};
use mysql::Conn;
use mysql::prelude::Queryable;

/// Whether a table has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// It has no index at all.
    None,
    /// An integer, its first column.
    First,
}

/// A table of one kind of rows, in the engine that most tables of the practice have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Four integers.
    Narrow,
    /// The columns of the practice's `procedurelog`, 52 of them.
    Wide,
    /// Notes of a few thousand characters, not all of them ASCII.
    Text,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Shape; 3] = [Shape::Narrow, Shape::Wide, Shape::Text];

    /// Returns the name of the table.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Narrow => "narrow",
            Shape::Wide => "wide",
            Shape::Text => "text",
        }
    }

    /// Returns how many rows go with `rows` narrow ones: of about as many bytes.
    pub fn rows(self, rows: u64) -> u64 {
        match self {
            Shape::Narrow => rows,
            Shape::Wide => rows / 8,
            Shape::Text => rows / 50,
        }
        .max(1)
    }

    /// Makes and fills the table in the connection's database, afresh; MariaDB only.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn make(self, conn: &mut Conn, key: Key, rows: u64) -> Result<()> {
        conn.query_drop(format!("DROP TABLE IF EXISTS {}", self.name()))?;
        self.fill(conn, rows)?;
        if key == Key::First {
            conn.query_drop(format!("ALTER TABLE {} {}", self.name(), self.add_key()))?;
        }
        Ok(())
    }

    fn add_key(self) -> &'static str {
        match self {
            Shape::Narrow => "ADD PRIMARY KEY (a)",
            // The rows are the same again and again, and so are their keys.
            Shape::Wide => "DROP ProcNum, ADD ProcNum BIGINT AUTO_INCREMENT PRIMARY KEY FIRST",
            Shape::Text => "ADD PRIMARY KEY (id)",
        }
    }

    fn fill(self, conn: &mut Conn, rows: u64) -> Result<()> {
        let name = self.name();
        match self {
            Shape::Narrow => conn.query_drop(format!(
                "CREATE TABLE {name} (a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, d INT) \
                 ENGINE=MyISAM SELECT seq AS a, seq * 7 AS b, seq % 1000 AS c, NULLIF(seq % 10, 0) AS d \
                 FROM seq_1_to_{rows}"
            ))?,
            Shape::Wide => {
                // A thousand different rows, again and again.
                if conn.query_first::<String, _>("SHOW TABLES LIKE 'procedurelog'")?.is_none() {
                    practice::create(conn, &Practice::at_scale(0.002))?;
                }
                conn.query_drop(format!(
                    "CREATE TABLE {name} ENGINE=MyISAM SELECT procedurelog.* FROM seq_1_to_{rows} \
                     STRAIGHT_JOIN procedurelog LIMIT {rows}"
                ))?;
            }
            Shape::Text => conn.query_drop(format!(
                "CREATE TABLE {name} (id INT NOT NULL, subject VARCHAR(100), note MEDIUMTEXT) \
                 ENGINE=MyISAM CHARSET utf8mb4 SELECT seq AS id, CONCAT('Besuch ', seq) AS subject, \
                 REPEAT(CONCAT('Zahn ', seq, ': Füllung erneuert, \"gut vertragen\".\\r\\n'), \
                 20 + seq % 60) AS note FROM seq_1_to_{rows}"
            ))?,
        }
        Ok(())
    }
}
