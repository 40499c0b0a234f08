"""The engine's expression as SQL of an operational database, compiled once per catalog."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import ibis
import sqlglot
from ibis.expr.schema import Schema
from sqlglot import exp

from data.contract import AttributeType
from features.catalog import Catalog
from features.engine import describe
from features.reducers import Attribute

Dialect = Literal["sqlite", "postgres"]
_CASTS = {
    AttributeType.NUMERIC: "CAST(attributes ->> '{name}' AS REAL)",
    AttributeType.BOOLEAN: "CAST(attributes ->> '{name}' AS REAL)",
    AttributeType.CATEGORY: "CAST(attributes ->> '{name}' AS TEXT)",
}


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """
    One catalog as SQL.

    The database has ``lead_versions`` (lead_id, account_id, created_at, known_at, attributes as JSON) and
    ``activities`` (lead_id, kind, subject, value, occurred_at, known_at); instants are integer microseconds.

    Attributes:
        one: takes ``(lead_id, as_of)``; gives one row: lead_id, as_of, then the features in catalog order.
        many: takes one JSON text ``[[lead_id, as_of], …]``; gives one row each, in any order.
        names: the feature columns in order.
    """

    one: str
    many: str
    names: tuple[str, ...]


def compile_live(catalog: Catalog, dialect: Dialect = "sqlite") -> LiveQuery:
    """
    Compile a catalog for live use.

    >>> from features.feature import Feature
    >>> from features.reducers import Count
    >>> query = compile_live(Catalog((Feature("calls", Count("call"), 0, "called {n}"),)))
    >>> query.names, query.one.startswith("WITH snapshots(lead_id, as_of) AS (VALUES (?, ?))")
    (('calls',), True)
    """
    expression = describe(*_tables(catalog), catalog)
    body = _with_filters(str(ibis.to_sql(expression, dialect=dialect, pretty=False)), dialect)
    leads = f"leads AS NOT MATERIALIZED ({_lead_columns(catalog)})"
    one = "snapshots(lead_id, as_of) AS (VALUES (?, ?))"
    many = (
        "snapshots(lead_id, as_of) AS "
        "(SELECT CAST(value ->> 0 AS TEXT), CAST(value ->> 1 AS INTEGER) FROM json_each(?))"
    )
    return LiveQuery(_with([one, leads], body), _with([many, leads], body), tuple(catalog.names))


def _with_filters(statement: str, dialect: Dialect) -> str:
    """Write ``count(CASE WHEN x THEN y END)`` as ``count(y) FILTER (WHERE x)``, which SQLite skips at once."""
    return sqlglot.parse_one(statement, read=dialect).transform(_filtered).sql(dialect)


def _filtered(node: exp.Expression) -> exp.Expression:
    chosen = node.this if isinstance(node, exp.Count | exp.Sum | exp.Avg | exp.Max | exp.Min) else None
    distinct = isinstance(chosen, exp.Distinct)
    case = chosen.expressions[0] if isinstance(chosen, exp.Distinct) else chosen
    if not isinstance(case, exp.If) or not _is_null(case.args.get("false")):
        return node
    value: exp.Expression = case.args["true"]
    aggregate = type(node)(this=exp.Distinct(expressions=[value]) if distinct else value)
    return exp.Filter(this=aggregate, expression=exp.Where(this=case.this))


def _is_null(value: exp.Expression | None) -> bool:
    return value is None or isinstance(value.this if isinstance(value, exp.Cast) else value, exp.Null)


def _with(tables: Sequence[str], body: str) -> str:
    """Put common tables before a statement, which may bring some of its own."""
    own = body.lstrip()
    head = ", ".join(tables)
    return f"WITH {head}, {own[5:]}" if own[:5].upper() == "WITH " else f"WITH {head} {own}"


def _tables(catalog: Catalog) -> tuple[ibis.Table, ibis.Table, ibis.Table]:
    attributes = {
        name: "string" if kind is AttributeType.CATEGORY else "float64" for name, kind in _types(catalog).items()
    }
    keys = {"lead_id": "string", "account_id": "string", "created_at": "int64", "known_at": "int64"}
    leads = ibis.table(Schema.from_tuples([*keys.items(), *attributes.items()]), name="leads")
    snapshots = ibis.table({"lead_id": "string", "as_of": "int64"}, name="snapshots")
    activity = {"lead_id": "string", "kind": "string", "subject": "string", "value": "float64"}
    activities = ibis.table({**activity, "occurred_at": "int64", "known_at": "int64"}, name="activities")
    return snapshots, leads, activities


def _types(catalog: Catalog) -> dict[str, AttributeType]:
    reducers = [feature.reduce for feature in catalog.features if isinstance(feature.reduce, Attribute)]
    return {reduce.name: reduce.type for reduce in reducers}


def _lead_columns(catalog: Catalog) -> str:
    columns = ["lead_id", "account_id", "created_at", "known_at"]
    for name, kind in _types(catalog).items():
        path = name.replace("'", "''")
        columns.append(f"{_CASTS[kind].format(name=path)} AS {_quoted(name)}")
    return f"SELECT {', '.join(columns)} FROM lead_versions"  # noqa: S608 - names are quoted, nothing comes from a caller


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
