//! CVE-2018-1058 and its kind: what another role plants in the schemas of our path is never run.

use super::every_command;
use crate::etl::Etl;
use handoff_testbed::Trio;

/// Counts a call for good, since a sequence survives the rollback, and raises.
const BODY: &str = "$b$BEGIN PERFORM pg_catalog.nextval('public.called'::pg_catalog.regclass); \
                    RAISE EXCEPTION 'planted'; END$b$";

/// The same within a text.
fn body() -> String {
    BODY.replace('\'', "''")
}

/// Plants, as `mallory`, in both schemas: each function and operator of PostgreSQL that has its
/// argument types, aggregates and functions that fit better than PostgreSQL's own, types and views
/// that are named like its own.
fn plant(trio: &Trio) {
    let database = trio.target_name();
    trio.sql_target(&format!(
        "DO $$ BEGIN CREATE ROLE mallory; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;
         CREATE SCHEMA raw AUTHORIZATION etl;
         GRANT USAGE, CREATE ON SCHEMA raw, public TO mallory;
         ALTER ROLE etl IN DATABASE {database} SET search_path = raw, public, pg_catalog;
         ALTER DATABASE {database} SET search_path = raw, public, pg_catalog;
         SET ROLE mallory;
         CREATE SEQUENCE public.called;
         GRANT ALL ON SEQUENCE public.called TO PUBLIC;
         SET search_path = pg_catalog"
    ));
    for schema in ["raw", "public"] {
        trio.sql_target(&functions(schema));
        trio.sql_target(&operators(schema));
        trio.sql_target(&aggregates(schema));
        trio.sql_target(&relations(schema));
    }
    trio.sql_target(
        "SET ROLE mallory;
         CREATE TYPE public.own AS (a pg_catalog.int4);
         CREATE FUNCTION public.own(public.own) RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT ''x''';
         CREATE CAST (public.own AS pg_catalog.text) WITH FUNCTION public.own(public.own) AS IMPLICIT",
    );
}

fn functions(schema: &str) -> String {
    let body = body();
    format!(
        "SET ROLE mallory; SET search_path = pg_catalog;
         DO $$ DECLARE f record; BEGIN
         FOR f IN SELECT p.proname, string_agg(format_type(a.t, NULL), ', ' ORDER BY a.n) AS arguments
             FROM pg_proc p LEFT JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY a (t, n) ON true
             LEFT JOIN pg_type y ON y.oid = a.t
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
             GROUP BY p.oid, p.proname HAVING bool_and(coalesce(y.typtype, 'b') <> 'p')
         LOOP
             EXECUTE format('CREATE OR REPLACE FUNCTION {schema}.%I(%s) RETURNS pg_catalog.text \
                 LANGUAGE plpgsql AS {body}', f.proname, f.arguments);
         END LOOP; END $$"
    )
}

fn operators(schema: &str) -> String {
    let body = body();
    format!(
        "SET ROLE mallory; SET search_path = pg_catalog;
         DO $$ DECLARE o record; l text; r text; BEGIN
         FOR o IN SELECT oprname, oprleft, oprright, format_type(oprleft, NULL) AS l,
                 format_type(oprright, NULL) AS r
             FROM pg_operator LEFT JOIN pg_type y ON y.oid = oprleft JOIN pg_type z ON z.oid = oprright
             WHERE oprnamespace = 'pg_catalog'::regnamespace
             AND coalesce(y.typtype, 'b') <> 'p' AND z.typtype <> 'p'
         LOOP
             l := CASE WHEN o.oprleft <> 0 THEN o.l || ', ' ELSE '' END;
             r := CASE WHEN o.oprleft <> 0 THEN 'LEFTARG = ' || o.l || ', ' ELSE '' END;
             EXECUTE format('CREATE OR REPLACE FUNCTION {schema}.planted(%s%s) RETURNS pg_catalog.bool \
                 LANGUAGE plpgsql AS {body}', l, o.r);
             EXECUTE format('CREATE OPERATOR {schema}.%s (FUNCTION = {schema}.planted, %sRIGHTARG = %s)',
                 o.oprname, r, o.r);
         END LOOP; END $$"
    )
}

/// Exact types fit better than the `anyelement` of PostgreSQL's own.
fn aggregates(schema: &str) -> String {
    let mut sql = format!(
        "SET ROLE mallory; SET search_path = pg_catalog;
         CREATE FUNCTION {schema}.step(text[], text) RETURNS text[] LANGUAGE plpgsql AS {BODY};
         CREATE FUNCTION {schema}.step(text[], bool) RETURNS text[] LANGUAGE plpgsql AS {BODY};
         CREATE FUNCTION {schema}.step(text[]) RETURNS text[] LANGUAGE plpgsql AS {BODY};
         CREATE AGGREGATE {schema}.count(*) (SFUNC = {schema}.step, STYPE = text[]);"
    );
    for name in ["array_agg", "string_agg", "count", "min", "max", "sum", "bool_or", "bool_and"] {
        for kind in ["text", "bool"] {
            sql += &format!(
                "CREATE AGGREGATE {schema}.{name}({kind}) (SFUNC = {schema}.step, STYPE = text[]);"
            );
        }
    }
    for argument in ["int2vector", "int4[]", "text[]", "uuid[]", "jsonb"] {
        for name in ["unnest", "jsonb_to_recordset", "to_jsonb"] {
            sql += &format!(
                "DROP FUNCTION IF EXISTS {schema}.{name}({argument}); \
                 CREATE FUNCTION {schema}.{name}({argument}) RETURNS SETOF int4 LANGUAGE plpgsql AS {BODY};"
            );
        }
    }
    sql
}

fn relations(schema: &str) -> String {
    format!(
        "SET ROLE mallory; SET search_path = pg_catalog;
         CREATE FUNCTION {schema}.look() RETURNS int4 LANGUAGE plpgsql AS {BODY};
         DO $$ DECLARE c record; BEGIN
         FOR c IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
             AND relkind IN ('r', 'v') LOOP
             EXECUTE format('CREATE VIEW {schema}.%I AS SELECT {schema}.look() AS oid', c.relname);
         END LOOP;
         FOR c IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
             AND typtype = 'b' AND typcategory <> 'A' LOOP
             EXECUTE format('CREATE DOMAIN {schema}.%I AS pg_catalog.text CHECK ({schema}.look() = 1)',
                 c.typname);
         END LOOP; END $$; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO PUBLIC"
    )
}

#[track_caller]
fn nothing_was_called(trio: &Trio) {
    let asked = trio.target().query_one("SELECT is_called FROM public.called", &[]).unwrap();
    assert!(!asked.get::<_, bool>(0), "something planted was run");
}

#[test]
fn nothing_that_another_role_planted_is_run() {
    let trio = Trio::new("planted");
    plant(&trio);
    let mut toml = trio.settings_toml() + "grant_select_to = [\"mallory\"]\n";
    for loader in ["standard", "streaming", "chunked", "parallel", "copy_csv"] {
        trio.sql_source(&format!(
            "CREATE TABLE {loader} (id INT PRIMARY KEY, u CHAR(36), n DECIMAL(9,2), j JSON, \
             t TIMESTAMP NOT NULL, s SET('a','b'), KEY (t)); \
             INSERT INTO {loader} SELECT seq, UUID(), seq / 3, '[1]', NOW() - INTERVAL 1 DAY, 'a' \
             FROM seq_1_to_3000"
        ));
        toml += &format!("[tables.{loader}]\nloader = \"{loader}\"\n");
    }
    trio.sql_source(
        "CREATE TABLE keyless (a TEXT, b DATETIME); INSERT INTO keyless VALUES ('x', NOW())",
    );
    trio.sql_source(
        "CREATE TABLE moving (id INT PRIMARY KEY, t TIMESTAMP NOT NULL, KEY (t)); \
         INSERT INTO moving SELECT seq, NOW() - INTERVAL 1 DAY FROM seq_1_to_100",
    );
    toml +=
        "[tables.moving]\nextraction = \"incremental\"\nwatermark = \"t\"\ndeletes = \"sweep\"\n";
    let change = "UPDATE standard SET n = 7 WHERE id < 10; DELETE FROM streaming WHERE id < 20; \
                  DELETE FROM moving WHERE id = 3; INSERT INTO moving VALUES (200, NOW()); \
                  INSERT INTO keyless VALUES ('y', NOW())";
    let etl = Etl::with(&toml);
    every_command(&etl, || trio.sql_source(change));
    trio.sql_target(
        "SET search_path = pg_catalog; UPDATE raw.chunked SET n = 1 WHERE id = 5; DELETE FROM raw.parallel WHERE id = 6",
    );
    etl.exits(1, &["verify"]);
    etl.ok(&["repair"]);
    etl.ok(&["verify"]);
    nothing_was_called(&trio);
    etl.ok(&["init", "--force"]);
    nothing_was_called(&trio);
}

#[test]
fn a_tracking_table_of_a_strangers_is_refused_before_anything_is_written_to_it() {
    let trio = Trio::new("planted tracking");
    plant(&trio);
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target(
        "ALTER TABLE raw.etl_load_status OWNER TO mallory; SET ROLE mallory; \
         CREATE FUNCTION public.spy() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_catalog.nextval(''public.called''::pg_catalog.regclass); RETURN NEW; END'; \
         CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON raw.etl_load_status \
         FOR EACH ROW EXECUTE FUNCTION public.spy(); GRANT ALL ON raw.etl_load_status TO etl",
    );
    for command in ["check", "plan", "run"] {
        let done = etl.run(&[command]);
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(done.code != Some(0) && said.contains("a stranger here"), "{command}: {said}");
    }
    nothing_was_called(&trio);
}

/// A function of the user's own that looks for a table by its bare name needs a path of its own; the
/// error says so, and what it says helps.
#[test]
fn a_function_that_needs_a_path_is_named_with_the_statement_that_gives_it_one() {
    let trio = Trio::new("function path");
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target(
        "CREATE TABLE raw.allowed (n INT); INSERT INTO raw.allowed VALUES (1), (2);
         CREATE FUNCTION raw.fine(n INT) RETURNS bool LANGUAGE plpgsql AS
         'BEGIN RETURN EXISTS (SELECT FROM allowed a WHERE a.n = $1); END';
         SET search_path = raw; ALTER TABLE raw.t ADD CHECK (raw.fine(id));
         GRANT ALL ON raw.allowed TO etl",
    );
    trio.sql_source("INSERT INTO t VALUES (2)");
    let refused = etl.exits(1, &["run"]);
    let remedy = "ALTER FUNCTION raw.fine(integer) SET search_path = raw, public, pg_temp";
    assert!(refused.stdout.contains(remedy), "{}\n{}", refused.stdout, refused.stderr);
    trio.sql_target(remedy);
    etl.ok(&["run", "--prove"]);
}
