# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Amounts of several currencies into the playbook's, by its rates as of the day of each; or why they have no sum."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data.importing.intake import StagedRows
from data.importing.quality import MoneyReport
from data.importing.staging import STAGED
from data.reading.currency_cells import money_columns, rate_sql
from data.sql import literal, quoted
from data.words.business import Business

_DAY_OF = {"leads": "known_at", "activities": "occurred_at", "outcomes": "reached_at"}


@dataclass(frozen=True, slots=True)
class _CurrencyCount:
    """How many amounts of a source are in a currency; how many of them have no rate, and from when to when."""

    source: str
    currency: str
    count: int
    without_rate: int
    first_day: str | None
    last_day: str | None


def convert_money(staged: StagedRows, business: Business) -> MoneyReport:
    """
    Convert the amounts that are in another currency than the playbook's, or report why that cannot be done.

    Args:
        staged: the staged rows, checked together; only valid ones count.
        business: the playbook, with its currency and its rates.
    """
    places = [(table, column) for table in STAGED for column in money_columns(table, business)]
    counts = [count for table, column in places for count in _counts(staged, business, table=table, column=column)]
    complaint = _complaint(counts, business)
    total: Counter[str] = Counter()
    for each in counts:
        total[each.currency] += each.count
    if business.currency is None:
        return MoneyReport(currency=None if len(total) != 1 else next(iter(total)), complaint=complaint)
    if complaint is None:
        for table, column in places:
            _convert(staged, business, table=table, column=column)
    converted = {currency: count for currency, count in total.most_common() if currency != business.currency}
    return MoneyReport(currency=business.currency, amounts=total.total(), converted=converted, complaint=complaint)


def _rate(business: Business, table: str, column: str) -> str:
    """Return the SQL of what one unit of an amount's currency is worth on its day."""
    if business.currency is None:
        return "NULL::DOUBLE"
    day = _day(table)
    return rate_sql(quoted(f"_currency_{column}"), day, own=business.currency, rates=business.rates)


def _day(table: str) -> str:
    return f"zone_clock({_DAY_OF[table]})::DATE"


def _counts(staged: StagedRows, business: Business, *, table: str, column: str) -> list[_CurrencyCount]:
    currency = quoted(f"_currency_{column}")
    rated = (
        f"SELECT _part, {currency} AS currency, {_day(table)} AS day, {_rate(business, table, column)} AS rate"
        f" FROM {table} WHERE _faults = '' AND {quoted(column)} IS NOT NULL AND {currency} IS NOT NULL"
    )
    without = "FILTER (rate IS NULL)"
    edges = f"min(day) {without}::VARCHAR, max(day) {without}::VARCHAR"
    asked = f"SELECT _part, currency, count(*), count(*) {without}, {edges} FROM ({rated}) GROUP BY 1, 2"
    rows = staged.connection.execute(f"{asked} ORDER BY 1, 3 DESC, 2").fetchall()
    sources = {part.number: part.source for part in staged.parts}
    return [_CurrencyCount(sources[part], *counted) for part, *counted in rows]


def _convert(staged: StagedRows, business: Business, *, table: str, column: str) -> None:
    foreign = f"{quoted(f'_currency_{column}')} <> {literal(business.currency)}"
    converted = f"{quoted(column)} * {_rate(business, table, column)}"
    staged.connection.execute(f"UPDATE {table} SET {quoted(column)} = {converted} WHERE _faults = '' AND {foreign}")


def _complaint(counts: Sequence[_CurrencyCount], business: Business) -> str | None:
    """Return why the amounts cannot be summed and what to write, as one sentence."""
    if business.currency is None:
        return _without_currency(counts)
    lacking = [each for each in counts if each.without_rate]
    if not lacking:
        return None
    guilty = {each.source for each in lacking}
    told = [
        f"{each.source} has {each.without_rate:,} in {each.currency} from {each.first_day} to {each.last_day}"
        for each in lacking
    ]
    first: dict[str, str] = {}
    for day, code in sorted((str(each.first_day), each.currency) for each in lacking):
        first.setdefault(code, day)
    wanted = ", ".join(f"{code}: [{{from: {day}, is: …}}]" for code, day in sorted(first.items()))
    described = _described([each for each in counts if each.source in guilty])
    return (
        f"{described}, and no rate says what some of them are worth in {business.currency} ({'; '.join(told)}):"
        f" write rates: {{{wanted}}} in playbook.yaml."
    )


def _without_currency(counts: Sequence[_CurrencyCount]) -> str | None:
    """Return why amounts of several currencies cannot be summed where the playbook does not say in which one."""
    total: Counter[str] = Counter()
    for each in counts:
        total[each.currency] += each.count
    if len(total) < 2:  # noqa: PLR2004 - one currency is no question
        return None
    (most, _), *others = total.most_common()
    wanted = ", ".join(f"{code}: …" for code, _ in sorted(others))
    return (
        f"{_described(counts)}, and sums of several currencies mean nothing: write currency: {most} and"
        f" rates: {{{wanted}}} in playbook.yaml, each the worth of one unit in {most}."
    )


def _described(counts: Sequence[_CurrencyCount]) -> str:
    """
    Return the currencies of each source with their counts.

    >>> _described([_CurrencyCount("deals.csv", code, 2, 0, None, None) for code in ("EUR", "USD")])
    'deals.csv holds amounts in EUR (2) and USD (2)'
    """
    by_source: dict[str, Counter[str]] = {}
    for each in counts:
        by_source.setdefault(each.source, Counter())[each.currency] += each.count
    return "; ".join(f"{source} holds amounts in {_listed(counted)}" for source, counted in by_source.items())


def _listed(counted: Counter[str]) -> str:
    *most, last = [f"{currency} ({count:,})" for currency, count in counted.most_common()]
    return f"{', '.join(most)} and {last}" if most else last
