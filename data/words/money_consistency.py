"""The consistency of a playbook's words about money: each rate of use, each currency that of an amount."""

from collections.abc import Iterator

from data.contract import AttributeType
from data.words.business import Business
from data.words.located_yaml import Mistake, YamlFile, nearest
from data.words.source_columns import changed_attributes
from data.words.sources import ActivitySource, LeadSource, OutcomeSource, Source


def money_mistakes(business: Business, file: YamlFile) -> Iterator[Mistake]:
    """Yield the mistakes in what a playbook says about money, each with its line."""
    yield from _rate_mistakes(business, file)
    for name, kind in business.activities.items():
        if kind.money and kind.value is None:
            message = "only a value can be money; give the kind a value too, such as value: euros."
            yield file.mistake(("activities", name, "money"), message)
    for index, source in enumerate(business.sources):
        for where, message in _source_mistakes(business, source):
            yield file.mistake(("sources", index, *where), message)


def _rate_mistakes(business: Business, file: YamlFile) -> Iterator[Mistake]:
    if business.rates and business.currency is None:
        message = "rates say what currencies are worth in that of the playbook, which has none; add currency: EUR."
        yield file.mistake(("rates",), message)
    for code, rates in business.rates.items():
        if code == business.currency:
            message = "this is the playbook's own currency, of which one is worth 1; remove its rates."
            yield file.mistake(("rates", code), message)
        days = [rate.day for rate in rates]
        for index, day in enumerate(days):
            if day in days[:index]:
                message = "an earlier rate holds from the same day; keep one of the two."
                yield file.mistake(("rates", code, index), message)


def _source_mistakes(business: Business, source: Source) -> Iterator[tuple[tuple[str, ...], str]]:
    match source:
        case LeadSource():
            yield from _attribute_mistakes(business, source)
            amount = source.outcome.amount if source.outcome is not None else None
            if source.outcome is not None and source.outcome.currency is not None and amount is None:
                yield ("outcome", "currency"), _useless("outcome.amount")
            if source.currency is not None and amount is None and not source.money:
                yield ("currency",), _useless("outcome.amount, or money")
        case OutcomeSource() if source.columns.amount is None:
            yield from _useless_words(source, "columns.amount")
        case ActivitySource() if source.columns.value is None:
            yield from _useless_words(source, "columns.value")
        case ActivitySource() if not any(_is_money(business, kind) for kind in _kinds(business, source)):
            yield from _useless_words(source, "a kind with money: true")
        case _:
            return


def _attribute_mistakes(business: Business, source: LeadSource) -> Iterator[tuple[tuple[str, ...], str]]:
    mapped = source.attributes if source.attributes is not None else business.attributes
    for name in source.money:
        attribute = business.attributes.get(name)
        if attribute is None or name not in mapped:
            yield ("money", name), f"the source maps no attribute {name}; {nearest(name, mapped)}"
        elif attribute.type is not AttributeType.NUMERIC:
            yield ("money", name), f"money is a number, and {name} is a {attribute.type.value}; remove it here."
        elif name in changed_attributes(business):
            yield (
                ("money", name),
                f"a history of {name} says no currency: leave money or the history out.",
            )


def _useless_words(source: ActivitySource | OutcomeSource, lacking: str) -> Iterator[tuple[tuple[str, ...], str]]:
    if source.columns.currency is not None:
        yield ("columns", "currency"), _useless(lacking)
    if source.currency is not None:
        yield ("currency",), _useless(lacking)


def _useless(lacking: str) -> str:
    return f"the source has no amounts that it could be the currency of; add {lacking}, or remove it."


def _kinds(business: Business, source: ActivitySource) -> list[str]:
    """Return the kinds that the rows of a source may be of."""
    if source.kind is not None:
        return [source.kind]
    return list(business.activities if source.kinds is None else source.kinds.values())


def _is_money(business: Business, kind: str) -> bool:
    return kind in business.activities and business.activities[kind].money
