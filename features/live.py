"""A catalog as SQL of an operational database, compiled once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import ibis
import sqlglot
from ibis.expr.schema import Schema
from sqlglot import exp

from data.contract import AttributeType
from data.sql import quoted
from features.catalog import Catalog
from features.live_expression import describe_known
from features.reducers import AttributeValue

Dialect = Literal["sqlite", "postgres"]
_NEWEST = "SELECT max(w.known_at) FROM lead_versions AS w WHERE w.lead_id = {lead} AND w.known_at < {as_of}"
_PEERS = (
    "SELECT m.lead_id, m.as_of, p.lead_id AS peer_id FROM versions AS m JOIN lead_versions AS p"  # noqa: S608 - ours
    " ON p.account_id = m.account_id AND p.lead_id <> m.lead_id"
    f" AND p.known_at = ({_NEWEST.format(lead='p.lead_id', as_of='m.as_of')})"
)
_LONGEST_NAME_BYTES = 63  # PostgreSQL truncates longer names, so two with the same start would collide
_SMALLEST_EXPONENT = -700.0  # below it PostgreSQL reports an error, where other engines return 0


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """
    One catalog as SQL.

    The database has ``lead_versions`` (lead_id, account_id, created_at, known_at, attributes as JSON text) and
    ``activities`` (lead_id, kind, subject, value, occurred_at, known_at); instants are integer microseconds.

    Attributes:
        one: takes ``(lead_id, as_of)``; gives one row: lead_id, as_of, then the features in catalog order.
        many: takes one JSON text ``[[lead_id, as_of], …]``; gives one row each, in any order.
        names: the feature columns in order.
    """

    one: str
    many: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The SQL in which databases differ."""

    one: str
    many: str
    text: str
    number: str
    named: Callable[[str], str]


def _short(name: str) -> str:
    """Return a name that PostgreSQL does not cut."""
    if len(name.encode()) <= _LONGEST_NAME_BYTES:
        return name
    return sha256(name.encode()).hexdigest()[:32]


_WORDS: dict[Dialect, _Dialect] = {
    "sqlite": _Dialect(
        one="snapshots(lead_id, as_of) AS (VALUES (?, ?))",
        many="snapshots(lead_id, as_of) AS "
        "(SELECT CAST(value ->> 0 AS TEXT), CAST(value ->> 1 AS INTEGER) FROM json_each(?))",
        text="CAST(attributes ->> '{name}' AS TEXT)",
        number="CAST(attributes ->> '{name}' AS REAL)",
        named=str,
    ),
    "postgres": _Dialect(
        one="snapshots(lead_id, as_of) AS NOT MATERIALIZED (VALUES (%s::text, %s::bigint))",
        many="snapshots(lead_id, as_of) AS MATERIALIZED "
        "(SELECT value ->> 0, (value ->> 1)::bigint FROM jsonb_array_elements(%s::jsonb))",
        text="attributes::jsonb ->> '{name}'",
        number="CASE jsonb_typeof(attributes::jsonb -> '{name}') "
        "WHEN 'number' THEN (attributes::jsonb -> '{name}')::double precision "
        "WHEN 'boolean' THEN (attributes::jsonb -> '{name}')::boolean::integer::double precision END",
        named=_short,
    ),
}


def compile_live(catalog: Catalog, dialect: Dialect = "sqlite") -> LiveQuery:
    """
    Compile a catalog for live use.

    PostgreSQL needs ten times longer to plan such a statement than to run it. Have psycopg prepare it
    (``execute(…, prepare=True)``) on a connection that stays open, after ``SET plan_cache_mode =
    force_generic_plan`` and ``SET jit = off``: it is then planned once per connection.

    Args:
        catalog: what to compute.
        dialect: whose SQL; PostgreSQL's has ``%s`` where values go, and other percent signs doubled, as psycopg wants.

    >>> from features.feature import Feature
    >>> from features.reducers import Count
    >>> query = compile_live(Catalog((Feature("calls", Count("call"), 0, "called {n}"),)))
    >>> query.names, query.one.startswith("WITH snapshots(lead_id, as_of) AS (VALUES (?, ?))")
    (('calls',), True)
    """
    words = _WORDS[dialect]
    body = _body(catalog, dialect)
    # Materialized, so that each lead is looked up once and not once for each of its features.
    known = [f"versions AS MATERIALIZED ({_versions(catalog, words)})", f"peers AS MATERIALIZED ({_PEERS})"]
    if dialect == "postgres":
        body, known = body.replace("%", "%%"), [table.replace("%", "%%") for table in known]
    # One snapshot is one group: without GROUP BY, SQLite need not sort. PostgreSQL insists on it.
    of_one = _ungrouped(body) if dialect == "sqlite" else body
    return LiveQuery(_with([words.one, *known], of_one), _with([words.many, *known], body), tuple(catalog.names))


def _body(catalog: Catalog, dialect: Dialect) -> str:
    """Return the expression of a catalog as SQL of the database."""
    snapshots, versions, peers, activities = _tables(catalog)
    described = describe_known(snapshots, activities, catalog, versions=versions, peers=peers)
    statement = str(ibis.to_sql(described, dialect=dialect, pretty=False))
    tree = sqlglot.parse_one(statement, read=dialect).transform(_filtered)
    if dialect == "postgres":
        tree = tree.transform(_for_postgres).transform(_named_shortly)  # a pass does not visit what it replaced
    return tree.sql(dialect)


def _ungrouped(body: str) -> str:
    """Drop GROUP BY when there is one snapshot; SQLite accepts aggregates beside plain columns."""
    tree = sqlglot.parse_one(body, read="sqlite")
    for select in tree.find_all(exp.Select):
        select.set("group", None)
    return tree.sql("sqlite")


def _filtered(node: exp.Expression) -> exp.Expression:
    """Write ``count(CASE WHEN x THEN y END)`` as ``count(y) FILTER (WHERE x)``, which SQLite skips at once."""
    chosen = node.this if isinstance(node, exp.Count | exp.Sum | exp.Avg | exp.Max | exp.Min) else None
    distinct = isinstance(chosen, exp.Distinct)
    choice = _choice(chosen.expressions[0] if isinstance(chosen, exp.Distinct) else chosen)
    if choice is None:
        return node
    condition, value = choice
    aggregate = type(node)(this=exp.Distinct(expressions=[value]) if distinct else value)
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition))


def _choice(case: exp.Expression | None) -> tuple[exp.Expression, exp.Expression] | None:
    """Return condition and value of a choice between a value and null, in either database's form."""
    otherwise = case.args.get("default") if isinstance(case, exp.Case) else None
    if isinstance(case, exp.Case) and case.this is None and len(case.args["ifs"]) == 1:
        case = case.args["ifs"][0]
    elif isinstance(case, exp.If):
        otherwise = case.args.get("false")
    if not isinstance(case, exp.If) or not _is_null(otherwise):
        return None
    return case.this, case.args["true"]


def _is_null(value: exp.Expression | None) -> bool:
    return value is None or isinstance(value.this if isinstance(value, exp.Cast) else value, exp.Null)


def _for_postgres(node: exp.Expression) -> exp.Expression:
    """Rewrite for PostgreSQL what it would reject or compute differently from the other engines."""
    match node:
        case exp.Exp(this=exponent):
            smallest = exp.Literal.number(_SMALLEST_EXPONENT)
            return exp.Exp(this=exp.Greatest(this=exponent, expressions=[smallest]))
        case exp.Round(this=exp.Cast(this=value)):
            return _rounded(value, 10.0 ** int(node.args["decimals"].name))
    return node


def _rounded(value: exp.Expression, steps: float) -> exp.Expression:
    """
    Round half away from zero without leaving floats, as DuckDB does.

    PostgreSQL rounds to decimals in ``numeric`` only, to which a float comes with 15 digits.
    """
    number = exp.Literal.number(steps)
    scaled = exp.Paren(this=exp.Mul(this=value, expression=number))
    whole = exp.Anonymous(this="TRUNC", expressions=[scaled])
    twice = exp.Mul(this=exp.Literal.number(2.0), expression=exp.Paren(this=exp.Sub(this=scaled, expression=whole)))
    nearest = exp.Add(this=whole.copy(), expression=exp.Anonymous(this="TRUNC", expressions=[twice]))
    return exp.Div(this=exp.Paren(this=nearest), expression=number.copy(), typed=True)


def _named_shortly(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Identifier):
        return exp.Identifier(this=_short(node.name), quoted=node.quoted)
    return node


def _with(tables: Sequence[str], body: str) -> str:
    """Prepend common table expressions to a statement, which may have some of its own."""
    own = body.lstrip()
    head = ", ".join(tables)
    return f"WITH {head}, {own[5:]}" if own[:5].upper() == "WITH " else f"WITH {head} {own}"


def _tables(catalog: Catalog) -> tuple[ibis.Table, ibis.Table, ibis.Table, ibis.Table]:
    attributes = {
        f"attribute_{name}": "string" if kind is AttributeType.CATEGORY else "float64"
        for name, kind in _types(catalog).items()
    }
    keys = {"lead_id": "string", "as_of": "int64"}
    of_lead = {**keys, "account_id": "string", "created_at": "int64"}
    activity = {"lead_id": "string", "kind": "string", "subject": "string", "value": "float64"}
    return (
        ibis.table(keys, name="snapshots"),
        ibis.table(Schema.from_tuples([*of_lead.items(), *attributes.items()]), name="versions"),
        ibis.table({**keys, "peer_id": "string"}, name="peers"),
        ibis.table({**activity, "occurred_at": "int64", "known_at": "int64"}, name="activities"),
    )


def _types(catalog: Catalog) -> dict[str, AttributeType]:
    reducers = [feature.reduce for feature in catalog.features if isinstance(feature.reduce, AttributeValue)]
    return {reduce.name: reduce.type for reduce in reducers}


def _versions(catalog: Catalog, words: _Dialect) -> str:
    """Look up the newest known version of each lead; nulls if there was none."""
    columns = ["s.lead_id", "s.as_of", "v.account_id", "v.created_at"]
    for name, kind in _types(catalog).items():
        expression = words.text if kind is AttributeType.CATEGORY else words.number
        key = name.replace("'", "''")
        columns.append(f"{expression.format(name=key)} AS {quoted(words.named(f'attribute_{name}'))}")
    newest = _NEWEST.format(lead="s.lead_id", as_of="s.as_of")
    condition = f"v.lead_id = s.lead_id AND v.known_at = ({newest})"
    # Names are quoted, and nothing comes from a caller.
    return f"SELECT {', '.join(columns)} FROM snapshots AS s LEFT JOIN lead_versions AS v ON {condition}"  # noqa: S608
