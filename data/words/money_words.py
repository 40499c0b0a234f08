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
