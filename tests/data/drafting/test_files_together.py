"""Files are read as one company's: series of one table, several folders, columns that the outcome gives away."""

import pytest

from data.drafting.commands import draft_from
from data.drafting.decisions import DraftQuestion
from data.words.playbook import load_playbook
from tests.data.company import imported

LEADS = 60


def table(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def leads(numbers=range(LEADS), **columns):
    """A table of leads with more columns, each a function of the lead's number."""
    rows = [
        (f"L{n:03}", f"2025-09-{1 + n % 28:02} 08:00", *(column(n) for column in columns.values())) for n in numbers
    ]
    return table(",".join(("lead_id", "created_at", *columns)), rows)


def deals(numbers=range(0, LEADS, 2)):
    return table(
        "deal_id,lead_id,stage,reached_at", [(f"D{n}", f"L{n:03}", "won", "2025-11-01 10:00") for n in numbers]
    )


def calls(ids=lambda n: f"L{n:03}"):
    rows = [(f"C{n}", ids(n % LEADS), ("call", "demo request")[n % 2], "2025-10-02 10:00") for n in range(2 * LEADS)]
    return table("call_id,who,kind,occurred_at", rows)


def drafted(folder, answers=lambda question: None, **files):
    for name, content in files.items():
        path = folder / "exports" / f"{name.replace('__', '/')}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    result = draft_from(sorted((folder / "exports").rglob("*.csv")), out=folder / "acme", answers=answers)
    return load_playbook(folder / "acme"), result


def test_files_that_differ_in_digits_alone_are_one_source(tmp_path):
    """A year's leads come in a file each month; together they are one table."""
    halves = {"leads_2025_09": leads(range(30)), "leads_2025_10": leads(range(30, LEADS))}
    playbook, _ = drafted(tmp_path, **halves, deals=deals())
    assert {source.file: source.holds for source in playbook.business.sources} == {
        "leads_*_*.csv": "leads",
        "deals.csv": "outcomes",
    }
    assert imported(playbook, now_us=None).rows["leads"] == LEADS


def test_a_file_that_was_not_named_is_not_drawn_in_by_a_pattern(tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "calls_9.csv.bak").write_text("old", encoding="utf-8")
    (tmp_path / "exports" / "calls_9.txt").write_text("old", encoding="utf-8")
    playbook, _ = drafted(tmp_path, calls_1=calls(), calls_2=calls(), leads=leads(), deals=deals())
    assert {source.file for source in playbook.business.sources} == {"calls_*.csv", "leads.csv", "deals.csv"}


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path):
    playbook, result = drafted(tmp_path, crm__data=leads(), phone__data=calls(), deals=deals())
    assert {source.file for source in playbook.business.sources} == {"crm/data.csv", "phone/data.csv", "deals.csv"}
    assert len({decision.about for decision in result.decisions}) == len(result.decisions)


def test_a_column_that_is_filled_only_with_an_outcome_is_never_used(tmp_path):
    """Its name says nothing; the outcomes do."""
    playbook, _ = drafted(
        tmp_path, leads=leads(plan=lambda n: "" if n % 2 else ("gold", "basic")[n % 4 // 2]), deals=deals()
    )
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert playbook.business.never_use == ("plan",)
    assert "plan: filled in 100% of rows of leads with an outcome, in 0.0% of the others" in text


def test_a_column_filled_for_all_leads_is_an_attribute(tmp_path):
    playbook, _ = drafted(tmp_path, leads=leads(plan=lambda n: ("gold", "basic")[n % 2]), deals=deals())
    assert list(playbook.business.attributes) == ["plan"]
    assert playbook.business.never_use == ()


def test_keys_join_by_their_values_whatever_they_are_called(tmp_path):
    playbook, _ = drafted(tmp_path, leads=leads(), calls=calls(), deals=deals())
    activities = next(source for source in playbook.business.sources if source.holds == "activities")
    assert (activities.columns.lead_id, activities.columns.activity_id) == ("who", "call_id")
    assert activities.kinds == {"call": "call", "demo request": "demo_request"}


def test_keys_that_differ_in_case_join_by_the_rule_casefold(tmp_path):
    playbook, _ = drafted(tmp_path, leads=leads(), calls=calls(lambda n: f"l{n:03}"), deals=deals())
    assert playbook.business.ids == "casefold"


def test_a_file_whose_rows_name_few_leads_says_how_many_are_lost(tmp_path):
    """A tenth of the calls are with people who are no leads: `check` may reject them, and someone should look."""
    playbook, result = drafted(
        tmp_path, leads=leads(), calls=calls(lambda n: f"X{n}" if n < 6 else f"L{n:03}"), deals=deals()
    )
    assert playbook.business.most_rejected == pytest.approx(0.12)
    assert any(decision.about == "most_rejected" for decision in result.undecided)
    assert imported(playbook, now_us=None).rows["activities"] == 108


def test_a_person_is_asked_which_file_holds_the_leads_only_if_it_is_unclear(tmp_path):
    asked: list[DraftQuestion] = []
    drafted(tmp_path, asked.append, leads=leads(), calls=calls(), deals=deals())
    assert [question.about for question in asked] == ["capacity_per_day", "timezone"]


def test_a_counter_may_not_be_called_one(tmp_path):
    """Its name says it counts on; nobody said that it is as of creation."""
    playbook, result = drafted(
        tmp_path, leads=leads(number_of_visits=lambda n: n, employees=lambda n: n + 5), deals=deals()
    )
    assert list(playbook.business.attributes) == ["employees"]
    assert "leads.csv: counters number_of_visits" in {decision.about for decision in result.undecided}


@pytest.mark.parametrize("codes", [("EUR", "USD"), ("EUR",)])
def test_the_currency_of_each_amount_is_mapped(tmp_path, codes):
    """Whether the amounts can be summed, `check` says of the playbook that was drafted."""
    rows = [
        (f"D{n}", f"L{n:03}", "won", "2025-11-01 10:00", 100 + n, codes[n % len(codes)]) for n in range(0, LEADS, 1)
    ]
    sold = table("deal_id,lead_id,stage,reached_at,amount,CurrencyIsoCode", rows)
    playbook, _ = drafted(tmp_path, leads=leads(), deals=sold)
    (source,) = [source for source in playbook.business.sources if source.holds == "outcomes"]
    assert (source.columns.amount, source.columns.currency) == ("amount", "CurrencyIsoCode")
    if len(codes) == 1:
        assert imported(playbook, now_us=None).quality.money.currency == "EUR"
