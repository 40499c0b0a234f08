"""The currency of an amount, read from its row or said by its source, its tests and its worth, as SQL."""

from datetime import date

from data.reading.cells import Cells
from data.sql import literal
from data.words.business import Business
from data.words.money_words import RateTable
from data.words.sources import ActivitySource, FileSource, LeadSource, OutcomeSource

_CODE = "'[A-Z]{3}'"


def currency_read(cells: Cells, column: str | None, fixed: str | None) -> dict[str, str]:
    """
    Return the SQL of a row's currency, and of whether the row must say one.

    Args:
        cells: the readers of the file.
        column: holds the currency's code, in letters of any case.
        fixed: the source's own currency, where a cell is empty or there is no column.
    """
    said = "NULL::VARCHAR" if column is None else f"upper({cells.filled(column)})"
    currency = said if fixed is None else f"coalesce({said}, {literal(fixed)})"
    return {"currency": currency, "has_currency": "FALSE" if column is None else "TRUE"}


def currency_checks(amount: str, *, where: str = "TRUE") -> list[tuple[str, str]]:
    """
    Return the checks of the currency of an amount: whether it is said, and with three letters.

    >>> [code for _, code in currency_checks("raw_amount")]
    ['missing:currency', 'unknown_currency:currency']
    """
    given = f"{amount} IS NOT NULL AND {where}"
    return [
        (f"{given} AND has_currency AND currency IS NULL", "missing:currency"),
        (f"{given} AND NOT regexp_full_match(currency, {_CODE})", "unknown_currency:currency"),
    ]


def attribute_currencies(cells: Cells, source: LeadSource) -> dict[str, str]:
    """Return the SQL of the currency of each attribute that is an amount of money, by the attribute."""
    return {
        attribute: currency_read(cells, column, source.currency)["currency"]
        for attribute, column in source.money.items()
    }


def with_currency(number: str, currency: str) -> str:
    """Return the SQL of an amount that is unknown where its currency is."""
    return f"CASE WHEN regexp_full_match({currency}, {_CODE}) THEN {number} END"


def beside_currency(text: str, currency: str) -> str:
    """Return the SQL of an amount as it is shown: with its currency, or the lack of one."""
    return f"{text} || ' (' || coalesce({currency}, 'no currency') || ')'"


def currency_columns(table: str, business: Business) -> dict[str, str]:
    """Return the columns that hold the currencies of a staged table's amounts, and their types."""
    return {f"_currency_{name}": "VARCHAR" for name in money_columns(table, business)}


def money_columns(table: str, business: Business) -> list[str]:
    """Return the columns of a table of the contract that may hold amounts of money."""
    leads = [source for source in business.sources if isinstance(source, LeadSource)]
    attributes = list(dict.fromkeys(name for source in leads for name in source.money))
    return {"leads": attributes, "activities": ["value"], "outcomes": ["amount"]}.get(table, [])


def amounts_with_currency(source: FileSource) -> set[str]:
    """Return the columns of an export whose amounts have their currency in another column."""
    match source:
        case ActivitySource():
            pairs = [(source.columns.value, source.columns.currency)]
        case OutcomeSource():
            pairs = [(source.columns.amount, source.columns.currency)]
        case LeadSource():
            attributes = source.attributes or {}
            pairs = [(attributes.get(name, name), column) for name, column in source.money.items()]
            pairs += [] if source.outcome is None else [(source.outcome.amount, source.outcome.currency)]
        case _:
            pairs = []
    return {amount for amount, currency in pairs if amount is not None and currency is not None}


def rate_sql(currency: str, day: str, *, own: str, rates: RateTable) -> str:
    """
    Return the SQL of what one unit of a currency is worth in the playbook's on a day; NULL where no rate says so.

    Args:
        currency: the SQL of the currency's code.
        day: the SQL of the day.
        own: the playbook's currency, of which one is worth 1.
        rates: the playbook's.

    >>> from data.words.money_words import CurrencyRate
    >>> rate_sql("c", "d", own="EUR", rates={"CHF": [CurrencyRate(worth=1.04)]})
    "CASE WHEN c = 'EUR' THEN 1.0 WHEN c = 'CHF' THEN 1.04 END"
    """
    cases = [f"WHEN {currency} = '{own}' THEN 1.0"]
    for code, known in rates.items():
        for rate in sorted(known, key=lambda each: each.day or date.min, reverse=True):
            since = "" if rate.day is None else f" AND {day} >= DATE '{rate.day.isoformat()}'"
            cases.append(f"WHEN {currency} = '{code}'{since} THEN {rate.worth!r}")
    return f"CASE {' '.join(cases)} END"
