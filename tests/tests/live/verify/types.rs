//! Every column of every type: nothing differs after a load, and the least change in each is found.

use super::{carry, counts, settings, verify};
use crate::types;
use handoff_connect::Side;
use handoff_testbed::Trio;
use handoff_verify::VerifyOptions;

/// An expression that changes the value of the column `§` of a type as little as can be.
fn changed(kind: &str) -> &'static str {
    match kind {
        "boolean" => "NOT §",
        "smallint" | "integer" | "bigint" => "CASE WHEN § > 0 THEN § - 1 ELSE § + 1 END",
        "real" => "CASE WHEN § = 0 THEN 1e-45::real ELSE -§ END",
        "double precision" => "CASE WHEN § = 0 THEN 5e-324 ELSE -§ END",
        "date" => "§ + 1",
        "interval" => "§ + '1 microsecond'",
        "text" => "§ || ' '",
        "text[]" => "§ || ''::text",
        "bytea" => "CASE WHEN length(§) = 0 THEN '\\x00' ELSE set_bit(§, 0, 1 - get_bit(§, 0)) END",
        "jsonb" => "jsonb_build_array(§)",
        "uuid" => {
            "(overlay(§::text placing CASE WHEN right(§::text, 1) = '0' THEN '1' ELSE '0' END from 36))::uuid"
        }
        "inet" => "set_masklen(§, masklen(§) - 1)",
        "real[]" => "array_append(§, -0.0::real)",
        kind if kind.starts_with("numeric") => {
            "CASE WHEN § > 0 THEN § - LEAST_ ELSE § + LEAST_ END"
        }
        kind if kind.starts_with("bit") => "set_bit(§, 0, 1 - get_bit(§, 0))",
        kind if kind.contains("without time zone") => {
            "CASE WHEN § > '2000-01-01' THEN § - STEP_ ELSE § + STEP_ END"
        }
        kind if kind.contains("with time zone") => {
            "CASE WHEN § > '2000-01-01' THEN § - STEP_ ELSE § + STEP_ END"
        }
        kind => panic!("no change is known for {kind}"),
    }
}

/// The least step of a type with digits after the point.
fn spelled(kind: &str) -> String {
    let digits = |open: char| -> i32 {
        let inside = kind.split(open).nth(1).and_then(|rest| rest.split(')').next()).unwrap_or("0");
        inside.trim().parse().unwrap_or(0)
    };
    let least = format!("1e-{}::numeric", digits(','));
    let step = format!(
        "interval '{} microseconds'",
        10_i32.pow(u32::try_from(6 - digits('(')).unwrap_or(0))
    );
    changed(kind).replace("LEAST_", &least).replace("STEP_", &step)
}

#[test]
fn the_least_change_in_every_column_is_found() {
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("verify types");
        types::make_mariadb(&trio, engine);
        let settings = settings(&trio);
        carry(&settings);
        let report = verify(&settings, VerifyOptions::default());
        assert!(report.ok, "{report:#?}");
        let mut target = trio.target();
        let columns = target
            .query(
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute \
                 WHERE attrelid = 'raw.every'::regclass AND attnum > 0",
                &[],
            )
            .unwrap();
        assert!(columns.len() > 20);
        for column in columns {
            let (name, kind): (String, String) = (column.get(0), column.get(1));
            if name == "id" {
                continue;
            }
            let value = spelled(&kind).replace('§', &name);
            target.batch_execute("CREATE TABLE kept AS SELECT * FROM raw.every").unwrap();
            let update = format!("UPDATE raw.every SET {name} = {value} WHERE {name} IS NOT NULL");
            let rows = target
                .execute(&update, &[])
                .unwrap_or_else(|error| panic!("{kind}: {update}: {error:?}"));
            let report = verify(&settings, VerifyOptions::default());
            assert_eq!(counts(&report.tables[0], Side::Replica), [0, rows, 0], "{kind} {name}");
            for row in &report.tables[0].pairs[1].rows {
                assert_eq!(
                    row.columns.iter().map(|c| c.as_str()).collect::<Vec<_>>(),
                    [&name],
                    "{kind}"
                );
            }
            // NULL is not empty, nor zero.
            target.batch_execute(&format!("UPDATE raw.every SET {name} = NULL")).unwrap();
            let report = verify(&settings, VerifyOptions::default());
            assert_eq!(
                counts(&report.tables[0], Side::Replica),
                [0, rows, 0],
                "{kind} {name} NULL"
            );
            let restore =
                "TRUNCATE raw.every; INSERT INTO raw.every SELECT * FROM kept; DROP TABLE kept";
            target.batch_execute(restore).unwrap();
        }
        assert!(verify(&settings, VerifyOptions::default()).ok);
    }
}
