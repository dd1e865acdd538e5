//! The settings of single tables.

use super::*;

#[test]
fn a_table_may_stand_in_both_files_but_a_key_in_one() {
    fails_with(
        &format!("{URLS}[tables.a]\nloader = \"standard\"\n"),
        Some("[tables.a]\nloader = \"streaming\"\n"),
        &["tables.toml:2: tables.a.loader stands at handoff.toml:6 as well; keep one"],
    );
}

#[test]
fn the_extraction_of_a_table_is_read() {
    let text = format!(
        "{URLS}[tables.a]\nextraction = \"incremental_chunked\"\nwatermark = \"s\"\n\
         [tables.b]\nextraction = \"incremental\"\nwatermark = [\"s\", \"t\"]\n\
         lookback = {{ days = 30, columns = [\"d\"] }}\n"
    );
    let settings = loads(&text);
    let table = |name| settings.table(&TableName::new(name).unwrap());
    let names = |names: &[&str]| -> Vec<ColumnName> {
        names.iter().map(|name| ColumnName::new(name).unwrap()).collect()
    };
    assert_eq!(table("a").extraction, Some(Extraction::IncrementalChunked));
    assert_eq!(table("a").watermark, names(&["s"]));
    assert_eq!(table("b").watermark, names(&["s", "t"]));
    assert_eq!(table("b").lookback, Some(Lookback { days: 30, columns: names(&["d"]) }));
}

#[test]
fn an_extraction_that_cannot_work_is_refused() {
    adding(
        "[tables.a]\nextraction = \"incremental\"\n",
        &["handoff.toml:6: tables.a.extraction is \"incremental\" and tables.a.watermark is \
         missing; name the column that grows when a row is written, such as tables.a.watermark = \
         \"DateTStamp\""],
    );
    adding(
        "[tables.a]\nwatermark = \"s\"\n",
        &["handoff.toml:6: tables.a.watermark has no effect while no watermark is used; write \
         tables.a.extraction = \"incremental\", or leave it out"],
    );
    adding(
        "[tables.a]\nextraction = \"diff\"\nwatermark = \"s\"\n",
        &["handoff.toml:7: tables.a.watermark has no effect while all rows are compared; write \
         tables.a.extraction = \"incremental\", or leave it out"],
    );
    adding(
        "[tables.a]\nextraction = \"incremental_chunked\"\nwatermark = [\"s\", \"t\"]\n",
        &["handoff.toml:7: tables.a.watermark names 2 columns, and slices are taken of one; name \
         one, or write tables.a.extraction = \"incremental\""],
    );
    adding(
        "[tables.a]\nextraction = \"hybrid\"\nwatermark = [\"s\", \"s\"]\n",
        &[
            "handoff.toml:6: tables.a.extraction is \"hybrid\"; it takes auto, full_table, incremental, \
             incremental_chunked or diff",
            "handoff.toml:7: tables.a.watermark names `s` twice; keep one",
        ],
    );
    adding(
        "[tables.a]\nextraction = \"incremental\"\nwatermark = 3\nlookback = { day = 3 }\n",
        &[
            "handoff.toml:7: tables.a.watermark is 3; it takes the name of a column, or a list of \
             names",
            "handoff.toml:8: tables.a.lookback.columns is missing; write it beside",
            "handoff.toml:8: tables.a.lookback.days is missing; write it beside",
            "handoff.toml:8: unknown key `day` in [tables.a.lookback]; did you mean `days`?",
        ],
    );
}
