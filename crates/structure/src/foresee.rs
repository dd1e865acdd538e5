//! The objects that depend on the columns of a plan, and the rights that its statements need.

use crate::error::StructureError;
use crate::plan::StructurePlan;
use crate::server::ServerAnswer;
use crate::views::{DependentViews, other_dependents};
use handoff_connect::{Fault, PgConn, quote_pg};
use postgres::types::Type;
use postgres::{Row, Transaction};

/// A column of a plan is to be changed in its place, or another takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnFate {
    /// The column takes another type. Indexes and constraints go along with it.
    Retyped,
    /// The column is dropped, once another took its place.
    Replaced,
}

/// The consequences of a plan, as far as the server tells them beforehand.
#[derive(Debug, Clone)]
pub struct ForeseenChanges {
    /// The views that are taken down and put up again, quoted.
    pub views: Vec<String>,
    /// The reason why the changes would be refused.
    pub refusal: Option<StructureError>,
}

/// Foresees the changes of `plan`, and changes nothing.
///
/// # Errors
///
/// Returns a [`Fault`] if the server cannot be asked.
pub fn foresee(conn: &mut PgConn, plan: &StructurePlan) -> Result<ForeseenChanges, Fault> {
    let began = conn.transaction();
    let mut tx = began.map_err(|error| Fault::pg(handoff_connect::Side::Target, &error))?;
    match demand(&mut tx, plan) {
        Ok(views) => Ok(ForeseenChanges { views, refusal: None }),
        Err(StructureError::Server { fault, .. }) => Err(fault),
        Err(error) => Ok(ForeseenChanges { views: Vec::new(), refusal: Some(error) }),
    }
}

/// Returns the views that the changes of `plan` take down, quoted, once it is sure that they can be put up again, that
/// nothing else is in the way, and that the table and the views are ours to change.
pub(crate) fn demand(
    tx: &mut Transaction<'_>,
    plan: &StructurePlan,
) -> Result<Vec<String>, StructureError> {
    let target = plan.target();
    let retyped = read_dependents(tx, &target, &plan.widened(), ColumnFate::Retyped)?;
    let replaced = read_dependents(tx, &target, &plan.built_anew(), ColumnFate::Replaced)?;
    if plan.drops_key() {
        demand_free_key(tx, &target)?;
    }
    let mut views = retyped.names();
    views.extend(replaced.names());
    views.sort_unstable();
    views.dedup();
    demand_rights(tx, &target, &views)?;
    Ok(views)
}

/// Returns the views over `columns`, if nothing else depends on these that could not be put up again.
pub(crate) fn read_dependents(
    tx: &mut Transaction<'_>,
    target: &str,
    columns: &[&str],
    fate: ColumnFate,
) -> Result<DependentViews, StructureError> {
    let objects = other_dependents(tx, target, columns, fate == ColumnFate::Replaced)?;
    match objects.is_empty() {
        true => DependentViews::read(tx, target, columns),
        false => Err(StructureError::Depended { target: target.to_owned(), objects }),
    }
}

/// Sees to it that nothing depends on the key of the table: a foreign key of another one, or a view that groups by it.
fn demand_free_key(tx: &mut Transaction<'_>, target: &str) -> Result<(), StructureError> {
    let query = "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_constraint k \
        JOIN pg_depend d ON d.deptype = 'n' AND ( \
            d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid \
            OR d.refclassid = 'pg_class'::regclass AND d.refobjid = k.conindid) \
        WHERE k.conrelid = ($1::text)::regclass AND k.contype = 'p' ORDER BY 1";
    let rows = tx.query_typed(query, &[(&target, Type::TEXT)]).of(target)?;
    let objects: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let objects = objects.of(target)?;
    match objects.is_empty() {
        true => Ok(()),
        false => Err(StructureError::Depended { target: target.to_owned(), objects }),
    }
}

/// Sees to it that the table and the views belong to a role whose rights are ours.
fn demand_rights(
    tx: &mut Transaction<'_>,
    target: &str,
    views: &[String],
) -> Result<(), StructureError> {
    let query = "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, o.name, \
            pg_get_userbyid(c.relowner)::text, current_user::text \
        FROM unnest($1::text[]) WITH ORDINALITY o (name, place) JOIN pg_class c ON c.oid = o.name::regclass \
        WHERE NOT pg_has_role(c.relowner, 'USAGE') ORDER BY o.place LIMIT 1";
    let objects = [&[target.to_owned()], views].concat();
    let rows = tx.query_typed(query, &[(&objects, Type::TEXT_ARRAY)]).of(target)?;
    let Some(row) = rows.first() else { return Ok(()) };
    Err(not_owned(row, target).of(target)?)
}

/// Tells of an object of somebody else.
fn not_owned(row: &Row, target: &str) -> Result<StructureError, postgres::Error> {
    let (kind, object, owner): (&str, String, String) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let role = quote_pg(row.try_get::<_, &str>(3)?);
    let remedy = format!("ALTER {kind} {object} OWNER TO {role}");
    Ok(StructureError::NotOwner { target: target.to_owned(), object, owner, remedy })
}
