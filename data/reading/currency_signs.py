"""The currency signs around the numbers of a column: each is a currency, and a column has one."""

from collections.abc import Mapping

from data.words.business import Business
from data.words.sources import ActivitySource, FileSource, LeadSource, OutcomeSource

Examples = Mapping[str, tuple[int, str]]
"""Sign → the first row with it and its cell."""

_DOLLARS = "USD AUD BBD BMD BND BSD BZD CAD CLP COP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD XCD"
_CODES = {
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP", "EGP", "FKP", "GIP", "SHP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"DKK", "ISK", "NOK", "SEK"}),
    "$": frozenset(_DOLLARS.split()),
}
_SIGN_OF = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_CODE_LENGTH = 3


def contradiction_of_signs(signs: Examples, *, stated: str | None) -> str | None:
    """
    Return why the numbers of a column cannot be summed as they are, as the rest of a sentence.

    Args:
        signs: those of the column.
        stated: the currency that the playbook says the column has, if it says one.

    >>> contradiction_of_signs({"€": (2, "€ 5")}, stated="USD").partition(":")[0]
    'holds € 5 (row 2), and the playbook says that the amounts are in USD'
    >>> contradiction_of_signs({"€": (2, "€ 5"), "EUR": (3, "5 EUR")}, stated="EUR")
    """
    currencies: dict[str, tuple[int, str]] = {}
    for sign, example in sorted(signs.items(), key=lambda each: each[1]):
        currencies.setdefault(_one_sign(sign), example)
    if len(currencies) > 1:
        examples = " and ".join(f"{cell} (row {row})" for row, cell in currencies.values())
        return (
            f"holds {examples}, and sums of several currencies mean nothing: map a column in one currency, or name the"
            " column with the currency of each amount in its source in playbook.yaml (currency; for attributes: money)."
        )
    for sign, (row, cell) in currencies.items():
        if stated is not None and (codes := codes_of(sign)) and stated not in codes:
            return (
                f"holds {cell} (row {row}), and the playbook says that the amounts are in {stated}: say the currency of"
                " its source in playbook.yaml, such as currency: USD."
            )
    return None


def codes_of(sign: str) -> frozenset[str]:
    """
    Return the currencies that a sign may stand for; none where that is not known.

    >>> sorted(codes_of("kr.")), sorted(codes_of("CHF")), sorted(codes_of("Fr."))
    (['DKK', 'ISK', 'NOK', 'SEK'], ['CHF'], [])
    """
    known = _CODES.get(sign.rstrip("."), frozenset())
    is_code = len(sign) == _CODE_LENGTH and sign.isascii() and sign.isupper()
    return frozenset({sign}) if is_code else known


def stated_currencies(source: FileSource, business: Business) -> dict[str, str | None]:
    """Return the columns of a source that hold amounts alone, each with the currency that the playbook says."""
    match source:
        case OutcomeSource():
            amount = source.columns.amount
        case LeadSource():
            amount = source.outcome.amount if source.outcome is not None else None
        case ActivitySource() if source.kind is not None and business.activities[source.kind].money:
            amount = source.columns.value
        case _:
            return {}
    return {} if amount is None else {amount: source.currency or business.currency}


def _one_sign(sign: str) -> str:
    return _SIGN_OF.get(sign, sign.rstrip("."))
