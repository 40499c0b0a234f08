# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""How files join: the share of one column's ids that another column holds."""

from dataclasses import dataclass, field

from data.drafting.file_samples import FileSample, SampleTools
from data.sql import literal, quoted
from data.words.writing import IdRule

_PROBED = 300
_WORTH_A_RULE = 0.01
_SALESFORCE = 15


def compared(rule: IdRule, cell: str) -> str:
    """
    Return the SQL of what two ids have in common by a rule.

    >>> compared("salesforce", "v"), compared("exact", "v")
    ('left(v, 15)', 'v')
    """
    return {"casefold": f"lower({cell})", "salesforce": f"left({cell}, {_SALESFORCE})"}.get(rule, cell)


@dataclass(frozen=True, slots=True)
class IdColumn:
    """The distinct ids of one column, in a table of their own."""

    file: str
    column: str
    table: str
    distinct: int
    rows: int


@dataclass(frozen=True, slots=True)
class KeyJoin:
    """How many of one column's distinct ids another column holds, by a rule of comparing them."""

    ids: IdColumn
    keys: IdColumn
    met: int
    rule: IdRule = "exact"

    @property
    def share(self) -> float:
        """The share of ids that meet a key."""
        return self.met / self.ids.distinct if self.ids.distinct else 0.0

    @property
    def says(self) -> str:
        """The join in words, both columns named."""
        rule = "" if self.rule == "exact" else f", compared by the rule {self.rule}"
        ids = f"{self.share:.0%} of {self.ids.distinct:,} {self.ids.column}"
        return f"{ids} meet a {self.keys.column} of {self.keys.file}{rule}"


@dataclass(slots=True)
class IdColumns:
    """The id columns looked at so far; each is read once."""

    tools: SampleTools
    _known: dict[tuple[str, str], IdColumn] = field(default_factory=dict)
    _joins: dict[tuple[str, str], KeyJoin] = field(default_factory=dict)

    def of(self, sample: FileSample, column: str) -> IdColumn:
        """Return the distinct ids of a column."""
        place = (sample.table, column)
        if place not in self._known:
            table = f"ids_{len(self._known)}"
            chosen = f"SELECT DISTINCT {quoted(column)} AS v FROM {sample.table} WHERE {quoted(column)} IS NOT NULL"
            self.tools.connection.execute(f"CREATE TABLE {table} AS {chosen}")
            distinct = self.tools.values(f"SELECT count(*) FROM {table}")[0][0]
            self._known[place] = IdColumn(sample.shown, column, table, distinct, sample.rows)
        return self._known[place]

    def join(self, ids: IdColumn, keys: IdColumn) -> KeyJoin:
        """Return how two columns join, by the exact rule unless another makes clearly more of them meet."""
        place = (ids.table, keys.table)
        if place not in self._joins:
            self._joins[place] = self._joined(ids, keys) if self._may_meet(ids, keys) else KeyJoin(ids, keys, 0)
        return self._joins[place]

    def prefixes(self, ids: IdColumn) -> str:
        """Return the most frequent beginning of a column's ids."""
        found = self.tools.values(f"SELECT mode(left(v, 3)) FROM {ids.table}")
        return str(found[0][0])

    def _may_meet(self, ids: IdColumn, keys: IdColumn) -> bool:
        """Probe some ids, by the most lenient rule, before all are joined."""
        alike = f"left(lower(v), {_SALESFORCE})"
        probe = f"SELECT v FROM {ids.table} ORDER BY hash(v) LIMIT {_PROBED}"
        met = f"SELECT 1 FROM ({probe}) WHERE {alike} IN (SELECT {alike} FROM {keys.table}) LIMIT 1"
        return bool(self.tools.values(met))

    def _joined(self, ids: IdColumn, keys: IdColumn) -> KeyJoin:
        best = KeyJoin(ids, keys, self._met(ids, keys, "exact"))
        if best.share == 1 or not self._are_salesforce(ids):
            rules: tuple[IdRule, ...] = () if best.share == 1 else ("casefold",)
        else:
            rules = ("salesforce",)  # their case tells ids apart
        for rule in rules:
            other = KeyJoin(ids, keys, self._met(ids, keys, rule), rule)
            if other.share > best.share + _WORTH_A_RULE:
                best = other
        return best

    def _met(self, ids: IdColumn, keys: IdColumn, rule: IdRule) -> int:
        same = compared(rule, "v")
        met = f"SELECT count(*) FROM {ids.table} WHERE {same} IN (SELECT {same} FROM {keys.table})"
        return int(self.tools.values(met)[0][0])

    def _are_salesforce(self, ids: IdColumn) -> bool:
        pattern = literal("[0-9A-Za-z]{15}([A-Z0-5]{3})?")
        found = self.tools.values(f"SELECT bool_and(regexp_full_match(v, {pattern})) FROM {ids.table}")
        return bool(found[0][0])
