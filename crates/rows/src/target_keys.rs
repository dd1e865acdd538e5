//! Reading rows of the target by their keys.

use bytes::BytesMut;
use handoff_connect::{PgConn, Result, quote_pg};
use handoff_schema::{MappedColumn, TableMapping, ddl};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, IsNull, Kind, ToSql, Type};
use std::error::Error;

/// Hands the rows of a table of the target that have one of `keys` to `each`, in their canonical form.
///
/// A key is the canonical values of its columns, in the order of [`TableMapping::key`]; they are bound, as
/// one array a column.
///
/// # Errors
///
/// Returns a [`Fault`](handoff_connect::Fault) if the server fails.
pub fn target_tuples_of(
    conn: &mut PgConn,
    schema: &str,
    name: &str,
    mapping: &TableMapping,
    keys: &[Vec<&[u8]>],
    mut each: impl FnMut(&[u8]),
) -> Result<()> {
    let columns: Vec<KeyArray<'_>> = (0..mapping.key.len())
        .map(|place| KeyArray(keys.iter().map(|key| key[place]).collect()))
        .collect();
    let params = columns.iter().map(|column| column as &dyn ToSql);
    let done = read_tuples(conn, &statement(schema, name, mapping), params, &mut each);
    done.map_err(|error| conn.fault(&error))
}

fn read_tuples<'a>(
    conn: &mut PgConn,
    statement: &str,
    params: impl ExactSizeIterator<Item = &'a dyn ToSql>,
    each: &mut impl FnMut(&[u8]),
) -> Result<(), postgres::Error> {
    let mut tuple = Vec::new();
    let mut rows = conn.query_raw(statement, params)?;
    while let Some(row) = rows.next()? {
        tuple.clear();
        let count = i16::try_from(row.len()).expect("a table has 1,600 columns at most");
        tuple.extend_from_slice(&count.to_be_bytes());
        for index in 0..row.len() {
            let BinaryField(field) = row.try_get(index)?;
            let length = field
                .map_or(-1, |field| i32::try_from(field.len()).expect("a field has 1 GB at most"));
            tuple.extend_from_slice(&length.to_be_bytes());
            tuple.extend_from_slice(field.unwrap_or_default());
        }
        each(&tuple);
    }
    Ok(())
}

/// Renders `SELECT t."a", … FROM ONLY "raw"."t" t JOIN unnest($1::integer[]) AS k(k0) ON t."a" = k.k0`.
fn statement(schema: &str, name: &str, mapping: &TableMapping) -> String {
    let all: Vec<String> = mapping.columns.iter().map(qualified).collect();
    let key = mapping.key.iter().enumerate();
    let arrays: Vec<String> = key
        .clone()
        .map(|(place, &index)| format!("${}::{}[]", place + 1, mapping.columns[index].pg))
        .collect();
    let names: Vec<String> = key.clone().map(|(place, _)| format!("k{place}")).collect();
    let joined: Vec<String> = key
        .map(|(place, &index)| format!("{} = k.k{place}", qualified(&mapping.columns[index])))
        .collect();
    format!(
        "SELECT {} FROM {} t JOIN unnest({}) AS k({}) ON {}",
        all.join(", "),
        ddl::only(schema, name),
        arrays.join(", "),
        names.join(", "),
        joined.join(" AND ")
    )
}

/// Renders a column of the table `t`.
fn qualified(column: &MappedColumn) -> String {
    format!("t.{}", quote_pg(column.pg_name.as_str()))
}

/// The bytes of a field, whatever its type.
struct BinaryField<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for BinaryField<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<BinaryField<'a>, Box<dyn Error + Sync + Send>> {
        Ok(BinaryField(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<BinaryField<'a>, Box<dyn Error + Sync + Send>> {
        Ok(BinaryField(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// An array of canonical values; prints nothing of them.
struct KeyArray<'a>(Vec<&'a [u8]>);

impl std::fmt::Debug for KeyArray<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

impl ToSql for KeyArray<'_> {
    /// Writes an array of one dimension: number of dimensions, whether there are NULLs, type of the
    /// elements, length and lower bound, then each element with its length (PostgreSQL source,
    /// `array_recv`).
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Kind::Array(element) = ty.kind() else { return Err("no array is wanted".into()) };
        let count = i32::try_from(self.0.len())?;
        for number in [1, 0, i32::from_be_bytes(element.oid().to_be_bytes()), count, 1] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for value in &self.0 {
            out.extend_from_slice(&i32::try_from(value.len())?.to_be_bytes());
            out.extend_from_slice(value);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Array(_))
    }

    postgres::types::to_sql_checked!();
}
