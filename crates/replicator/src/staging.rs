//! The table in which changed rows are gathered.

use crate::definition::{Definition, ElementKind, find, has, tokens};
use handoff_connect::quote_my;
use handoff_schema::TableSchema;

/// Spells what follows `CREATE [TEMPORARY] TABLE `: the columns and the key of a table, so that its
/// rows are held byte for byte. Nothing is numbered or checked, and no other index is kept.
pub(crate) fn staging_sql(source: &Definition, table: &TableSchema, name: &str) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut primary = None;
    for element in &source.elements {
        match element.kind {
            ElementKind::Column { .. } => kept.push(unnumbered(&element.text)),
            // Where it is over a period, its table can't be temporary.
            ElementKind::PrimaryKey if !has(&tokens(&element.text), &["WITHOUT", "OVERLAPS"]) => {
                primary = Some(element.text.clone());
            }
            _ => {}
        }
    }
    kept.extend(primary.or_else(|| unique_key(table)));
    // Not the others: a temporary table can be neither partitioned nor compressed.
    let options = [("ENGINE", "ENGINE"), ("CHARSET", "DEFAULT CHARSET"), ("COLLATE", "COLLATE")];
    let options = options.iter().filter_map(|(option, spelled)| {
        source.option(option).map(|value| format!(" {spelled}={value}"))
    });
    let options: String = options.collect();
    format!("{} (\n  {}\n){options}", quote_my(name), kept.join(",\n  "))
}

/// The server wants a key on a column that it numbers, and may have none.
fn unnumbered(column: &str) -> String {
    let tokens = tokens(column);
    let mut text = column.to_owned();
    if let Some(at) = find(&tokens, &["AUTO_INCREMENT"]) {
        text.replace_range(tokens[at].range.clone(), "");
    }
    text
}

fn unique_key(table: &TableSchema) -> Option<String> {
    let columns = table.key()?;
    let columns = columns.iter().map(|&column| quote_my(table.columns[column].name.as_str()));
    Some(format!("UNIQUE KEY ({})", columns.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{Column, Index, IndexPart};

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let column = Column { nullable: false, ..Column::of_type("a", "int").unwrap() };
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let index = Index { name: "u".to_owned(), unique: true, parts };
        let (columns, indexes) = (vec![column], vec![index]);
        let table = TableSchema { columns, indexes, ..TableSchema::empty("t") };
        let definition = Definition::parse(source).unwrap();
        assert_eq!(staging_sql(&definition, &table, "s"), expected);
    }

    #[test]
    fn columns_and_the_primary_key_are_kept() {
        check(
            "CREATE TABLE `t` (\n  `a` int(11) NOT NULL AUTO_INCREMENT COMMENT 'AUTO_INCREMENT',\n  \
             `b` text GENERATED ALWAYS AS (`a`) VIRTUAL,\n  PRIMARY KEY (`a`,`b`(9)),\n  \
             UNIQUE KEY `u` (`b`(3)),\n  FULLTEXT KEY `f` (`b`),\n  CONSTRAINT `c` CHECK (`a` < 9),\n  \
             CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`a`)\n) \
             ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin \
             ROW_FORMAT=COMPRESSED COMMENT='ENGINE=x'\n PARTITION BY KEY (`a`)",
            "`s` (\n  `a` int(11) NOT NULL  COMMENT 'AUTO_INCREMENT',\n  \
             `b` text GENERATED ALWAYS AS (`a`) VIRTUAL,\n  PRIMARY KEY (`a`,`b`(9))\n) \
             ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        );
    }

    #[test]
    fn without_a_primary_key_the_key_by_which_rows_are_told_apart_is_kept() {
        check(
            "CREATE TABLE `t` (\n  `a` int(11) NOT NULL,\n  `b` int(11),\n  UNIQUE KEY `u` (`a`),\n  \
             UNIQUE KEY `v` (`b`)\n) ENGINE=MyISAM",
            "`s` (\n  `a` int(11) NOT NULL,\n  `b` int(11),\n  UNIQUE KEY (`a`)\n) ENGINE=MyISAM",
        );
    }
}
