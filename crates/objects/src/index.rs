//! Indexes beside the key.

use crate::expression::{TextEquality, text_equality, translate};
use handoff_connect::quote_pg;
use handoff_schema::{
    IndexMethod, IndexObjects, IndexPart, IndexSchema, MappedColumn, PgType, TableMapping, ddl,
};
use handoff_settings::UniqueTexts;

/// An index as it becomes in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecidedIndex {
    /// Its definition without its name and table.
    pub(crate) body: String,
    /// The departure from the source's, if there is one.
    pub(crate) remark: Option<String>,
    /// The statement that makes the collation that it needs.
    pub(crate) needs: Option<String>,
}

/// The facts that an index is decided from.
pub(crate) struct IndexInputs<'a> {
    pub(crate) index: &'a IndexSchema,
    pub(crate) facts: &'a IndexObjects,
    pub(crate) mapping: &'a TableMapping,
    /// The schema of the target.
    pub(crate) schema: &'a str,
    pub(crate) texts: UniqueTexts,
}

/// Decides an index.
///
/// # Errors
///
/// Returns the reason why PostgreSQL has none like it.
pub(crate) fn decide(inputs: &IndexInputs<'_>) -> Result<DecidedIndex, String> {
    if inputs.facts.hidden {
        return Err("its own server's planner leaves it aside (INVISIBLE or IGNORED)".to_owned());
    }
    match inputs.facts.method {
        IndexMethod::Values => by_values(inputs),
        IndexMethod::FullText => by_words(inputs),
        IndexMethod::Spatial => {
            Err("geometries arrive as bytes (EWKB), which no index finds by place".to_owned())
        }
        IndexMethod::Other => Err("PostgreSQL has no index of its kind".to_owned()),
    }
}

fn by_values(inputs: &IndexInputs<'_>) -> Result<DecidedIndex, String> {
    let mut decided = DecidedIndex { body: String::new(), remark: None, needs: None };
    let mut parts = Vec::new();
    for (place, part) in inputs.index.parts.iter().enumerate() {
        let part = UniquePart { inputs, part, place };
        let spelled = part.spell(&mut decided)?;
        parts.push(spelled);
    }
    decided.body = format!("USING btree ({})", parts.join(", "));
    Ok(decided)
}

/// One part of an index by values.
struct UniquePart<'a> {
    inputs: &'a IndexInputs<'a>,
    part: &'a IndexPart,
    place: usize,
}

impl UniquePart<'_> {
    fn spell(&self, decided: &mut DecidedIndex) -> Result<String, String> {
        let order = if self.part.descending { " DESC" } else { "" };
        let Some(place) = self.part.column else {
            return Ok(format!("({}){order}", self.expression()?));
        };
        let column = &self.inputs.mapping.columns[place];
        let value = match self.part.prefix {
            Some(length) => prefix(column, length)?,
            None => quote_pg(column.pg_name.as_str()),
        };
        let value = self.compared(column, value, decided);
        Ok(format!("{value}{order}"))
    }

    fn expression(&self) -> Result<String, String> {
        let Some(text) = self.inputs.facts.expressions.get(&self.place) else {
            return Err("PostgreSQL has no index of its kind".to_owned());
        };
        let shared = translate(text, self.inputs.mapping).map_err(|refused| refused.to_string())?;
        if self.inputs.index.unique && !shared.kind.is_number() {
            return Err("its values may be told apart otherwise".to_owned());
        }
        Ok(shared.sql)
    }

    /// Returns the value as a unique index is to compare it.
    fn compared(&self, column: &MappedColumn, value: String, decided: &mut DecidedIndex) -> String {
        let is_text = column.pg == PgType::Text && column.source.kind.has_charset();
        let is_label = matches!(column.source.kind, handoff_schema::MySqlType::Enum(_));
        if !self.inputs.index.unique || !is_text || is_label {
            return value;
        }
        let equality = text_equality(&column.source);
        if equality == TextEquality::Bytes {
            return value;
        }
        let collation = column.source.collation.as_deref().unwrap_or_default();
        let like = IcuCollation::like(collation).filter(|_| self.inputs.texts == UniqueTexts::Icu);
        match (equality, like, self.inputs.texts) {
            (TextEquality::Loose, Some(icu), _) => {
                decided.needs = Some(icu.create(self.inputs.schema));
                icu.apply(self.inputs.schema, &value)
            }
            (TextEquality::Padded, _, UniqueTexts::Icu) => format!("rtrim({value}, ' ')"),
            _ => {
                decided.remark = Some(format!(
                    "it compares bytes, so it lets in texts that {collation} takes for equal"
                ));
                value
            }
        }
    }
}

/// Spells the first characters or bytes of a column.
fn prefix(column: &MappedColumn, length: u32) -> Result<String, String> {
    let name = quote_pg(column.pg_name.as_str());
    match column.pg {
        PgType::Text => Ok(format!("\"left\"({name}, {length})")),
        PgType::Bytea => Ok(format!("\"substring\"({name}, 1, {length})")),
        _ => Err(format!("it holds the beginning of a value that becomes {}", column.pg)),
    }
}

/// Text search finds the words as they are written, in any case.
fn by_words(inputs: &IndexInputs<'_>) -> Result<DecidedIndex, String> {
    let columns = inputs.index.parts.iter().map(|part| {
        let column = part.column.map(|place| &inputs.mapping.columns[place]);
        column.filter(|column| column.pg == PgType::Text)
    });
    let Some(columns) = columns.collect::<Option<Vec<_>>>() else {
        return Err("one of its columns becomes no text".to_owned());
    };
    let texts: Vec<String> = columns
        .iter()
        .map(|column| format!("COALESCE({}, '')", quote_pg(column.pg_name.as_str())))
        .collect();
    let all = texts.join(" || ' ' || ");
    Ok(DecidedIndex {
        body: format!("USING gin (to_tsvector('simple'::regconfig, {all}))"),
        remark: Some("queries find its rows by @@ and not by MATCH".to_owned()),
        needs: None,
    })
}

/// A collation of ICU that takes texts for equal much as one of MySQL does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IcuCollation {
    name: &'static str,
    locale: &'static str,
    is_padded: bool,
}

impl IcuCollation {
    /// Returns the collation that is like one of no language.
    fn like(collation: &str) -> Option<IcuCollation> {
        let families = ["_general", "_unicode", "_0900", "_uca1400"];
        if !families.iter().any(|family| collation.contains(family)) {
            return None;
        }
        let (name, locale) = match collation {
            _ if collation.contains("_as_ci") => ("handoff_as_ci", "und-u-ks-level2"),
            _ if collation.contains("_cs") => ("handoff_as_cs", "und-u-ks-level3"),
            _ if collation.contains("_ci") => ("handoff_ai_ci", "und-u-ks-level1"),
            _ => return None,
        };
        let is_padded = !collation.contains("_0900") && !collation.contains("_nopad");
        Some(IcuCollation { name, locale, is_padded })
    }

    fn create(self, schema: &str) -> String {
        format!(
            "CREATE COLLATION IF NOT EXISTS {} (provider = icu, locale = '{}', deterministic = false)",
            ddl::qualified(schema, self.name),
            self.locale
        )
    }

    fn apply(self, schema: &str, value: &str) -> String {
        let collation = ddl::qualified(schema, self.name);
        match self.is_padded {
            true => format!("(rtrim({value}, ' ') COLLATE {collation})"),
            false => format!("{value} COLLATE {collation}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mapping;

    fn table() -> TableMapping {
        mapping(&[
            ("id", "int", ""),
            ("code", "varchar(9)", "utf8mb4_0900_bin"),
            ("name", "varchar(9)", "utf8mb4_general_ci"),
            ("fixed", "char(9)", "utf8mb4_bin"),
            ("bytes", "blob", ""),
            ("doc", "json", ""),
            ("local", "varchar(9)", "utf8mb4_swedish_ci"),
        ])
    }

    fn parts(parts: &[(usize, Option<u32>)]) -> Vec<IndexPart> {
        let part =
            |&(column, prefix): &_| IndexPart { column: Some(column), prefix, descending: false };
        parts.iter().map(part).collect()
    }

    fn found(
        unique: bool,
        parts: Vec<IndexPart>,
        facts: &IndexObjects,
        texts: UniqueTexts,
    ) -> Result<DecidedIndex, String> {
        let index = IndexSchema { name: "k".to_owned(), unique, parts };
        let mapping = table();
        decide(&IndexInputs { index: &index, facts, mapping: &mapping, schema: "raw", texts })
    }

    #[track_caller]
    fn check(unique: bool, columns: &[(usize, Option<u32>)], body: &str, remarked: bool) {
        let found =
            found(unique, parts(columns), &IndexObjects::default(), UniqueTexts::Bytes).unwrap();
        assert_eq!((found.body.as_str(), found.remark.is_some()), (body, remarked));
    }

    #[test]
    fn indexes_by_values() {
        check(
            false,
            &[(1, None), (2, Some(4))],
            "USING btree (\"code\", \"left\"(\"name\", 4))",
            false,
        );
        check(false, &[(4, Some(8))], "USING btree (\"substring\"(\"bytes\", 1, 8))", false);
        check(true, &[(1, None)], "USING btree (\"code\")", false);
        check(true, &[(2, None)], "USING btree (\"name\")", true);
        check(true, &[(3, None)], "USING btree (\"fixed\")", true);
        check(true, &[(0, None)], "USING btree (\"id\")", false);
        let descending = vec![IndexPart { column: Some(0), prefix: None, descending: true }];
        let found = found(false, descending, &IndexObjects::default(), UniqueTexts::Bytes).unwrap();
        assert_eq!(found.body, "USING btree (\"id\" DESC)");
    }

    #[test]
    fn unique_texts_by_a_collation_of_icu() {
        let body = |column| {
            let facts = IndexObjects::default();
            let found = found(true, parts(&[(column, None)]), &facts, UniqueTexts::Icu).unwrap();
            (found.body, found.needs.is_some(), found.remark.is_some())
        };
        let loose = "USING btree ((rtrim(\"name\", ' ') COLLATE \"raw\".\"handoff_ai_ci\"))";
        assert_eq!(body(2), (loose.to_owned(), true, false));
        assert_eq!(body(3), ("USING btree (rtrim(\"fixed\", ' '))".to_owned(), false, false));
        assert_eq!(body(6), ("USING btree (\"local\")".to_owned(), false, true));
        for (collation, name) in [
            ("utf8mb4_0900_as_ci", "handoff_as_ci"),
            ("utf8mb4_uca1400_nopad_ai_ci", "handoff_ai_ci"),
            ("utf8mb4_0900_as_cs", "handoff_as_cs"),
        ] {
            let like = IcuCollation::like(collation).unwrap();
            assert_eq!((like.name, like.is_padded), (name, false));
        }
    }

    fn of_method(method: IndexMethod) -> IndexObjects {
        IndexObjects { method, ..IndexObjects::default() }
    }

    #[test]
    fn other_kinds_are_translated_or_refused() {
        let texts = UniqueTexts::Bytes;
        let words =
            found(false, parts(&[(1, None), (2, None)]), &of_method(IndexMethod::FullText), texts);
        assert_eq!(
            words.unwrap().body,
            "USING gin (to_tsvector('simple'::regconfig, COALESCE(\"code\", '') || ' ' || COALESCE(\"name\", '')))"
        );
        for method in [IndexMethod::Spatial, IndexMethod::Other] {
            assert!(found(false, parts(&[(4, None)]), &of_method(method), texts).is_err());
        }
        let hidden = IndexObjects { hidden: true, ..IndexObjects::default() };
        assert!(found(false, parts(&[(0, None)]), &hidden, texts).is_err());
        assert!(found(false, parts(&[(5, Some(3))]), &IndexObjects::default(), texts).is_err());
    }

    #[test]
    fn an_expression_is_indexed_if_both_dialects_share_it() {
        let of = |unique, text: &str| {
            let expressions = [(0, text.to_owned())].into();
            let facts = IndexObjects { expressions, ..IndexObjects::default() };
            let parts = vec![IndexPart { column: None, prefix: None, descending: false }];
            found(unique, parts, &facts, UniqueTexts::Bytes).map(|found| found.body)
        };
        assert_eq!(of(false, "lower(`name`)").as_deref(), Ok("USING btree ((lower(\"name\")))"));
        assert_eq!(
            of(true, "(`id` + 1)").as_deref(),
            Ok("USING btree (((\"id\"::bigint + 1::bigint)))")
        );
        assert!(of(true, "lower(`name`)").is_err());
        assert!(
            of(false, "cast(json_extract(`doc`,_utf8mb4\\'$.a\\') as unsigned array)").is_err()
        );
    }
}
