"""Money: the currency of a playbook, and what one unit of another currency is worth in it, as of a day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from data.words.writing import PlaybookPart


def _as_list(rate: object) -> object:
    """
    Return rates as a list; a bare number holds for all time.

    >>> _as_list(1.04), _as_list([{"from": "2024-01-01", "is": 0.91}])
    ([{'is': 1.04}], [{'from': '2024-01-01', 'is': 0.91}])
    """
    return [{"is": rate}] if isinstance(rate, int | float) and not isinstance(rate, bool) else rate


Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""A code of ISO 4217, such as EUR."""


class CurrencyRate(PlaybookPart):
    """What one unit of a currency is worth in the playbook's, from a day on; without one, for all time."""

    day: date | None = Field(default=None, alias="from")
    worth: float = Field(alias="is", gt=0)


Rates = Annotated[tuple[CurrencyRate, ...], BeforeValidator(_as_list), Field(min_length=1)]
RateTable = Mapping[str, Sequence[CurrencyRate]]


def rate_sql(currency: str, day: str, *, own: str, rates: RateTable) -> str:
    """
    Return the SQL of what one unit of a currency is worth in the playbook's on a day; NULL where no rate says so.

    Args:
        currency: the SQL of the currency's code.
        day: the SQL of the day.
        own: the playbook's currency, of which one is worth 1.
        rates: the playbook's.

    >>> rate_sql("c", "d", own="EUR", rates={"CHF": [CurrencyRate(worth=1.04)]})
    "CASE WHEN c = 'EUR' THEN 1.0 WHEN c = 'CHF' THEN 1.04 END"
    """
    cases = [f"WHEN {currency} = '{own}' THEN 1.0"]
    for code, known in rates.items():
        for rate in sorted(known, key=lambda each: each.day or date.min, reverse=True):
            since = "" if rate.day is None else f" AND {day} >= DATE '{rate.day.isoformat()}'"
            cases.append(f"WHEN {currency} = '{code}'{since} THEN {rate.worth!r}")
    return f"CASE {' '.join(cases)} END"
