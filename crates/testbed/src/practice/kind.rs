//! The kinds of columns of the practice, whose values follow from the number of the row.

use super::text::{NOTES, ODD, ODD_WITHOUT_EMOJI, SENTENCES, WORDS, pick};

/// The kind of a column: `NAME` or `NAME:ARGUMENT` in `core.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `key`: the AUTO_INCREMENT primary key.
    Key,
    /// The first and the second column of a composite primary key.
    Major,
    Minor,
    /// `same`: the row's number again.
    Same,
    /// `ref:TABLE`, `ref0:TABLE`: a key of that table, the latter mostly zero.
    Ref {
        table: String,
        mostly_zero: bool,
    },
    /// `flag`: 0, seldom 1. `code:N`, `ucode:N`: TINYINT below N; `small`, `int`, `big` likewise.
    Flag,
    Number {
        sql: &'static str,
        below: u32,
        /// Taken off, so that some are negative.
        offset: u32,
    },
    /// `percent`: −1 where unknown. `perio`: −1 where not measured.
    Percent,
    Perio,
    /// `money`: DOUBLE, as OpenDental keeps it.
    Money,
    Float,
    Decimal,
    /// `day`, `moment`: DATE and DATETIME that rise with the row's number.
    Day,
    Moment,
    /// `date`, `datetime`: anywhere, `0001-01-01` where not known; `zdate`: a zero date instead.
    Date,
    DateTime,
    ZeroDate,
    Birthdate,
    /// `stamp`: TIMESTAMP … ON UPDATE CURRENT_TIMESTAMP, many rows to a second.
    Stamp,
    Time,
    /// `ntime`, `ntext`: with NULLs.
    NullableTime,
    NullableText,
    /// `vc:N`: VARCHAR(N), often empty. `words`: VARCHAR(255), never empty.
    VarChar(u32),
    /// Text of one shape: the VARCHAR's length and which of [`pick`]'s lists it is from.
    Listed {
        length: u32,
        list: &'static [&'static str],
    },
    LastName,
    FirstName,
    Street,
    Phone,
    Email,
    Digits(u32),
    Guid,
    Hash,
    File,
    PrefName,
    Text,
    Note,
    LogText,
    FieldValue,
    Long,
    Bytes,
}

/// The context of an expression besides the row's number.
pub(super) struct Context<'a> {
    /// The table, for planted strings.
    pub(super) table: &'a str,
    /// Differs from column to column, and from seed to seed.
    pub(super) salt: u32,
    /// The number of rows of the table.
    pub(super) rows: u64,
    /// The number of rows of another table.
    pub(super) rows_of: &'a dyn Fn(&str) -> u64,
    pub(super) emoji: bool,
}

impl Kind {
    pub(super) fn parse(word: &str) -> Option<Kind> {
        let (name, argument) = word.split_once(':').unwrap_or((word, ""));
        let below = || argument.parse::<u32>().ok();
        let number = |sql, offset| Some(Kind::Number { sql, below: below()?, offset });
        let listed = |length, list| Some(Kind::Listed { length, list });
        Some(match name {
            "key" => Kind::Key,
            "same" => Kind::Same,
            "ref" => Kind::Ref { table: argument.to_owned(), mostly_zero: false },
            "ref0" => Kind::Ref { table: argument.to_owned(), mostly_zero: true },
            "flag" => Kind::Flag,
            "code" => return number("TINYINT", 0),
            "ucode" => return number("TINYINT UNSIGNED", 0),
            "small" => return number("SMALLINT", 0),
            "smallsigned" => return number("SMALLINT", 1),
            "int" => return number("INT", 1),
            "big" => return number("BIGINT", 0),
            "percent" => Kind::Percent,
            "perio" => Kind::Perio,
            "money" => Kind::Money,
            "float" => Kind::Float,
            "decimal" => Kind::Decimal,
            "day" => Kind::Day,
            "moment" => Kind::Moment,
            "date" => Kind::Date,
            "datetime" => Kind::DateTime,
            "zdate" => Kind::ZeroDate,
            "birthdate" => Kind::Birthdate,
            "stamp" => Kind::Stamp,
            "time" => Kind::Time,
            "ntime" => Kind::NullableTime,
            "ntext" => Kind::NullableText,
            "vc" => Kind::VarChar(below()?),
            "words" => return listed(255, WORDS),
            "city" => return listed(100, &["Mühlhausen", "Springfield", "Saint-Étienne", "Łódź"]),
            "state" => return listed(100, &["OR", "CA", "WA", "", "or"]),
            "zip" => return listed(100, &["97301", "97302-1234", "", " 97303", "SW1A 1AA"]),
            "letter" => return listed(1, &["", "U", "W", "S", "R", "H", "N"]),
            "code5" => return listed(15, &["D0120", "D0274", "D1110", "D2392", "D2740", "N4321"]),
            "tooth" => return listed(2, &["", "3", "14", "19", "30", "A", "K"]),
            "pattern" => return listed(255, &["/XX/", "/XXXX/", "//XXXXXX//", "XXXX", "/X/", ""]),
            "computer" => {
                return listed(255, &["FRONTDESK-1", "OP-03", "OP-04", "xray", "HOME\\pc"]);
            }
            "fontname" => return listed(255, &["Microsoft Sans Serif", "Arial", "", "Calibri"]),
            "fieldname" => return listed(255, super::text::FIELDS),
            "last" => Kind::LastName,
            "first" => Kind::FirstName,
            "street" => Kind::Street,
            "phone" => Kind::Phone,
            "email" => Kind::Email,
            "digits" => Kind::Digits(below()?),
            "guid" => Kind::Guid,
            "hash" => Kind::Hash,
            "file" => Kind::File,
            "prefname" => Kind::PrefName,
            "text" => Kind::Text,
            "note" => Kind::Note,
            "logtext" => Kind::LogText,
            "fieldvalue" => Kind::FieldValue,
            "long" => Kind::Long,
            "bytes" => Kind::Bytes,
            _ => return None,
        })
    }

    /// Returns the column's type and defaults.
    pub(super) fn definition(&self) -> String {
        let numeric = |sql: &str| format!("{sql} NOT NULL DEFAULT 0");
        let varchar = |length: u32| format!("VARCHAR({length}) NOT NULL DEFAULT ''");
        match self {
            Kind::Key => "BIGINT NOT NULL AUTO_INCREMENT".to_owned(),
            Kind::Major | Kind::Minor => "BIGINT NOT NULL".to_owned(),
            Kind::Same | Kind::Ref { .. } => numeric("BIGINT"),
            Kind::Flag => numeric("TINYINT(1)"),
            Kind::Number { sql, .. } => numeric(sql),
            Kind::Percent => "TINYINT NOT NULL DEFAULT -1".to_owned(),
            Kind::Perio => "SMALLINT NOT NULL DEFAULT -1".to_owned(),
            Kind::Money => numeric("DOUBLE"),
            Kind::Float => numeric("FLOAT"),
            Kind::Decimal => numeric("DECIMAL(12,4)"),
            Kind::Day | Kind::Date | Kind::Birthdate => {
                "DATE NOT NULL DEFAULT '0001-01-01'".to_owned()
            }
            Kind::ZeroDate => "DATE NOT NULL DEFAULT '0000-00-00'".to_owned(),
            Kind::Moment | Kind::DateTime => {
                "DATETIME NOT NULL DEFAULT '0001-01-01 00:00:00'".to_owned()
            }
            Kind::Stamp => {
                "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
                    .to_owned()
            }
            Kind::Time => "TIME NOT NULL DEFAULT '00:00:00'".to_owned(),
            Kind::NullableTime => "TIME DEFAULT NULL".to_owned(),
            Kind::NullableText => "TEXT DEFAULT NULL".to_owned(),
            Kind::VarChar(length) | Kind::Listed { length, .. } | Kind::Digits(length) => {
                varchar(*length)
            }
            Kind::LastName | Kind::FirstName | Kind::Street | Kind::Email => varchar(100),
            Kind::Phone => varchar(30),
            Kind::Guid | Kind::Hash | Kind::File | Kind::PrefName => varchar(255),
            Kind::Text => "TEXT NOT NULL".to_owned(),
            Kind::Note | Kind::LogText | Kind::FieldValue | Kind::Long => {
                "MEDIUMTEXT NOT NULL".to_owned()
            }
            Kind::Bytes => "MEDIUMBLOB NOT NULL".to_owned(),
        }
    }

    /// Returns how much of the column an index holds: of long text only the beginning.
    pub(super) fn index_prefix(&self) -> &'static str {
        if self.is_text() { "(20)" } else { "" }
    }

    /// Returns true for text with room for a short sentence, which a day's work may write.
    pub(super) fn takes_a_sentence(&self) -> bool {
        match self {
            Kind::VarChar(length) | Kind::Listed { length, .. } => *length >= 60,
            _ => matches!(self, Kind::Text | Kind::Note | Kind::LogText | Kind::FieldValue),
        }
    }

    /// Returns true for numbers that nothing refers to, which a day's work may add to.
    pub(super) fn takes_one_more(&self) -> bool {
        matches!(self, Kind::Money | Kind::Decimal | Kind::Float)
            || matches!(self, Kind::Number { below, .. } if *below < 100)
    }

    fn is_text(&self) -> bool {
        matches!(
            self,
            Kind::VarChar(_)
                | Kind::Listed { .. }
                | Kind::Digits(_)
                | Kind::LastName
                | Kind::FirstName
                | Kind::Street
                | Kind::Email
                | Kind::Phone
                | Kind::Guid
                | Kind::Hash
                | Kind::File
                | Kind::PrefName
        ) || self.takes_a_sentence()
    }

    /// Returns the SQL expression of the column's value in row `seq`.
    ///
    /// `x` is a number below 2³² that looks random and depends on the row, the column and the seed
    /// alone; `y` is another.
    pub(super) fn expression(&self, context: &Context<'_>) -> String {
        let Context { table, salt, rows, rows_of, emoji } = context;
        let x = format!("CRC32(seq ^ {salt})");
        let y = format!("CRC32(seq ^ {})", salt ^ 0x5bd1_e995);
        let odd = if *emoji { ODD } else { ODD_WITHOUT_EMOJI };
        let notes = || pick(&x, NOTES);
        match self {
            Kind::Key | Kind::Same => "seq".to_owned(),
            Kind::Major => "seq DIV 4 + 1".to_owned(),
            Kind::Minor => "seq % 4".to_owned(),
            Kind::Ref { table, mostly_zero } => {
                let rows = rows_of(table).max(1);
                match mostly_zero {
                    false => format!("1 + {x} % {rows}"),
                    true => format!("IF({y} % 8 < 6, 0, 1 + {x} % {rows})"),
                }
            }
            Kind::Flag => format!("{x} % 7 = 0"),
            Kind::Number { below, offset: 0, .. } => format!("{x} % {below}"),
            Kind::Number { below, offset, .. } => {
                format!("CAST({x} % {below} AS SIGNED) - {offset}")
            }
            Kind::Percent => format!("ELT(1 + {x} % 5, -1, 0, 50, 80, 100)"),
            Kind::Perio => format!("CAST({x} % 11 AS SIGNED) - 1"),
            Kind::Money => {
                format!("IF({x} % 4 = 0, 0, (CAST({x} % 300000 AS SIGNED) - 20000) / 100)")
            }
            Kind::Float => format!("({x} % 2000) / 16"),
            Kind::Decimal => format!("(CAST({x} AS SIGNED) - 2000000000) / 10000"),
            Kind::Day => format!("'2008-01-01' + INTERVAL {} DAY", rising(6200, *rows)),
            Kind::Moment => {
                format!("'2008-01-01' + INTERVAL {} SECOND", rising(6200 * 86_400, *rows))
            }
            Kind::Date => {
                format!("IF({x} % 3 = 0, '0001-01-01', '2003-01-01' + INTERVAL {x} % 8000 DAY)")
            }
            Kind::DateTime => format!(
                "IF({x} % 3 = 0, '0001-01-01 00:00:00', \
                 '2003-01-01' + INTERVAL {x} % 691200000 SECOND)"
            ),
            Kind::ZeroDate => format!(
                "CASE {x} % 5 WHEN 0 THEN '2003-01-01' + INTERVAL {x} % 8000 DAY \
                 WHEN 1 THEN '0001-01-01' ELSE '0000-00-00' END"
            ),
            Kind::Birthdate => {
                format!("IF({x} % 20 = 0, '0001-01-01', '1928-02-29' + INTERVAL {x} % 35000 DAY)")
            }
            // Fifty rows to one second at least, as a bulk change in the application leaves them.
            Kind::Stamp => {
                let groups = rows / 50 + 1;
                let step = 190_000_000 / groups;
                format!("'2019-01-01' + INTERVAL (seq DIV 50) * {step} SECOND")
            }
            Kind::Time => format!("SEC_TO_TIME(IF({x} % 3 = 0, 0, {x} % 86400))"),
            Kind::NullableTime => format!("IF({x} % 3 = 0, NULL, SEC_TO_TIME({x} % 86400))"),
            Kind::NullableText => format!("IF({x} % 3 = 0, NULL, {})", pick(&y, odd)),
            Kind::VarChar(length) if *length < 12 => {
                format!("LEFT({}, {length})", pick(&x, &["", "", "", "B", "MO", "MOD", "7"]))
            }
            Kind::VarChar(length) => {
                format!("IF({y} % 3 > 0, '', LEFT({}, {length}))", pick(&x, odd))
            }
            Kind::Listed { list, .. } => pick(&x, list),
            Kind::LastName => format!(
                "IF(seq % 40 = 1, CONCAT('{}{table}-', seq), {})",
                crate::practice::figures::PLANTED,
                pick(&x, super::text::LAST_NAMES)
            ),
            Kind::FirstName => pick(&x, super::text::FIRST_NAMES),
            Kind::Street => {
                format!("CONCAT(1 + {x} % 9000, ' ', {})", pick(&y, super::text::STREETS))
            }
            Kind::Phone => {
                format!(
                    "IF({x} % 4 = 0, '', CONCAT('(', 200 + {x} % 700, ')555-', 1000 + {y} % 9000))"
                )
            }
            Kind::Email => format!("IF({x} % 2 = 0, '', CONCAT('p', seq, '@example.org'))"),
            Kind::Digits(length) => {
                format!("IF({x} % 2 = 0, '', LEFT(LPAD({y}, 9, '0'), {length}))")
            }
            Kind::Guid => format!(
                "LOWER(CONCAT(LPAD(HEX({x}), 8, '0'), '-4a7b-8c9d-', LPAD(HEX({y}), 12, '0')))"
            ),
            Kind::Hash => format!("CONCAT({x}, HEX({y}), 'qk', HEX({x} * {y} % 4294967291), '==')"),
            Kind::File => {
                format!("CONCAT({}, '_', seq, '.jpg')", pick(&x, super::text::LAST_NAMES))
            }
            Kind::PrefName => format!("CONCAT({}, seq)", pick(&x, super::text::FIELDS)),
            Kind::Text => format!("IF({y} % 2 = 0, '', {})", pick(&x, odd)),
            Kind::Note => format!(
                "CASE WHEN seq % 50 = 1 THEN CONCAT('{}{table}-note-', seq) WHEN {y} % 6 = 0 THEN '' \
                 ELSE CONCAT_WS(ELT(1 + {y} % 3, ' ', '\\r\\n', '\\n'), {}, {}) END",
                crate::practice::figures::PLANTED,
                notes(),
                pick(&y, odd)
            ),
            Kind::LogText => format!("CONCAT({}, ' ', {})", pick(&x, SENTENCES), pick(&y, WORDS)),
            Kind::FieldValue => format!(
                "CASE {y} % 8 WHEN 0 THEN '' WHEN 1 THEN '' WHEN 2 THEN 'X' WHEN 3 THEN {} \
                 WHEN 4 THEN {} WHEN 5 THEN {} ELSE CONCAT_WS(' ', {}, {}) END",
                pick(&x, WORDS),
                pick(&x, SENTENCES),
                pick(&x, odd),
                notes(),
                pick(&x, SENTENCES)
            ),
            Kind::Long => format!("IF({x} % 9 = 0, REPEAT(HEX({y}), {x} % 90), '')"),
            Kind::Bytes => {
                format!("IF({x} % 3 = 0, UNHEX(REPEAT(LPAD(HEX({y}), 8, '0'), {x} % 40)), '')")
            }
        }
    }
}

/// An expression that rises evenly from 0 to `span` over the rows of the table.
fn rising(span: u64, rows: u64) -> String {
    format!("(seq * {span} DIV {})", rows.max(1))
}
