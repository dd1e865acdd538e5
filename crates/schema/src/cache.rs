//! Schemas and mappings, read once.

use crate::catalogue::SourceCatalogue;
use crate::error::Result;
use crate::mapping::TableMapping;
use crate::table::TableSchema;
use handoff_model::TableName;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// One table in the cache.
#[derive(Debug, Clone)]
pub struct CachedTable {
    /// Its description in the catalogue.
    pub schema: Arc<TableSchema>,
    /// Its mapping to PostgreSQL.
    pub mapping: Arc<TableMapping>,
    /// [`TableSchema::fingerprint`] of the schema.
    pub fingerprint: u64,
}

type Tables = HashMap<TableName, Result<CachedTable>>;

/// Schemas and mappings by database and table, filled from one catalogue read per database and
/// shared by all threads of a run.
///
/// It counts its hits and misses, so that a test or a report can show that nothing is read or mapped
/// once per row, batch or table.
#[derive(Debug, Default)]
pub struct SchemaCache {
    databases: RwLock<HashMap<String, Arc<Tables>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl CachedTable {
    fn new(schema: TableSchema, mapping: TableMapping) -> CachedTable {
        let fingerprint = schema.fingerprint();
        CachedTable { schema: Arc::new(schema), mapping: Arc::new(mapping), fingerprint }
    }
}

impl SchemaCache {
    /// Makes an empty cache.
    pub fn new() -> SchemaCache {
        SchemaCache::default()
    }

    /// Takes over a catalogue, mapping each table once; what was known of `database` is replaced.
    ///
    /// A table that cannot be described or mapped is kept as its error.
    pub fn load(
        &self,
        database: &str,
        catalogue: SourceCatalogue,
        map: impl Fn(&TableSchema) -> Result<TableMapping>,
    ) {
        let tables: Tables = catalogue
            .tables
            .into_iter()
            .map(|(name, schema)| {
                let mapped = schema.and_then(|schema| {
                    let mapping = map(&schema)?;
                    Ok(CachedTable::new(schema, mapping))
                });
                (name, mapped)
            })
            .collect();
        let mut databases = self.databases.write().unwrap_or_else(PoisonError::into_inner);
        databases.insert(database.to_owned(), Arc::new(tables));
    }

    /// Returns what is known of a table, and counts a hit; [`None`], and a miss, if nothing is.
    pub fn get(&self, database: &str, table: &TableName) -> Option<Result<CachedTable>> {
        let databases = self.databases.read().unwrap_or_else(PoisonError::into_inner);
        let found = databases.get(database).and_then(|tables| tables.get(table)).cloned();
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Returns what is known of a table; where nothing is known of its database, `read` reads the
    /// whole catalogue first. [`None`] if the database has no such table.
    ///
    /// Threads that miss at the same time each read; the cache is meant to be loaded before they
    /// start.
    ///
    /// # Errors
    ///
    /// Returns what `read` returns; the error of a single table stands inside.
    pub fn get_or_load(
        &self,
        database: &str,
        table: &TableName,
        read: impl FnOnce() -> Result<SourceCatalogue>,
        map: impl Fn(&TableSchema) -> Result<TableMapping>,
    ) -> Result<Option<Result<CachedTable>>> {
        if let Some(found) = self.get(database, table) {
            return Ok(Some(found));
        }
        if !self.knows(database) {
            self.load(database, read()?, map);
        }
        let databases = self.databases.read().unwrap_or_else(PoisonError::into_inner);
        Ok(databases.get(database).and_then(|tables| tables.get(table)).cloned())
    }

    /// Forgets a database, such as after its structure was changed.
    pub fn forget(&self, database: &str) {
        self.databases.write().unwrap_or_else(PoisonError::into_inner).remove(database);
    }

    /// Returns how often a table was found.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Returns how often a table was asked for and not found.
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    fn knows(&self, database: &str) -> bool {
        self.databases.read().unwrap_or_else(PoisonError::into_inner).contains_key(database)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnSchema, SchemaError};
    use handoff_settings::{TableSettings, ValuePolicies};
    use std::cell::Cell;

    fn catalogue() -> SourceCatalogue {
        let columns = vec![ColumnSchema::of_type("a", "int").unwrap()];
        let schema = TableSchema { columns, ..TableSchema::empty("good") };
        let bad = TableName::new("bad").unwrap();
        let error = SchemaError::Undescribed { table: bad.clone(), reason: "a test".to_owned() };
        SourceCatalogue {
            tables: [(schema.name.clone(), Ok(schema)), (bad, Err(error))].into(),
            ..SourceCatalogue::empty()
        }
    }

    #[test]
    fn one_read_serves_every_table_and_every_miss_is_counted() {
        let (cache, reads, maps) = (SchemaCache::new(), Cell::new(0), Cell::new(0));
        let ask = |database, table| {
            let read = || {
                reads.set(reads.get() + 1);
                Ok(catalogue())
            };
            let map = |schema: &TableSchema| {
                maps.set(maps.get() + 1);
                TableMapping::new(schema, &TableSettings::default(), &ValuePolicies::default())
            };
            cache.get_or_load(database, &TableName::new(table).unwrap(), read, map).unwrap()
        };
        let first = ask("db", "good").unwrap().unwrap();
        let again = ask("db", "good").unwrap().unwrap();
        assert!(Arc::ptr_eq(&first.mapping, &again.mapping));
        assert_eq!(first.fingerprint, first.schema.fingerprint());
        assert!(ask("db", "bad").unwrap().is_err());
        assert!(ask("db", "none").is_none());
        assert_eq!((reads.get(), maps.get(), cache.hits(), cache.misses()), (1, 1, 2, 2));
        assert!(ask("other", "good").is_some());
        assert_eq!(reads.get(), 2);
        cache.forget("db");
        assert!(cache.get("db", &TableName::new("good").unwrap()).is_none());
    }
}
