# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Small pieces of SQL text: names, values, translations, one SELECT."""

from collections.abc import Iterable, Mapping


def quoted(name: str) -> str:
    """
    Write a column's name so that no character in it means anything.

    >>> quoted('the "net" price')
    '"the ""net"" price"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | None) -> str:
    """
    Write a value as SQL.

    >>> literal("it's"), literal(3), literal(None)
    ("'it''s'", '3', 'NULL')
    """
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def listed(values: Iterable[str]) -> str:
    """
    Write values as the right side of ``IN``; of no values, one that matches nothing.

    >>> listed(["a", "b"]), listed([])
    ("('a', 'b')", '(NULL)')
    """
    return "(" + (", ".join(literal(value) for value in values) or "NULL") + ")"


def in_words(value: str, words: Mapping[str, str]) -> str:
    """
    Translate words; a word that is not listed becomes NULL.

    >>> in_words("kind", {"view": "page_view"})
    "CASE kind WHEN 'view' THEN 'page_view' END"
    """
    if not words:
        return "NULL::VARCHAR"
    cases = " ".join(f"WHEN {literal(word)} THEN {literal(meant)}" for word, meant in words.items())
    return f"CASE {value} {cases} END"


def select(columns: Mapping[str, str], origin: str, *, where: str = "") -> str:
    """
    Select columns, each an expression under its name, from a table or a SELECT in brackets.

    >>> select({"id": "x + 1"}, "t", where="x > 0")
    'SELECT x + 1 AS "id" FROM t WHERE x > 0'
    """
    chosen = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in columns.items())
    return f"SELECT {chosen} FROM {origin}" + (f" WHERE {where}" if where else "")


def faults_of(checks: Iterable[tuple[str, str]]) -> str:
    """
    Return an expression that names every failed check, separated by blanks; '' if none failed.

    >>> faults_of([("id IS NULL", "missing:id")])
    "concat_ws(' ', CASE WHEN id IS NULL THEN 'missing:id' END)"
    """
    cases = ", ".join(f"CASE WHEN {condition} THEN {literal(code)} END" for condition, code in checks)
    return f"concat_ws(' ', {cases})"
