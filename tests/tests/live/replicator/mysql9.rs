//! MySQL 9 to MySQL 9, and pairs that do not go together.

use super::{Pair, pool};
use handoff_connect::Side;
use handoff_model::{CancelToken, NopObserver};
use handoff_replicator::Replicator;
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use std::sync::Arc;

/// Starts a server, or says why the test is not run.
#[expect(clippy::print_stderr, reason = "a test that is not run says so")]
fn server() -> Option<MySql9> {
    match MySql9::start(&ServerOptions::default()) {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            None
        }
        Err(error) => panic!("{}", error.chain()),
    }
}

/// Starts two servers.
pub(super) fn pair() -> Option<(MySql9, MySql9)> {
    Some((server()?, server()?))
}

#[test]
fn mysql_9_arrives_byte_for_byte_in_mysql_9() {
    let Some((one, two)) = pair() else { return };
    let target = Bed::shared().target();
    for (replica, strategy) in
        [(two.endpoint(), "load_data_local"), (one.endpoint(), "insert_select")]
    {
        let trio = Trio::on("replicator mysql 9", one.endpoint(), replica, target);
        let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
        make(&pair);
        let outcome = pair.check("t");
        assert_eq!((outcome.figures.rows, outcome.strategy), (5, strategy));
        assert_eq!(pair.check("t").figures.rows, 5);
    }
    two.admin_sql("SET GLOBAL local_infile = 0");
    let trio = Trio::on("replicator mysql 9", one.endpoint(), two.endpoint(), target);
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    make(&pair);
    let outcome = pair.check("t");
    assert_eq!((outcome.figures.rows, outcome.strategy), (5, "prepared_inserts"));
}

trait Administered {
    fn admin_sql(&self, sql: &str);
}

impl Administered for MySql9 {
    fn admin_sql(&self, sql: &str) {
        mysql::prelude::Queryable::query_drop(&mut self.admin().unwrap(), sql).unwrap();
    }
}

pub(super) fn make(pair: &Pair) {
    pair.trio.sql_source(
        "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';
         CREATE TABLE t (
             id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, de DECIMAL(65,30), fl FLOAT, dou DOUBLE, b64 BIT(64), y YEAR,
             da DATE, dt6 DATETIME(6), ts TIMESTAMP NULL, tm6 TIME(6), la VARCHAR(50) CHARACTER SET latin1,
             u16 VARCHAR(50) CHARACTER SET utf16, gbk VARCHAR(50) CHARACTER SET gbk, tx MEDIUMTEXT, bl LONGBLOB,
             e ENUM('1','0','x',''), s SET('a','0','1'), j JSON, g GEOMETRY, p POINT SRID 4326,
             v VECTOR(3), inv INT INVISIBLE DEFAULT 7, gv INT AS (y DIV 2) VIRTUAL,
             gs VARCHAR(60) AS (CONCAT(la, '!')) STORED, KEY (la), KEY ((y + 1)),
             CONSTRAINT positive CHECK (y >= 0)
         );
         INSERT INTO t (id) VALUES (0);
         INSERT INTO t SET id = 18446744073709551615, fl = 3.40282347e38, dou = 5e-324, b64 = 0xFFFFFFFFFFFFFFFF,
             y = 0, da = '0000-00-00', dt6 = '9999-12-31 23:59:59.999999', ts = 0, tm6 = '-838:59:59',
             tx = '', e = 4, s = 7, de = -99999999999999999999999999999999999.999999999999999999999999999999;
         INSERT INTO t SET id = 2, fl = -0e0, dou = -0e0, b64 = 0x5C090A00, y = 2155, da = '2023-02-31',
             dt6 = '2023-00-15 00:00:00.5', ts = '2038-01-19 03:14:07', tm6 = '-00:00:00.000001',
             la = 0x80818D8FFF, u16 = _utf8mb4'😀\\t', gbk = 0xBF5C, tx = 'tab\\t nl\\n \\\\N \\0 😀',
             bl = REPEAT(0x5C00, 1000000), e = 1, s = '0,1';
         INSERT INTO t SET id = 3, e = 2, j = '{\"b\": 1.0, \"a\": [1, 9007199254740993, \"\\\\u0001 😀\\\\\\\\\"]}',
             g = ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1.5 -1))'),
             p = ST_GeomFromText('POINT(45 -120)', 4326), v = STRING_TO_VECTOR('[1, -0.5, 1e-30]'), inv = NULL;
         INSERT INTO t SET id = 4, j = 'null', e = 3, s = '', la = 'x'",
    );
}

#[test]
fn mariadb_and_mysql_are_not_a_pair() {
    let Some(nine) = server() else { return };
    let bed = Bed::shared();
    let trio = Trio::on("replicator unlike", bed.source(), nine.endpoint(), bed.target());
    let (source, replica) = (pool(&trio, Side::Source), pool(&trio, Side::Replica));
    let made = Replicator::new(source, replica, CancelToken::new(), Arc::new(NopObserver));
    let text = made.err().unwrap().to_string();
    assert!(text.contains("the source is MariaDB 10.") && text.contains("MySQL 9."), "{text}");
    assert!(text.contains("leave out [replica]"), "{text}");
}
