//! Every type of MariaDB at its edges, on every engine.

use super::Pair;

const TABLE: &str = "CREATE TABLE t (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    ti TINYINT, tiu TINYINT UNSIGNED, si SMALLINT, siu SMALLINT UNSIGNED ZEROFILL,
    mi MEDIUMINT, miu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, bi BIGINT, biu BIGINT UNSIGNED,
    de DECIMAL(65,30), d0 DECIMAL(5,0), fl FLOAT, fl2 FLOAT(7,2), dou DOUBLE,
    b1 BIT(1), b9 BIT(9), b64 BIT(64), y YEAR, da DATE, dt DATETIME, dt6 DATETIME(6),
    ts TIMESTAMP NULL, ts3 TIMESTAMP(3) NULL ON UPDATE CURRENT_TIMESTAMP(3), tm TIME, tm6 TIME(6),
    c CHAR(10), vc VARCHAR(50), la VARCHAR(50) CHARACTER SET latin1,
    u16 VARCHAR(50) CHARACTER SET utf16, ucs CHAR(9) CHARACTER SET ucs2,
    u32 TEXT CHARACTER SET utf32, gbk VARCHAR(50) CHARACTER SET gbk,
    sj TEXT CHARACTER SET sjis, asc_ TEXT CHARACTER SET ascii, tx MEDIUMTEXT,
    bin BINARY(4), vb VARBINARY(50), bl LONGBLOB, com VARCHAR(50) COMPRESSED,
    e ENUM('1','0','x','','\"`''(,\\\\') , s SET({SET}),
    j JSON, g GEOMETRY, p POINT, u UUID, i4 INET4, i6 INET6,
    gv INT AS (i DIV 2) VIRTUAL, gs VARCHAR(60) AS (CONCAT(vc, '!')) STORED,
    inv INT INVISIBLE DEFAULT 7,
    KEY (vc), KEY (e), KEY (gs), UNIQUE KEY (u)
) ENGINE={ENGINE} CHARSET=utf8mb4 COMMENT='a, b) ''c''\\n;'";

const ROWS: &[&str] = &[
    "id = 0",
    "id = 1, ti = -128, tiu = 255, si = -32768, siu = 65535, mi = -8388608, miu = 16777215,
     i = -2147483648, iu = 4294967295, bi = -9223372036854775808, biu = 18446744073709551615,
     de = -99999999999999999999999999999999999.999999999999999999999999999999, d0 = 99999,
     fl = 3.40282347e38, fl2 = 12345.67, dou = 1.7976931348623157e308, b1 = 1, b9 = 511,
     b64 = 0xFFFFFFFFFFFFFFFF, y = 2155, da = '9999-12-31', dt = '9999-12-31 23:59:59',
     dt6 = '9999-12-31 23:59:59.999999', ts = '2038-01-19 03:14:07',
     ts3 = '2038-01-19 03:14:07.999', tm = '838:59:59', tm6 = '838:59:59.999999'",
    "id = 2, ti = 0, de = 0, fl = -0e0, dou = -0e0, b1 = 0, b9 = 0, b64 = 0, y = 0,
     da = '0000-00-00', dt = '0000-00-00', dt6 = 0, ts = 0, ts3 = 0, tm = 0, tm6 = 0,
     c = '', vc = '', la = '', u16 = '', u32 = '', tx = '', bin = '', vb = '', bl = '', com = '',
     e = 4, s = 0",
    "id = 3, fl = 1.17549435e-38, dou = 5e-324, y = 1901, da = '2023-02-31', dt = '2023-00-15 01:02:03',
     dt6 = '0000-05-05 00:00:00.000001', ts = '1970-01-01 00:00:01', ts3 = '1970-01-01 00:00:01.001',
     tm = '-838:59:59', tm6 = '-00:00:00.000001', b64 = 0x5C090A00275C4E,
     de = 0.000000000000000000000000000001, d0 = -1, fl2 = -0.01",
    "id = 4, fl = 1e-45, dou = 0.1, da = '0001-01-01', dt = '0001-01-01', dt6 = '1000-01-01 00:00:00.5',
     c = 'a', vc = '\\\\N', la = 0x80818D8F909DFF, u16 = _utf8mb4'😀\\t', ucs = _utf8mb4'ñ\\n',
     u32 = _utf8mb4'😀\\\\', gbk = 0xBF5CA3A4, sj = 0x835C5C7E, asc_ = 'a\\tb',
     tx = 'tab\\t nl\\n cr\\r back\\\\slash, ''quote'' \"double\" \\0 \\Z 😀',
     bin = 0x00095C0A, vb = 0x005C000A0D09271A, bl = 0x00010203FF5C4E0A, com = 'aaaaaaaaaaaaaaaaaaa\\n',
     e = 1, s = 0xFFFFFFFFFFFFFFFF",
    "id = 5, fl = 16777217, dou = 9007199254740993, vc = 'trailing   ', c = 'x  ', vb = 'y  ', tx = 'NULL',
     e = 2, s = '0,1', j = '{\"b\": 1.0, \"a\": [1e400, \"\\\\u0000\"], \"a\": \"\\\\\\\\\"}',
     g = ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1.5 -1))', 4326),
     p = ST_GeomFromText('POINT(-0.1 1e300)'), u = '123e4567-e89b-12d3-a456-426655440000',
     i4 = '255.0.9.10', i6 = '2001:db8::ff00:42:8329', inv = NULL",
    "id = 6, e = 5, s = 'bb', u = '00000000-0000-0000-0000-000000000000', i4 = '0.0.0.0', i6 = '::', j = 'null'",
    "id = 7, e = 3, s = 'a', bl = REPEAT(0x5C00, 1000000), tx = REPEAT('😀\\n', 200000), i = 2147483647",
    // An index of 0, which the server can't be told without a warning.
    "id = 8, e = 0",
];

#[test]
fn every_type_arrives_byte_for_byte_on_every_engine() {
    let pair = Pair::new("replicator types");
    for engine in ["MyISAM", "Aria", "InnoDB"] {
        make(&pair, engine);
        let outcome = pair.check("t");
        assert_eq!((outcome.figures.rows, outcome.strategy), (9, "load_data_local"), "{engine}");
        assert!(outcome.checked, "the ENUM's 0 makes the server warn ({engine})");
        pair.trio.sql_source("UPDATE t SET tx = 'other' WHERE id = 4; DELETE FROM t WHERE id = 8");
        let outcome = pair.check("t");
        assert_eq!((outcome.figures.rows, outcome.checked), (8, false), "{engine}");
        pair.trio.sql_source("SET sql_mode = ''; UPDATE t SET e = 0 WHERE id < 3");
        let outcome = pair.check("t");
        assert_eq!((outcome.figures.rows, outcome.checked), (8, true), "{engine}");
    }
}

pub(super) fn make(pair: &Pair, engine: &str) {
    let members: Vec<String> = (0..63).map(|n| format!("'m{n}'")).collect();
    let set = format!("'bb',{}", members.join(",").replace("'m0','m1','m2'", "'a','0','1'"));
    let create = TABLE.replace("{ENGINE}", engine).replace("{SET}", &set);
    let rows: String = ROWS.iter().map(|row| format!("INSERT INTO t SET {row};")).collect();
    pair.trio.sql_source(&format!(
        "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';
         DROP TABLE IF EXISTS t; {create}; {rows}"
    ));
}
