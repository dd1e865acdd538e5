//! Objects around a tracking table of the target that could change its records.

/// Spells an expression for what keeps the table `c` of the schema `n` from keeping its records: a word, and on a line of its
/// own the statements that take it away. NULL if nothing does.
pub(crate) const SURROUNDINGS: &str = "\
    CASE WHEN row_security_active(c.oid) \
        THEN format(E'row security\\nALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', n.nspname, c.relname) \
    WHEN c.relpersistence = 'u' \
        THEN format(E'unlogged\\nALTER TABLE %I.%I SET LOGGED', n.nspname, c.relname) \
    ELSE coalesce( \
        (SELECT E'children\\n' || string_agg(format('ALTER TABLE %I.%I NO INHERIT %I.%I', \
                hn.nspname, hc.relname, n.nspname, c.relname), '; ') \
            FROM pg_inherits h JOIN pg_class hc ON hc.oid = h.inhrelid \
            JOIN pg_namespace hn ON hn.oid = hc.relnamespace \
            WHERE h.inhparent = c.oid AND c.relkind = 'r'), \
        (SELECT E'rules\\n' || string_agg(format('DROP RULE %I ON %I.%I', \
                r.rulename, n.nspname, c.relname), '; ') FROM pg_rewrite r \
            WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'), \
        (SELECT E'triggers\\n' || string_agg(format('ALTER TABLE %I.%I DISABLE TRIGGER %I', \
                n.nspname, c.relname, t.tgname), '; ') FROM pg_trigger t \
            WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 3 = 3)) \
    END";

/// The text that the expression found.
pub(crate) struct RecordObstacle {
    pub(crate) what: &'static str,
    pub(crate) remedy: String,
}

impl RecordObstacle {
    pub(crate) fn parse(found: &str) -> RecordObstacle {
        let (word, remedy) = found.split_once('\n').unwrap_or((found, ""));
        let what = match word {
            "row security" => "its row security may hide records from this role",
            "unlogged" => "it is UNLOGGED, so that a crash of the server empties it",
            "children" => "tables inherit from it, whose rows pass for records",
            // Even one that is disabled forbids ON CONFLICT.
            "rules" => "it has rules, which rewrite records",
            _ => "it has triggers that may change records before they are written",
        };
        RecordObstacle { what, remedy: remedy.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_expression_finds_is_a_sentence_and_its_remedy() {
        let found = RecordObstacle::parse("unlogged\nALTER TABLE raw.etl_runs SET LOGGED");
        assert!(found.what.contains("UNLOGGED"), "{}", found.what);
        assert_eq!(found.remedy, "ALTER TABLE raw.etl_runs SET LOGGED");
        let rules = RecordObstacle::parse("rules\nDROP RULE r ON raw.etl_runs");
        let triggers = RecordObstacle::parse("triggers\nALTER TABLE");
        assert_ne!(rules.what, triggers.what);
    }

    #[test]
    fn every_word_of_the_expression_has_a_sentence_of_its_own() {
        let words = ["row security", "unlogged", "children", "rules", "triggers"];
        let sentences: std::collections::BTreeSet<&str> =
            words.iter().map(|word| RecordObstacle::parse(word).what).collect();
        assert_eq!(sentences.len(), words.len());
        for word in words {
            assert!(SURROUNDINGS.contains(&format!("E'{word}\\n")), "{word}");
        }
    }
}
