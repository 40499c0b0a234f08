"""Amounts are summed in one currency: as they are, by rates as of their day, or not at all."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.commands import check
from data.errors import IntakeError, PlaybookError, QualityError
from data.home import Home
from data.instants import from_us
from data.workspace import Workspace
from tests.data.company import LEADS, NOW_US, TWO_LEADS, company, imported, rejected, rows
from tests.data.screens import shown

COLUMNS = {"outcome_id": "id", "amount": "amount", "currency": "currency"}
DEALS = {"file": "deals.csv", "holds": "outcomes", "columns": COLUMNS}
RATES = {"USD": [{"from": "2024-01-01", "is": 0.9}, {"from": "2026-03-01", "is": 0.8}], "CHF": 1.25}
EUROS = {"currency": "EUR", "rates": RATES}


def deals(*cells):
    """A file of deals of ann: amount, currency and day of each."""
    lines = [f"o{number},ann,won,{day},{amount},{currency}" for number, (amount, currency, day) in enumerate(cells)]
    return "\n".join(["id,lead_id,stage,reached_at,amount,currency", *lines, ""])


def sold(folder, *cells, source=DEALS, **says):
    return imported(company(folder, {"leads.csv": TWO_LEADS, "deals.csv": deals(*cells)}, [LEADS, source], **says))


def amounts(warehouse):
    return [amount for (amount,) in rows(warehouse, "outcomes", "amount")]


def test_amounts_become_the_playbooks_currency_by_the_rate_of_their_day(tmp_path):
    cells = [(10, "EUR", "2026-02-01"), (10, "USD", "2026-02-28"), (10, "USD", "2026-03-01"), (10, "CHF", "2026-04-01")]
    warehouse = sold(tmp_path, *cells, **EUROS)
    assert amounts(warehouse) == [10, 9, 8, 12.5]
    money = warehouse.quality.money
    assert (money.currency, money.amounts, money.converted) == ("EUR", 4, {"USD": 2, "CHF": 1})


def test_the_day_is_that_of_the_playbooks_zone(tmp_path):
    """Half past eleven in the evening in Greenwich is the next day in Berlin."""
    late = (10, "USD", "2026-02-28T23:30:00Z")
    assert amounts(sold(tmp_path / "utc", late, **EUROS)) == [9]
    assert amounts(sold(tmp_path / "berlin", late, **EUROS, timezone="Europe/Berlin")) == [8]


def test_a_source_may_have_one_currency(tmp_path):
    source = {**DEALS, "columns": {**COLUMNS, "currency": None}, "currency": "USD"}
    assert amounts(sold(tmp_path, (10, "", "2026-04-01"), source=source, **EUROS)) == [8]


def test_a_sources_currency_fills_empty_cells(tmp_path):
    cells = [(10, "", "2026-04-01"), (10, "chf", "2026-04-02"), (10, "-", "2026-04-03")]
    assert amounts(sold(tmp_path, *cells, source={**DEALS, "currency": "USD"}, **EUROS)) == [8, 12.5, 8]


def test_an_amount_without_a_currency_is_a_fault_and_so_is_an_unknown_code(tmp_path):
    cells = [(10, "", "2026-04-01"), (10, "euro", "2026-04-02"), ("", "", "2026-04-03"), (10, "EUR", "2026-04-04")]
    warehouse = sold(tmp_path, *cells)
    assert amounts(warehouse) == [None, 10]
    assert [list(rules) for rules in rejected(warehouse)["rules"]] == [
        ["missing:currency"],
        ["unknown_currency:currency"],
    ]
    assert {violation.says for violation in warehouse.quality.violations} == {
        "currency is empty",
        "currency is not a code of three letters, such as EUR",
    }


def test_one_currency_needs_no_words_and_is_named(tmp_path):
    warehouse = sold(tmp_path, (10, "USD", "2026-04-01"), (7, "USD", "2026-04-02"))
    assert (amounts(warehouse), warehouse.quality.money.currency) == ([10, 7], "USD")


def test_several_currencies_without_that_of_the_playbook_are_refused(tmp_path):
    cells = [(10, "USD", "2026-04-01"), (7, "EUR", "2026-04-02"), (7, "EUR", "2026-04-03")]
    with pytest.raises(QualityError) as error:
        sold(tmp_path, *cells)
    assert str(error.value) == (
        "deals.csv holds amounts in EUR (2) and USD (1), and sums of several currencies mean nothing: write"
        " currency: EUR and rates: {USD: …} in playbook.yaml, each the worth of one unit in EUR."
    )


def test_two_sources_of_different_currencies_are_refused_too(tmp_path):
    old = {**DEALS, "file": "old.csv", "columns": {**COLUMNS, "currency": None}, "currency": "EUR"}
    files = {"leads.csv": TWO_LEADS, "deals.csv": deals((1, "USD", "2026-04-01"))}
    files["old.csv"] = deals((1, "", "2026-04-02")).replace("o0", "x0")
    with pytest.raises(
        QualityError, match=r"deals\.csv holds amounts in USD \(1\); old\.csv holds amounts in EUR \(1\)"
    ):
        imported(company(tmp_path, files, [LEADS, DEALS, old]))


def test_an_amount_without_a_rate_is_refused_with_what_to_write(tmp_path):
    days = ("2026-01-05", "2026-01-31", "2026-02-01")
    cells = [*((1, "USD", day) for day in days), (1, "SEK", "2026-01-09")]
    with pytest.raises(QualityError) as error:
        sold(tmp_path, *cells, currency="EUR", rates={"USD": [{"from": "2026-02-01", "is": 0.9}]})
    assert str(error.value) == (
        "deals.csv holds amounts in USD (3) and SEK (1), and no rate says what some of them are worth in EUR (deals.csv"
        " has 2 in USD from 2026-01-05 to 2026-01-31; deals.csv has 1 in SEK from 2026-01-09 to 2026-01-09): write"
        " rates: {SEK: [{from: 2026-01-09, is: …}], USD: [{from: 2026-01-05, is: …}]} in playbook.yaml."
    )


def test_rejected_rows_need_no_rate(tmp_path):
    text = deals((1, "EUR", "2026-04-01"), (1, "SEK", "2026-04-01")).replace("o1,ann", "o1,nobody")
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "deals.csv": text}, [LEADS, DEALS], **EUROS))
    assert amounts(warehouse) == [1]


def test_check_says_the_currency_and_how_many_were_converted(tmp_path):
    text = deals((1, "EUR", "2026-04-01"), (1, "USD", "2026-04-01"))
    good = company(tmp_path / "good", {"leads.csv": TWO_LEADS, "deals.csv": text}, [LEADS, DEALS], **EUROS)
    screen = shown(check(Workspace(good, Home(tmp_path / "home"))))
    assert "Amounts are in EUR; 1 of the 2 that say their currency were converted: 1 from USD." in screen
    bad = company(tmp_path / "bad", {"leads.csv": TWO_LEADS, "deals.csv": text}, [LEADS, DEALS])
    result = check(Workspace(bad, Home(tmp_path / "home")))
    assert not result.passed
    assert "sums of several currencies mean nothing" in shown(result)


VERSIONS = """lead_id,created_at,seen,revenue,iso,won_on,won,worth
ann,2026-01-01T08:00:00Z,2026-02-01T08:00:00Z,100,USD,,,
ann,2026-01-01T08:00:00Z,2026-03-05T08:00:00Z,100,USD,2026-03-05T08:00:00Z,yes,50
bob,2026-01-02T08:00:00Z,2026-02-01T08:00:00Z,100,,,,
cem,2026-01-02T08:00:00Z,2026-02-01T08:00:00Z,100,EUR,,,
"""


def of_leads(folder, **more):
    outcome = {"column": "won", "stages": {"yes": "won"}, "reached_at": "won_on", "amount": "worth", "currency": "iso"}
    source = {**LEADS, "columns": {"known_at": "seen"}, "attributes": {"revenue": "revenue"}, "outcome": outcome}
    attributes = {"revenue": {"type": "numeric", "says": "{value} of revenue"}}
    source |= {"money": {"revenue": "iso"}, **more}
    return imported(company(folder, {"leads.csv": VERSIONS}, [source], attributes=attributes, **EUROS))


def test_attributes_and_outcomes_of_leads_are_converted_as_of_their_day(tmp_path):
    """A version counts as of the day on which it became known."""
    warehouse = of_leads(tmp_path, currency="CHF")
    assert rows(warehouse, "leads", "lead_id", "revenue") == [("ann", 90), ("ann", 80), ("bob", 125), ("cem", 100)]
    assert amounts(warehouse) == [40]


def test_an_attribute_without_a_currency_is_unknown_and_the_lead_stays(tmp_path):
    warehouse = of_leads(tmp_path)
    assert rows(warehouse, "leads", "lead_id", "revenue")[2] == ("bob", None)
    (lost,) = warehouse.quality.lost
    assert (lost.attribute, lost.count, lost.examples[0].found) == ("revenue", 1, '"100 (no currency)"')
    assert lost.mend.startswith("write beside each amount its currency")


def test_values_of_activities_are_money_where_their_kind_says_so(tmp_path):
    kinds = {
        "view": {"did": "looked", "one": "view", "many": "views"},
        "call": {"did": "was called", "one": "call", "many": "calls", "value": "minutes"},
        "order": {"did": "ordered", "one": "order", "many": "orders", "value": "EUR", "money": True},
    }
    columns = {"activity_id": "id", "kind": "kind", "value": "value", "currency": "iso"}
    source = {"file": "web.csv", "holds": "activities", "columns": columns}
    web = "id,lead_id,kind,occurred_at,value,iso\n1,ann,call,2026-04-01,10,\n2,ann,order,2026-04-02,10,USD\n"
    web += "3,ann,order,2026-04-03,10,\n"
    files = {"leads.csv": TWO_LEADS, "web.csv": web}
    warehouse = imported(company(tmp_path, files, [LEADS, source], activities=kinds, **EUROS))
    assert rows(warehouse, "activities", "activity_id", "value") == [("1", 10), ("2", 8)]
    assert [violation.rule for violation in warehouse.quality.violations] == ["missing"]


def test_two_signs_in_one_column_are_refused_with_both_examples(tmp_path):
    unsaid = {**DEALS, "columns": {**COLUMNS, "currency": None}}
    cells = [("$10", "USD", "2026-04-01"), ("€7", "EUR", "2026-04-02")]
    for number, words in enumerate(({}, {"currency_signs": ["$", "€"]})):
        with pytest.raises(IntakeError, match=r"deals\.csv: amount holds \$10 \(row 2\) and €7 \(row 3\), and sums of"):
            sold(tmp_path / str(number), *cells, source={**unsaid, **words})
    assert amounts(sold(tmp_path / "said", *cells, **EUROS)) == [8, 7]


def test_a_sign_of_another_currency_than_is_said_is_refused(tmp_path):
    unsaid = {**DEALS, "columns": {**COLUMNS, "currency": None}}
    with pytest.raises(IntakeError, match=r"holds \$10 \(row 2\), and the playbook says that the amounts are in EUR"):
        sold(tmp_path / "no", ("$10", "", "2026-04-01"), source=unsaid, **EUROS)
    assert amounts(
        sold(tmp_path / "yes", ("$10", "", "2026-04-01"), source={**unsaid, "currency": "USD"}, **EUROS)
    ) == [8]


def test_other_rates_mean_other_tables(tmp_path):
    cell = (10, "CHF", "2026-04-01")
    assert amounts(sold(tmp_path, cell, **EUROS)) == [12.5]
    assert amounts(sold(tmp_path, cell, currency="EUR", rates={"CHF": 2})) == [20]


DAYS = st.dates(min_value=datetime(2026, 1, 2, tzinfo=UTC).date(), max_value=datetime(2026, 10, 1, tzinfo=UTC).date())
WORTHS = st.integers(1, 40).map(lambda n: n / 8)
TABLES = st.dictionaries(
    st.sampled_from(["USD", "CHF", "SEK"]),
    st.one_of(WORTHS, st.dictionaries(st.one_of(st.none(), DAYS), WORTHS, min_size=1, max_size=3)),
)
SALES = st.lists(
    st.tuples(
        st.integers(1, 1000).map(lambda n: n / 4),
        st.sampled_from(["EUR", "EUR", "USD", "CHF", "SEK"]),
        st.integers(0, 270 * 24).map(lambda hour: 1_767_344_400_000_000 + hour * 3_600_000_000),
    ),
    min_size=1,
    max_size=30,
)


def worth(currency, at_us, table, zone):
    """What one unit is worth on the day of an instant, by the definition; None where no rate says so."""
    if currency == "EUR" or currency not in table:
        return 1.0 if currency == "EUR" else None
    if isinstance(table[currency], float):
        return table[currency]
    day = from_us(at_us).astimezone(ZoneInfo(zone)).date()
    since = {first: value for first, value in table[currency].items() if first is None or first <= day}
    return since[max(since, key=lambda first: (first is not None, first or day))] if since else None


def as_yaml(known):
    if isinstance(known, float):
        return known
    return [{"is": value, **({} if first is None else {"from": first.isoformat()})} for first, value in known.items()]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sales=SALES, table=TABLES, zone=st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo"]))
def test_amounts_are_worth_what_the_definition_says_or_the_import_is_refused(tmp_path_factory, sales, table, zone):
    """One sale that no rate covers is enough to refuse them all; the others are worth what the rates say."""
    says = {"currency": "EUR", "rates": {code: as_yaml(known) for code, known in table.items()}, "timezone": zone}
    worths = [worth(currency, at, table, zone) for _, currency, at in sales]
    cells = [(amount, currency, from_us(at).isoformat()) for amount, currency, at in sales]
    covered = [cell for cell, each in zip(cells, worths, strict=True) if each is not None]
    folder = tmp_path_factory.mktemp("money")
    if len(covered) < len(cells):
        with pytest.raises(QualityError, match="no rate says"):
            sold(folder / "refused", *covered, cells[worths.index(None)], **says)
    if covered:
        found = dict(rows(sold(folder / "read", *covered, **says), "outcomes", "outcome_id", "amount"))
        amounts_then = [amount * each for (amount, *_), each in zip(sales, worths, strict=True) if each is not None]
        assert found == pytest.approx({f"o{number}": amount for number, amount in enumerate(amounts_then)})


def test_the_examples_lie_in_the_past():
    assert from_us(1_767_344_400_000_000 + 271 * 86_400_000_000) < from_us(NOW_US)


MISTAKES = {
    "no code": ({"currency": "euro"}, {}, "currency: String should match pattern"),
    "no code of a rate": ({"currency": "EUR", "rates": {"usd": 1}}, {}, "rates.usd"),
    "rates of nothing": ({"rates": {"USD": 1}}, {}, "rates: rates say what currencies are worth"),
    "its own rate": ({"currency": "EUR", "rates": {"EUR": 1}}, {}, "rates.EUR: this is the playbook's own currency"),
    "no worth": ({"currency": "EUR", "rates": {"USD": 0}}, {}, "greater than 0"),
    "no day": ({"currency": "EUR", "rates": {"USD": [{"from": "soon", "is": 1}]}}, {}, "rates.USD.0.from"),
    "twice the same day": (
        {"currency": "EUR", "rates": {"USD": [{"from": "2026-01-01", "is": 1}, {"from": "2026-01-01", "is": 2}]}},
        {},
        "rates.USD.1: an earlier rate holds from the same day",
    ),
    "no amounts": ({}, {"columns": {"currency": "currency"}}, "columns.currency: the source has no amounts"),
    "no amounts of a currency": ({}, {"columns": {}, "currency": "USD"}, "currency: the source has no amounts"),
    "money without a value": (
        {"activities": {"view": {"did": "looked", "one": "view", "many": "views", "money": True}}},
        {},
        "activities.view.money: only a value can be money",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named_by_file_and_line(tmp_path, name):
    says, source, message = MISTAKES[name]
    with pytest.raises(PlaybookError) as error:
        company(tmp_path, {}, [LEADS, {**DEALS, **source}], **says)
    assert message in str(error.value)
    assert all(line.startswith(f"{tmp_path / 'playbook.yaml'}:") for line in str(error.value).splitlines())


def test_currencies_of_attributes_need_numbers_that_the_source_maps(tmp_path):
    attributes = {"land": {"type": "category", "says": "in {value}"}}
    source = {**LEADS, "attributes": {"land": "land"}, "money": {"land": "iso", "lnd": "iso"}}
    with pytest.raises(PlaybookError) as error:
        company(tmp_path, {}, [source], attributes=attributes)
    assert "money.land: money is a number, and land is a category" in str(error.value)
    assert "money.lnd: the source maps no attribute lnd; did you mean land?" in str(error.value)
